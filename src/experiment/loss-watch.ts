/** Finds the first step of a training loop whose loss is not finite, inside the compiled step. */
import * as tf from '#tf';
import { initScope } from '../function/index.js';

/**
 * One scalar in the graph counts the steps of the loop up to the first loss that is not finite; from then on it stays at
 * its negative, minus 1. It is read once per loop.
 */
export class LossWatch {
  /** Global step whose loss was the first bad one of the last loop, or null. */
  firstBadStep: number | null = null;
  readonly #count: tf.Variable = initScope(() => tf.tidy(() => tf.variable(tf.scalar(0), false)));
  #begin = 0;

  /** A loop begins at this global step. */
  begin(step: number): void {
    this.#begin = step;
    this.firstBadStep = null;
  }

  /** Looks at the loss of one step. Plain tfjs: traceable. */
  update(loss: tf.Tensor): void {
    const count = this.#count;
    const good = tf.where(tf.less(tf.abs(loss), Infinity), tf.add(count, 1), tf.sub(tf.neg(count), 1));
    count.assign(tf.where(tf.less(count, 0), count, good));
  }

  /** The loop ended: reads and resets. */
  end(): void {
    const count = this.#count.dataSync()[0]!;
    if (count < 0) this.firstBadStep = this.#begin - count - 1;
    tf.tidy(() => this.#count.assign(tf.scalar(0)));
  }
}
