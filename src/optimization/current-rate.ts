/** How an optimizer's learning rate reaches its updates. */
import * as tf from '#tf';
import { initScope } from '../function/index.js';
import { checkRate } from './optimizer-checks.js';
import type { LearningRate } from './schedule.js';
import { createVariable } from './state.js';

/** A schedule computed from the count of updates, or a number in a variable, which a compiled step reads at each call. */
export class CurrentRate {
  private rate: LearningRate;
  private variable: tf.Variable | undefined;

  /**
   * @param owner the optimizer's name, for the variable and errors.
   * @param decay d > 0 divides the rate by 1 + d·iterations.
   * @throws UsageError for what is no rate.
   */
  constructor(
    rate: LearningRate,
    private readonly owner: string,
    private readonly decay: number,
  ) {
    this.rate = checkRate(rate, owner);
  }

  /** The rate or schedule as it was given. */
  get value(): LearningRate {
    return this.rate;
  }

  set value(rate: LearningRate) {
    this.rate = checkRate(rate, this.owner);
    // A compiled step reads the variable, so a new number is seen without tracing again.
    if (typeof rate === 'number') initScope(() => tf.tidy(() => this.variable?.assign(tf.scalar(rate))));
  }

  /** Makes the variable of a number, if there is none yet. */
  build(): void {
    const rate = this.rate;
    if (typeof rate !== 'number' || this.variable) return;
    this.variable = initScope(() => createVariable(`${this.owner}/learning_rate`, tf.scalar(rate)));
  }

  /** The rate of the update after `iterations` others, before decay. Needs `build()`. */
  at(iterations: tf.Scalar): tf.Scalar {
    return typeof this.rate === 'number' ? (this.variable as unknown as tf.Scalar) : this.rate.at(iterations);
  }

  /** A rate, or a multiple of it, after `iterations` updates of decay. */
  decayed(rate: tf.Scalar, iterations: tf.Scalar): tf.Scalar {
    if (this.decay === 0) return rate;
    return tf.div(rate, tf.add(tf.mul(tf.cast(iterations, 'float32'), this.decay), 1));
  }

  /** Frees the variable; the next `build()` makes another. */
  dispose(): void {
    this.variable?.dispose();
    this.variable = undefined;
  }
}
