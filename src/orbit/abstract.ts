/** The two inner loops that a controller drives. */
import type { MaybePromise, Output } from './types.js';

/** Trains: one call of {@link AbstractTrainer.train} is one inner loop. */
export abstract class AbstractTrainer {
  /**
   * Makes training steps. What a step is belongs to the implementer.
   * @param numSteps how many, at least 1; the global step must advance by exactly this number
   * @returns results of the loop by name, such as the mean loss; nothing is an empty dictionary
   */
  abstract train(numSteps: number): MaybePromise<Output | null | undefined | void>;
}

/** Evaluates: one call of {@link AbstractEvaluator.evaluate} is one evaluation. */
export abstract class AbstractEvaluator {
  /**
   * Evaluates the model as it is in memory.
   * @param numSteps how many steps, or -1 until the data end (supporting -1 is up to the implementation)
   * @returns results by name; nothing is an empty dictionary
   */
  abstract evaluate(numSteps: number): MaybePromise<Output | null | undefined | void>;
}
