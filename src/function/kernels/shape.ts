/** Kernels that move elements without computing: reshape, transpose, slice, concatenate, pad, tile, gather, split. */
import * as tf from '#tf';
import { sizeOf } from '../dtype.js';
import { rows, nchw, type Lowering } from '../graph/lowering.js';
import type { Value } from '../graph/ir.js';
import { defineKernels, listOf } from './define.js';

const axisOf = (axis: unknown, rank: number): number => {
  const a = axis as number;
  return a < 0 ? a + rank : a;
};

/** A reshape that keeps the NCHW form where batch and channels stay and height and width are 1 (flatten after global pooling). */
function reshapeValue(g: Lowering, x: Value, shape: readonly number[]) {
  return rows(x.shape.join() === shape.join() ? g.rows(x) : g.reshape(g.rows(x), shape));
}

defineKernels(
  {
    kernel: 'Reshape',
    form: 'Reshape',
    infer: ({ x }, { shape }) => ({
      dtype: x!.dtype,
      shape: tf.util.inferFromImplicitShape((shape as number[]).slice(), sizeOf(x!.shape)),
    }),
    lower: (g, { x }, _, call) => reshapeValue(g, x!, call.outputs[0]!.shape),
  },
  {
    kernel: 'ExpandDims',
    form: 'Reshape',
    infer: ({ input }, { dim }) => {
      const shape = input!.shape.slice();
      const [low, high] = [-(shape.length + 1), shape.length];
      if ((dim as number) < low || (dim as number) > high)
        throw new Error(`the axis must be between ${low} and ${high}, but is ${String(dim)}`);
      shape.splice(axisOf(dim, shape.length + 1), 0, 1);
      return { dtype: input!.dtype, shape };
    },
    lower: (g, { input }, _, call) => reshapeValue(g, input!, call.outputs[0]!.shape),
  },
  {
    kernel: 'Transpose',
    form: 'Transpose',
    infer: ({ x }, { perm }) => ({ dtype: x!.dtype, shape: (perm as number[]).map((p) => x!.shape[p]!) }),
    lower: (g, { x }, { perm }) => {
      const p = (perm as number[]).join();
      // Transposes between the two image orders name what already exists.
      if (p === '0,3,1,2' && g.has(x!, 'nchw')) return rows(g.nchw(x!));
      if (p === '0,2,3,1' && g.has(x!, 'rows')) return nchw(g.rows(x!));
      return rows(g.transpose(g.rows(x!), perm as number[]));
    },
  },
  {
    kernel: 'BroadcastTo',
    form: 'Expand',
    infer: ({ x }, { shape }) => ({ dtype: x!.dtype, shape: shape as number[] }),
    lower: (g, { x }, { shape }) => rows(g.op('Expand', [g.rows(x!), g.ints(shape as number[])])),
  },
  {
    kernel: 'Tile',
    form: 'Tile',
    infer: ({ x }, { reps }) => ({ dtype: x!.dtype, shape: x!.shape.map((d, i) => d * (reps as number[])[i]!) }),
    lower: (g, { x }, { reps }) => rows(g.op('Tile', [g.rows(x!), g.ints(reps as number[])])),
  },
  {
    kernel: 'Concat',
    form: 'Concat',
    infer: (inputs, { axis }) => {
      const list = listOf(inputs);
      const shape = list[0]!.shape.slice();
      const a = axisOf(axis, shape.length);
      tf.backend_util.assertParamsConsistent(
        list.map((s) => s.shape as number[]),
        a,
      );
      shape[a] = list.reduce((n, s) => n + s.shape[a]!, 0);
      return { dtype: list[0]!.dtype, shape };
    },
    lower: (g, inputs, { axis }) => {
      const list = listOf(inputs);
      const a = axisOf(axis, list[0]!.shape.length);
      if (g.preferredLayout(...list) === 'nchw') {
        return nchw(
          g.op(
            'Concat',
            list.map((v) => g.nchw(v)),
            { axis: [0, 2, 3, 1][a]! },
          ),
        );
      }
      const parts = list.filter((v) => v.shape[a] !== 0);
      const used = parts.length === 0 ? list.slice(0, 1) : parts;
      return rows(
        g.op(
          'Concat',
          used.map((v) => g.rows(v)),
          { axis: a },
        ),
      );
    },
  },
  {
    kernel: 'Pack',
    form: 'Reshape, Concat',
    infer: (inputs, { axis }) => {
      const list = listOf(inputs);
      const shape = list[0]!.shape.slice();
      for (const s of list) tf.util.assertShapesMatch(shape, s.shape as number[], 'All tensors passed to stack must have matching shapes');
      shape.splice(axisOf(axis, shape.length + 1), 0, list.length);
      return { dtype: list[0]!.dtype, shape };
    },
    lower: (g, inputs, { axis }) => {
      const list = listOf(inputs);
      const a = axisOf(axis, list[0]!.shape.length + 1);
      const one = list[0]!.shape.slice();
      one.splice(a, 0, 1);
      return rows(
        g.op(
          'Concat',
          list.map((v) => g.reshape(g.rows(v), one)),
          { axis: a },
        ),
      );
    },
  },
  {
    kernel: 'Unpack',
    form: 'Split, Reshape',
    infer: ({ value }, { axis }) => {
      const a = axisOf(axis, value!.shape.length);
      const shape = value!.shape.filter((_, i) => i !== a);
      return Array.from({ length: value!.shape[a]! }, () => ({ dtype: value!.dtype, shape }));
    },
    lower: (g, { value }, { axis }, call) => {
      const parts = split(g, g.rows(value!), axisOf(axis, value!.shape.length), Array<number>(call.outputs.length).fill(1));
      return parts.map((name, i) => rows(g.reshape(name, call.outputs[i]!.shape)));
    },
  },
  {
    kernel: 'SplitV',
    form: 'Split',
    infer: ({ x }, { numOrSizeSplits, axis }) => {
      const a = axisOf(axis, x!.shape.length);
      const sizes = tf.backend_util.prepareSplitSize(x as unknown as tf.Tensor, numOrSizeSplits as number[] | number, a);
      return sizes.map((n) => ({ dtype: x!.dtype, shape: x!.shape.map((d, i) => (i === a ? n : d)) }));
    },
    lower: (g, { x }, { axis }, call) => {
      const a = axisOf(axis, x!.shape.length);
      const sizes = call.outputs.map((v) => v.shape[a]!);
      return split(g, g.rows(x!), a, sizes).map(rows);
    },
  },
  {
    kernel: 'Slice',
    form: 'Slice',
    infer: ({ x }, { begin, size }) => {
      const [, sizes] = tf.slice_util.parseSliceParams(x as unknown as tf.Tensor, begin as number[], size as number[]);
      tf.slice_util.assertParamsValid(
        x as unknown as tf.Tensor,
        ...(tf.slice_util.parseSliceParams(x as unknown as tf.Tensor, begin as number[], size as number[]) as [number[], number[]]),
      );
      return { dtype: x!.dtype, shape: sizes! };
    },
    lower: (g, { x }, { begin, size }) => {
      const [starts, sizes] = tf.slice_util.parseSliceParams(x as unknown as tf.Tensor, begin as number[], size as number[]) as [
        number[],
        number[],
      ];
      const axes = starts.map((_, i) => i).filter((i) => starts[i] !== 0 || sizes[i] !== x!.shape[i]);
      if (axes.length === 0) return rows(g.rows(x!));
      return rows(
        g.op('Slice', [g.rows(x!), g.ints(axes.map((i) => starts[i]!)), g.ints(axes.map((i) => starts[i]! + sizes[i]!)), g.ints(axes)]),
      );
    },
  },
  {
    kernel: 'PadV2',
    form: 'Pad with a constant',
    infer: ({ x }, { paddings }) => ({
      dtype: x!.dtype,
      shape: x!.shape.map((d, i) => d + (paddings as [number, number][])[i]![0] + (paddings as [number, number][])[i]![1]),
    }),
    lower: (g, { x }, { paddings, constantValue }) => {
      const p = paddings as [number, number][];
      if (p.every(([a, b]) => a === 0 && b === 0)) return rows(g.rows(x!));
      const pads = g.ints([...p.map(([before]) => before), ...p.map(([, after]) => after)]);
      return rows(g.op('Pad', [g.rows(x!), pads, g.scalar((constantValue as number | undefined) ?? 0, x!.dtype)]));
    },
  },
);

/** Splits along an axis; a single part emits nothing. */
function split(g: Lowering, name: string, axis: number, sizes: readonly number[]): string[] {
  return sizes.length === 1 ? [name] : g.ops('Split', [name, g.ints(sizes)], sizes.length, { axis });
}
