/** Chooses between blocking for a step and waiting for it. */
import type * as tf from '#tf';
import { LONG_STEP_MS } from '../function/index.js';
import type { CompiledStep } from './compile-step.js';

/** So many long steps in a row make a step a long one: the first one compiles. */
const STEPS_TO_DECIDE = 3;

/** Runs a step whose results are not needed: short steps block, long ones are waited for. */
export class StepRunner<A extends unknown[]> {
  readonly #step: CompiledStep<A, unknown>;
  #longSteps = 0;

  constructor(step: CompiledStep<A, unknown>) {
    this.#step = step;
  }

  /** The variables that the step assigns, as far as it was called. */
  get assignedVariables(): readonly tf.Variable[] {
    return this.#step.assignedVariables;
  }

  /** Gives the native memory of the step back. */
  dispose(): void {
    this.#step.dispose();
  }

  /** Runs the step. Returns nothing when it is done, or a promise of that. */
  run(...args: A): Promise<unknown> | undefined {
    if (this.#longSteps >= STEPS_TO_DECIDE) return this.#step(...args);
    const begin = performance.now();
    this.#step.runSync(...args);
    this.#longSteps = performance.now() - begin > LONG_STEP_MS ? this.#longSteps + 1 : 0;
    return undefined;
  }
}
