/** Sums over the replicas of a distributed step. */
import * as tf from '#tf';
import { ALL_REDUCE } from './graph/segments.js';

/** The replicas of a step, as the compiled function sees them: how many, and how to sum over them. */
export interface Collective {
  /** Number of replicas. */
  readonly size: number;
  /** Replaces the contents of every array by its sum over all replicas. Called on the host between two graphs. */
  allReduce(arrays: readonly Float32Array[]): void;
}

/**
 * Sums each tensor over all replicas of the compiled function that runs (`compile(fn, { collective })`). With one replica,
 * and eagerly, it gives the tensors back. All sums that do not depend on each other are made in one exchange.
 */
export function allReduceSum<T extends tf.Tensor>(tensors: readonly T[]): T[] {
  const isTraced = tf.getKernel(ALL_REDUCE, tf.getBackend()) != null; // only the tracing backend has the kernel
  if (!isTraced) return [...tensors];
  return tensors.map((x) => tf.engine().runKernel(ALL_REDUCE, { x }) as T);
}
