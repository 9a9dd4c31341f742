/** Recognising the optimizer that keeps moving averages of the weights. */
import type { Optimizer } from '../optimization/index.js';
import * as tf from '#tf';

/** Averages of the weights that can take their place. */
export interface WeightAverages {
  /** Exchanges weights and averages. Twice changes nothing. */
  swapWeights(): void;
}

/** What the trainer uses of an averaging optimizer. */
export interface AveragingOptimizer extends Optimizer, WeightAverages {
  /** Whether the averages exist. */
  readonly hasShadowCopy: boolean;
  /** Makes the averages of variables. */
  shadowCopy(variables: readonly tf.Variable[]): void;
}

/** The optimizer as an averaging one, or null. */
export function asAveraging(optimizer: Optimizer): AveragingOptimizer | null {
  return typeof (optimizer as Partial<AveragingOptimizer>).swapWeights === 'function' ? (optimizer as AveragingOptimizer) : null;
}
