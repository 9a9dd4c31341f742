/** Kernels that pick rows by index, and the gradient of that. */
import * as tf from '#tf';
import { sizeOf } from '../dtype.js';
import { rows } from '../graph/lowering.js';
import { defineKernels } from './define.js';

defineKernels(
  {
    kernel: 'GatherV2',
    form: 'Gather',
    infer: ({ x, indices }, { axis, batchDims }) => {
      const [a] = tf.util.parseAxisParam(axis as number, x!.shape as number[]) as [number];
      if (((batchDims as number | undefined) ?? 0) !== 0) throw new Error('gathering with batchDims cannot be compiled yet');
      return { dtype: x!.dtype, shape: [...x!.shape.slice(0, a), ...indices!.shape, ...x!.shape.slice(a + 1)] };
    },
    lower: (g, { x, indices }, { axis }) => rows(g.op('Gather', [g.rows(x!), g.rows(indices!)], { axis: axis as number })),
  },
  {
    kernel: 'UnsortedSegmentSum',
    form: 'ScatterND with reduction add; rows of negative segments are dropped',
    infer: ({ x, segmentIds }, { numSegments }) => ({ dtype: x!.dtype, shape: [numSegments as number, ...x!.shape.slice(segmentIds!.shape.length)] }),
    lower: (g, { x, segmentIds }, { numSegments }, call) => {
      const shape = call.outputs[0]!.shape;
      const columns = sizeOf(shape.slice(1));
      const count = sizeOf(segmentIds!.shape);
      // One more row takes what belongs to no segment, as tfjs drops it.
      const segments = numSegments as number;
      const ids = g.rows(segmentIds!);
      const outside = g.op('Or', [g.op('Less', [ids, g.scalar(0, 'int32')]), g.op('GreaterOrEqual', [ids, g.scalar(segments, 'int32')])]);
      const safe = g.op('Where', [outside, g.scalar(segments, 'int32'), ids]);
      const index = g.cast(g.reshape(safe, [count, 1]), 'int64');
      const zeros = g.filled(0, [segments + 1, columns], x!.dtype);
      const sums = g.op('ScatterND', [zeros, index, g.reshape(g.rows(x!), [count, columns])], { reduction: 'add' });
      return rows(g.reshape(g.op('Slice', [sums, g.ints([0]), g.ints([segments]), g.ints([0])]), shape));
    },
  },
);
