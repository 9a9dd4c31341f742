/** Kernels that make tensors from attributes or from another tensor's shape. */
import * as tf from '#tf';
import { isDType, sizeOf, type DType, type TypedArray } from '../dtype.js';
import type { Attrs } from '../graph/ir.js';
import { rows } from '../graph/lowering.js';
import { defineKernels, type KernelDefinition } from './define.js';
import { where } from './elementwise.js';
import { iota } from './indices.js';

/** A tensor that tfjs's cpu backend makes from attributes alone. */
function constantOf(kernel: string, attrs: Attrs): { data: TypedArray; dtype: DType; shape: number[] } {
  return tf.initScope(() => {
    const made = tf.engine().runKernel(kernel, {}, attrs as tf.NamedAttrMap) as tf.Tensor;
    const data = (made.dataSync() as TypedArray).slice();
    made.dispose();
    return { data, dtype: made.dtype as DType, shape: made.shape };
  });
}

/** A kernel without inputs: its result is a constant of the program. */
function constantKernel(kernel: string): KernelDefinition {
  return {
    kernel,
    form: 'a constant',
    infer: (_, attrs) => constantOf(kernel, attrs),
    lower: (g, _, attrs) => {
      const { data, shape, dtype } = constantOf(kernel, attrs);
      return rows(g.constant(data, shape, dtype));
    },
  };
}

defineKernels(
  constantKernel('Range'),
  constantKernel('LinSpace'),
  {
    kernel: 'Diag',
    form: 'Where on the equality of row and column',
    infer: ({ x }) => ({ dtype: x!.dtype, shape: [...x!.shape, ...x!.shape] }),
    lower: (g, { x }, _, call) => {
      const size = sizeOf(x!.shape);
      const diagonal = g.op('Equal', [g.reshape(iota(g, size), [size, 1]), iota(g, size)]);
      const placed = where(g, diagonal, g.reshape(g.rows(x!), [1, size]), g.scalar(0, x!.dtype), x!.dtype);
      return rows(g.reshape(placed, call.outputs[0]!.shape));
    },
  },
  {
    kernel: 'ZerosLike',
    form: 'Expand of 0',
    infer: ({ x }) => x!,
    lower: (g, { x }) => rows(g.filled(0, x!.shape, x!.dtype)),
  },
  {
    kernel: 'OnesLike',
    form: 'Expand of 1',
    infer: ({ x }) => x!,
    lower: (g, { x }) => rows(g.filled(1, x!.shape, x!.dtype)),
  },
  {
    kernel: 'Fill',
    form: 'Expand of the value',
    infer: (_, { shape, value, dtype }) => ({ dtype: fillDType(value, dtype), shape: shape as number[] }),
    lower: (g, _, { shape, value, dtype }) => rows(g.filled(Number(value), shape as number[], fillDType(value, dtype))),
  },
  {
    kernel: 'Identity',
    form: 'no node',
    infer: ({ x }) => x!,
    lower: (g, { x }) => (g.has(x!, 'rows') || x!.shape.length !== 4 ? rows(g.rows(x!)) : { name: g.nchw(x!), layout: 'nchw' }),
  },
  {
    kernel: 'OneHot',
    form: 'Equal with the numbers of the entries, then Cast or Where',
    infer: ({ indices }, { depth, dtype }) => ({
      dtype: (dtype as DType | undefined) ?? 'int32',
      shape: [...indices!.shape, depth as number],
    }),
    lower: (g, { indices }, { depth, onValue, offValue, dtype }) => {
      // The numbers of the entries compared with the index: several times as fast as ONNX Runtime's OneHot, and no index is out of range.
      const type = (dtype as DType | undefined) ?? 'int32';
      const size = depth as number;
      const hot = g.op('Equal', [g.reshape(g.rows(indices!), [...indices!.shape, 1]), iota(g, size)]);
      const [on, off] = [onValue as number, offValue as number];
      if (type !== 'bool' && on === 1 && off === 0) return rows(g.cast(hot, type));
      return rows(where(g, hot, g.scalar(on, type), g.scalar(off, type), type));
    },
  },
);

function fillDType(value: unknown, dtype: unknown): DType {
  const type = (dtype as string | undefined) ?? tf.util.inferDtype(value as number);
  if (!isDType(type)) throw new Error(`tensors of dtype ${type} cannot be compiled`);
  return type;
}
