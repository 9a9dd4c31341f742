/** Checks and sums that depend on the shape of a tensor. */
import * as tf from '#tf';
import { UsageError } from '../errors.js';

/**
 * Refuses a tensor of another rank.
 * @param expectedRank the rank, or the ranks that are allowed
 * @param name name of the tensor in the message
 * @throws UsageError naming the tensor, its rank and its shape
 */
export function assertRank(tensor: tf.Tensor, expectedRank: number | readonly number[], name = 'the tensor'): void {
  const allowed = typeof expectedRank === 'number' ? [expectedRank] : expectedRank;
  if (allowed.includes(tensor.rank)) return;
  throw new UsageError(`${name}: expected rank ${allowed.join(' or ')}, got rank ${tensor.rank}, of shape [${tensor.shape.join(', ')}].`);
}

/** The dimensions of a tensor, whose rank is checked if one is expected. @throws UsageError as {@link assertRank} */
export function getShapeList(tensor: tf.Tensor, expectedRank?: number | readonly number[] | null, name?: string): number[] {
  if (expectedRank !== null && expectedRank !== undefined) assertRank(tensor, expectedRank, name);
  return [...tensor.shape];
}

/** The mean of all values as a float32 scalar; 0 for a tensor without any. */
export function safeMean(values: tf.Tensor): tf.Scalar {
  return tf.tidy(() => (values.size === 0 ? tf.scalar(0) : (tf.mean(tf.cast(values, 'float32')) as tf.Scalar)));
}
