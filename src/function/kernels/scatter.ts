/** Kernels that write rows at given indices. */
import * as tf from '#tf';
import { sizeOf } from '../dtype.js';
import type { Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import { defineKernels } from './define.js';
import { rowIndex } from './indices.js';

/** Writes or adds the rows of `updates` at `indices` into `target`, which holds rows of `shape`. */
function scatter(g: Lowering, target: string, indices: Value, updates: Value, shape: readonly number[], add: boolean): Physical {
  const { sliceRank, numUpdates, sliceSize, strides } = tf.backend_util.calculateShapes(
    updates as unknown as tf.TensorInfo,
    indices as unknown as tf.TensorInfo,
    shape as number[],
  );
  const table = g.reshape(target, [sizeOf(shape) / sliceSize, sliceSize]);
  const one = updates.shape.length === 0; // one value for every index
  const data = one
    ? g.op('Expand', [g.rows(updates), g.ints([numUpdates, sliceSize])])
    : g.reshape(g.rows(updates), [numUpdates, sliceSize]);
  const index = rowIndex(g, indices, strides.slice(0, sliceRank));
  return rows(g.reshape(g.op('ScatterND', [table, index, data], add ? { reduction: 'add' } : {}), shape));
}

const limits = 'an index out of range is an error at run time';

defineKernels(
  {
    kernel: 'ScatterNd',
    form: 'ScatterND on zeros with reduction add',
    limits,
    infer: ({ updates }, { shape }) => ({ dtype: updates!.dtype, shape: shape as number[] }),
    lower: (g, { indices, updates }, { shape }) =>
      scatter(g, g.filled(0, shape as number[], updates!.dtype), indices!, updates!, shape as number[], true),
  },
  {
    kernel: 'TensorScatterUpdate',
    form: 'ScatterND; of equal indices the last one counts',
    limits,
    infer: ({ tensor }) => tensor!,
    lower: (g, { tensor, indices, updates }) => scatter(g, g.rows(tensor!), indices!, updates!, tensor!.shape, false),
  },
  {
    kernel: 'SparseToDense',
    form: 'Expand of the default value, ScatterND; of equal indices the last one counts',
    limits,
    infer: ({ sparseValues }, { outputShape }) => ({ dtype: sparseValues!.dtype, shape: outputShape as number[] }),
    lower: (g, { sparseIndices, sparseValues, defaultValue }, { outputShape }) => {
      const shape = outputShape as number[];
      const value =
        defaultValue!.dtype === sparseValues!.dtype ? g.rows(defaultValue!) : g.cast(g.rows(defaultValue!), sparseValues!.dtype);
      const target = g.op('Expand', [g.reshape(value, []), g.ints(shape)]);
      return scatter(g, target, sparseIndices!, sparseValues!, shape, false);
    },
  },
);
