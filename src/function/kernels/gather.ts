/** Kernels that pick rows by index, and the gradient of that. */
import * as tf from '#tf';
import { sizeOf } from '../dtype.js';
import type { Value } from '../graph/ir.js';
import { rows, type Lowering } from '../graph/lowering.js';
import { defineKernels, type KernelSpecs } from './define.js';
import { castTo } from './elementwise.js';
import { checkedIndex, iota, refuseNegative, rowIndex } from './indices.js';

/** Sizes of a GatherV2: x as [batch, outer, dim, slice], the indices as [batch, indices / batch]. */
function gatherShape({ x, indices }: KernelSpecs, axis: unknown, batchDims: unknown) {
  const [a] = tf.util.parseAxisParam(axis as number, x!.shape as number[]) as [number];
  const { collectGatherOpShapeInfo } = tf.backend_util.segment_util;
  return {
    axis: a,
    ...collectGatherOpShapeInfo(
      x as unknown as tf.TensorInfo,
      indices as unknown as tf.TensorInfo,
      a,
      (batchDims as number | undefined) ?? 0,
    ),
  };
}

defineKernels(
  {
    kernel: 'GatherV2',
    form: 'Gather; over rows numbered through the batch with batchDims',
    limits: 'an index out of range is an error at run time',
    infer: (inputs, { axis, batchDims }) => ({ dtype: inputs['x']!.dtype, shape: gatherShape(inputs, axis, batchDims).outputShape }),
    lower: (g, { x, indices }, { axis, batchDims }, call) => {
      const s = gatherShape({ x: x!, indices: indices! }, axis, batchDims);
      if (s.batchSize === 1) {
        // One batch: its dimensions may stay where they are in x, but not in front of the indices.
        const index = checkedIndex(g, indices!);
        const leading = ((batchDims as number | undefined) ?? 0) !== 0;
        const out = g.op('Gather', [g.rows(x!), leading ? g.reshape(index, [sizeOf(indices!.shape)]) : index], { axis: s.axis });
        return rows(leading ? g.reshape(out, call.outputs[0]!.shape) : out);
      }
      return rows(gatherBatches(g, x!, indices!, s, call.outputs[0]!.shape));
    },
  },
  {
    kernel: 'GatherNd',
    form: 'Mul, ReduceSum (row numbers), Gather',
    limits: 'an index out of range is an error at run time',
    infer: ({ params, indices }) => {
      const [shape] = tf.backend_util.prepareAndValidate(params as unknown as tf.TensorInfo, indices as unknown as tf.TensorInfo);
      return { dtype: params!.dtype, shape };
    },
    lower: (g, { params, indices }, _, call) => {
      const [shape, count, size, strides] = tf.backend_util.prepareAndValidate(
        params as unknown as tf.TensorInfo,
        indices as unknown as tf.TensorInfo,
      );
      if (strides.length === 0) return rows(g.op('Expand', [g.rows(params!), g.ints(shape)]));
      const table = g.reshape(g.rows(params!), [sizeOf(params!.shape) / size, size]);
      const picked = g.op('Gather', [table, g.reshape(rowIndex(g, indices!, strides), [count])], { axis: 0 });
      return rows(g.reshape(picked, call.outputs[0]!.shape));
    },
  },
  {
    kernel: 'UnsortedSegmentSum',
    form: 'Cast, ScatterND with reduction add; rows of segments out of range are dropped',
    limits: 'NaN and infinity stay in their own segment, where tfjs spreads NaN over all',
    infer: ({ x, segmentIds }, { numSegments }) => ({
      dtype: 'float32', // of integers too, as in tfjs
      shape: [numSegments as number, ...x!.shape.slice(segmentIds!.shape.length)],
    }),
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
      const zeros = g.filled(0, [segments + 1, columns], 'float32');
      const data = castTo(g, g.rows(x!), x!.dtype, 'float32');
      const sums = g.op('ScatterND', [zeros, index, g.reshape(data, [count, columns])], { reduction: 'add' });
      return rows(g.reshape(g.op('Slice', [sums, g.ints([0]), g.ints([segments]), g.ints([0])]), shape));
    },
  },
);

/** Gathers in several batches at once: row numbers count through all of them. */
function gatherBatches(g: Lowering, x: Value, indices: Value, s: ReturnType<typeof gatherShape>, shape: readonly number[]): string {
  const [batch, outer, perBatch] = [s.batchSize, s.outerSize, sizeOf(indices.shape) / s.batchSize];
  const index = g.reshape(g.rows(indices), [batch, 1, perBatch]);
  const first = g.reshape(g.op('Mul', [iota(g, batch * outer), g.scalar(s.dimSize, 'int32')]), [batch, outer, 1]);
  const inside = g.op('And', [g.op('GreaterOrEqual', [index, g.scalar(0, 'int32')]), g.op('Less', [index, g.scalar(s.dimSize, 'int32')])]);
  // A number that is out of range in its batch must not reach into the next one.
  const row = g.op('Where', [inside, g.op('Add', [index, first]), g.scalar(-1, 'int32')]);
  const table = g.reshape(g.rows(x), [batch * outer * s.dimSize, s.sliceSize]);
  g.failure = `an index value is not in [0, ${s.dimSize - 1}]`;
  return g.reshape(g.op('Gather', [table, refuseNegative(g, row)], { axis: 0 }), shape);
}
