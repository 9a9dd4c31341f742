/** Counting values. */
import { sizeOf } from '../dtype.js';
import type { Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import { defineKernels } from './define.js';
import { iota, refuseNegative } from './indices.js';

const form = 'ScatterND with reduction add; one more bin takes the values of size or more, then it is cut off';
const limits = 'a negative value is an error at run time';

/** Counts (or sums of weights) of the values of each row of x, seen as [count, values]. */
function count(g: Lowering, x: Value, weights: Value, size: number, rowCount: number, binary: boolean, shape: readonly number[]): Physical {
  const columns = sizeOf(x.shape) / rowCount;
  const values = g.reshape(g.rows(x), [rowCount, columns]);
  const bins = size + 1;
  const capped = g.op('Min', [values, g.scalar(size, 'int32')]);
  const first = g.reshape(g.op('Mul', [iota(g, rowCount), g.scalar(bins, 'int32')]), [rowCount, 1]);
  const numbered = rowCount === 1 ? capped : g.op('Add', [capped, first]);
  const negative = g.op('Less', [values, g.scalar(0, 'int32')]);
  const index = g.reshape(refuseNegative(g, g.op('Where', [negative, g.scalar(-1, 'int32'), numbered])), [rowCount * columns, 1]);
  const dtype = weights.dtype === 'bool' ? 'int32' : weights.dtype;
  const weighted = !binary && weights.shape.every((d) => d !== 0);
  const own = weights.dtype === dtype ? g.rows(weights) : g.cast(g.rows(weights), dtype);
  const updates = weighted ? g.reshape(own, [rowCount * columns]) : g.filled(1, [rowCount * columns], dtype);
  g.failure = 'Input x must be non-negative!';
  const all = g.op('ScatterND', [g.filled(0, [rowCount * bins], dtype), index, updates], binary ? {} : { reduction: 'add' });
  const kept = g.op('Slice', [g.reshape(all, [rowCount, bins]), g.ints([0]), g.ints([size]), g.ints([1])]);
  const shaped = g.reshape(kept, shape);
  return rows(dtype === weights.dtype ? shaped : g.cast(shaped, weights.dtype));
}

defineKernels(
  {
    kernel: 'Bincount',
    form,
    limits,
    infer: ({ weights }, { size }) => ({ dtype: weights!.dtype, shape: [size as number] }),
    lower: (g, { x, weights }, { size }, call) => count(g, x!, weights!, size as number, 1, false, call.outputs[0]!.shape),
  },
  {
    kernel: 'DenseBincount',
    form,
    limits,
    infer: ({ x, weights }, { size }) => {
      const rank = x!.shape.length;
      if (rank !== 1 && rank !== 2) throw new Error(`the values must be of rank 1 or 2, but are of rank ${rank}`);
      return { dtype: weights!.dtype, shape: rank === 1 ? [size as number] : [x!.shape[0]!, size as number] };
    },
    lower: (g, { x, weights }, { size, binaryOutput }, call) => {
      const rank2 = x!.shape.length === 2;
      // tfjs counts also with binaryOutput when x has one dimension.
      return count(g, x!, weights!, size as number, rank2 ? x!.shape[0]! : 1, rank2 && Boolean(binaryOutput), call.outputs[0]!.shape);
    },
  },
);
