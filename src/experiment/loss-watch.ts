/** Finds the first step of a training loop whose loss is not finite, inside the compiled step. */
import * as tf from '#tf';
import type { StateDict } from '../checkpoint/index.js';
import { initScope } from '../function/index.js';

/**
 * A scalar in the graph counts the steps after which the sum of the loop's losses is still finite: a sum that was infinite or
 * not a number once stays so. It is read once per loop.
 */
export class LossWatch {
  /** Global step before the first step of the last loop whose loss was not finite, or null. */
  firstBadStep: number | null = null;
  readonly #good: tf.Variable = initScope(() => tf.tidy(() => tf.variable(tf.scalar(0), false)));
  #begin = 0;
  #isUnderWay = false;
  #isUsed = false;
  readonly #updatesPerStep: number;

  /** @param updatesPerStep how often `update` is called in a step */
  constructor(updatesPerStep = 1) {
    this.#updatesPerStep = updatesPerStep;
  }

  /** Its counter. */
  get variable(): tf.Variable {
    return this.#good;
  }

  /** A loop begins at this global step, unless it goes on after an interruption. */
  begin(step: number): void {
    if (!this.#isUnderWay) this.#begin = step;
    this.#isUnderWay = true;
    this.firstBadStep = null;
  }

  /** Where the loop under way began (null between loops), and how many of its steps were good. */
  stateDict(): { begin: number | null; good: number } {
    return { begin: this.#isUnderWay ? this.#begin : null, good: this.#good.dataSync()[0]! };
  }

  /** Goes on with a saved loop. */
  loadStateDict({ begin, good }: StateDict): void {
    this.#isUnderWay = typeof begin === 'number';
    if (typeof begin === 'number') this.#begin = begin;
    initScope(() => tf.tidy(() => this.#good.assign(tf.scalar(Number(good)))));
  }

  /** Looks at the sum of losses after one step. Plain tfjs: traceable. */
  update(sumOfLosses: tf.Tensor): void {
    this.#isUsed = true;
    this.#good.assign(tf.add(this.#good, tf.cast(tf.less(tf.abs(sumOfLosses), Infinity), 'float32')));
  }

  /** The loop ended at this global step: reads and resets. */
  end(step: number): void {
    this.#isUnderWay = false;
    if (!this.#isUsed) return; // steps without a loss
    const good = Math.floor(this.#good.dataSync()[0]! / this.#updatesPerStep);
    if (good < step - this.#begin) this.firstBadStep = this.#begin + good;
    initScope(() => tf.tidy(() => this.#good.assign(tf.scalar(0))));
  }
}
