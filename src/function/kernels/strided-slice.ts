/** Slices with steps, and reversal. */
import * as tf from '#tf';
import type { Attrs } from '../graph/ir.js';
import { rows } from '../graph/lowering.js';
import { defineKernels } from './define.js';

function sliceInfo(shape: readonly number[], attrs: Attrs): tf.slice_util.SliceInfo {
  const list = (name: string): number[] => attrs[name] as number[];
  const mask = (name: string): number => attrs[name] as number;
  return tf.slice_util.sliceInfo(
    shape as number[],
    list('begin'),
    list('end'),
    list('strides'),
    mask('beginMask'),
    mask('endMask'),
    mask('ellipsisMask'),
    mask('newAxisMask'),
    mask('shrinkAxisMask'),
  );
}

/** ONNX's "before the first element", where a slice with a negative step ends. */
const BEFORE_FIRST = -(2 ** 31);

defineKernels(
  {
    kernel: 'StridedSlice',
    form: 'Slice with steps, Reshape',
    infer: ({ x }, attrs) => ({ dtype: x!.dtype, shape: sliceInfo(x!.shape, attrs).finalShape }),
    lower: (g, { x }, attrs, call) => {
      const { begin, end, strides, isIdentity } = sliceInfo(x!.shape, attrs);
      const shape = call.outputs[0]!.shape;
      if (isIdentity) return rows(g.reshape(g.rows(x!), shape));
      const ends = end.map((e) => (e < 0 ? BEFORE_FIRST : e)); // tfjs's -1 is no "last element" any more
      const sliced = g.op('Slice', [g.rows(x!), g.ints(begin), g.ints(ends), g.ints([...begin.keys()]), g.ints(strides)]);
      return rows(g.reshape(sliced, shape));
    },
  },
  {
    kernel: 'Reverse',
    form: 'Slice with step -1',
    infer: ({ x }, { dims }) => {
      tf.util.parseAxisParam(dims as number[], x!.shape as number[]);
      return x!;
    },
    lower: (g, { x }, { dims }) => {
      const axes = tf.util
        .parseAxisParam(dims as number[], x!.shape as number[])
        .filter((a, i, all) => all.indexOf(a) === i && x!.shape[a]! > 1);
      if (axes.length === 0) return rows(g.rows(x!));
      const each = (value: number): string => g.ints(axes.map(() => value));
      return rows(g.op('Slice', [g.rows(x!), each(-1), each(BEFORE_FIRST), g.ints(axes), each(-1)]));
    },
  },
);
