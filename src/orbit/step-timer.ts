/** Measures the speed of training. */
import type { GlobalStep } from './types.js';

/** Monotonic time in seconds. */
export type ClockSeconds = () => number;

/** The process's monotonic clock. */
export const monotonicSeconds: ClockSeconds = () => performance.now() / 1000;

/** Below this a measured time is noise of the clock; it keeps a rate from becoming infinite or NaN. */
const SHORTEST_SECONDS = 1e-9;

/** Steps per second between two moments. The clock starts when the timer is made. */
export class StepTimer {
  readonly #step: Pick<GlobalStep, 'value'>;
  readonly #clock: ClockSeconds;
  #startStep = 0;
  #startSeconds = 0;

  /**
   * @param step counter to watch
   * @param clock time source; default the process's monotonic clock
   */
  constructor(step: Pick<GlobalStep, 'value'>, clock: ClockSeconds = monotonicSeconds) {
    this.#step = step;
    this.#clock = clock;
    this.start();
  }

  /** Measures from now on. */
  start(): void {
    this.#startStep = this.#step.value;
    this.#startSeconds = this.#clock();
  }

  /**
   * Steps per second since the last start; not positive if the counter went back.
   * @param restart measure from now on. Default true.
   */
  stepsPerSecond(restart = true): number {
    const steps = this.#step.value - this.#startStep;
    const seconds = Math.max(this.#clock() - this.#startSeconds, SHORTEST_SECONDS);
    if (restart) this.start();
    return steps / seconds;
  }
}
