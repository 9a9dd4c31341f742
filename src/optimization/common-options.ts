import type { ClipOptions, GradientAggregator, GradientTransformer } from './gradients.js';
import type { LearningRateMultiplier } from './learning-rate-multipliers.js';
import type { LearningRate } from './schedule.js';

/** Options that every optimizer class takes. */
export interface OptimizerOptions extends ClipOptions {
  /** Name for messages and variables. Default: the class's. */
  name: string;
  /** A number or a schedule. Default 0.001 unless the class says otherwise. */
  learningRate: LearningRate;
  /** Learning rates of some variables as multiples of `learningRate`; the first pattern that is found in a path counts. Default none. */
  learningRateMultipliers: readonly LearningRateMultiplier[] | null;
  /** Applied to the gradients after clipping, in order. Excludes clipping options. */
  gradientTransformers: readonly GradientTransformer[] | null;
  /** Sums gradients over replicas. Default: `allReduceSum` of the compiler; with one replica nothing is summed. */
  gradientAggregator: GradientAggregator | null;
}

/** The defaults of `OptimizerOptions` under a class's name. */
export function commonDefaults(name: string, learningRate = 0.001): OptimizerOptions {
  return {
    name,
    learningRate,
    learningRateMultipliers: null,
    clipnorm: null,
    clipvalue: null,
    globalClipnorm: null,
    gradientTransformers: null,
    gradientAggregator: null,
  };
}

/**
 * Which of the original's two optimizer families a class follows. `legacy`: all clipping kinds that are set apply, transformers
 * and aggregators are taken. `new`: only one clipping kind applies.
 */
export type Family = 'legacy' | 'new';
