/** Measures how fast training goes. */

/** How fast training went, first step aside (it traces and compiles). */
export interface TrainingSpeed {
  /** Steps made by this trainer. */
  readonly steps: number;
  /** Steps per second inside the training loops after the first step; null before the second. */
  readonly stepsPerSecond: number | null;
  /** Seconds from the start of the process to the end of the first step; null before it. */
  readonly secondsToFirstStep: number | null;
}

/** Counts steps and the time inside training loops: what happens between loops is not the speed of training. */
export class TrainingClock {
  readonly #now: () => number;
  #steps = 0;
  #countedSteps = 0;
  #countedMilliseconds = 0;
  #begin = 0;
  #stepsAtBegin = 0;
  #firstStepAt: number | null = null;

  /** @param now milliseconds since the start of the process */
  constructor(now: () => number = () => performance.now()) {
    this.#now = now;
  }

  /** A training loop begins. */
  beginLoop(): void {
    this.#begin = this.#now();
    this.#stepsAtBegin = this.#steps;
  }

  /** A step is done. @returns whether it was the first */
  stepDone(): boolean {
    if (this.#steps++ > 0) return false;
    this.#firstStepAt = this.#begin = this.#now(); // the first step traces and compiles: it does not count as speed
    this.#stepsAtBegin = 1;
    return true;
  }

  /** A training loop ends, or was left by an error. */
  endLoop(): void {
    this.#countedMilliseconds += this.#now() - this.#begin;
    this.#countedSteps += this.#steps - this.#stepsAtBegin;
  }

  /** What was measured up to the end of the last loop. */
  get speed(): TrainingSpeed {
    const isMeasured = this.#countedSteps > 0 && this.#countedMilliseconds > 0;
    return {
      steps: this.#steps,
      stepsPerSecond: isMeasured ? (this.#countedSteps / this.#countedMilliseconds) * 1000 : null,
      secondsToFirstStep: this.#firstStepAt === null ? null : this.#firstStepAt / 1000,
    };
  }
}
