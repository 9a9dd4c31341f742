/** Indices as ONNX's gathering and scattering operators take them. */
import { sizeOf } from '../dtype.js';
import type { Value } from '../graph/ir.js';
import type { Lowering } from '../graph/lowering.js';

/**
 * Makes negative int32 numbers huge int64 ones, which ONNX Runtime refuses. tfjs refuses them too, but ONNX would count
 * them from the end.
 */
export function refuseNegative(g: Lowering, name: string): string {
  return g.cast(g.cast(name, 'uint32'), 'int64');
}

/** The name of an index tensor whose negative numbers are errors, as int32 or int64. */
export function checkedIndex(g: Lowering, index: Value): string {
  const { source } = index;
  const safe = source.kind === 'constant' && source.data.every((i) => i >= 0);
  return safe ? g.rows(index) : refuseNegative(g, g.rows(index));
}

/**
 * The row that each index tuple of `[…, depth]` means, as int64 [count, 1]. As in tfjs only the row is checked, not each
 * number of the tuple.
 *
 * @param strides rows that one step along each of the `depth` dimensions passes.
 */
export function rowIndex(g: Lowering, index: Value, strides: readonly number[]): string {
  const depth = strides.length;
  if (depth === 1) return g.reshape(g.cast(checkedIndex(g, index), 'int64'), [sizeOf(index.shape), 1]);
  const count = depth === 0 ? 1 : sizeOf(index.shape) / depth;
  const tuples = g.reshape(g.rows(index), [count, depth]);
  const parts = g.op('Mul', [tuples, g.constant(Int32Array.from(strides), [depth], 'int32')]);
  return refuseNegative(g, g.op('ReduceSum', [parts, g.ints([1])], { keepdims: 1 }));
}

/** 0, 1, 2, … as int32 of one dimension. */
export function iota(g: Lowering, size: number): string {
  return g.once(`iota32:${size}`, () => g.op('Range', [g.scalar(0, 'int32'), g.scalar(size, 'int32'), g.scalar(1, 'int32')]));
}
