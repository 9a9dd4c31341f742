/** The counter of training steps. */
import { UsageError } from '../errors.js';
import type { GlobalStep } from './types.js';

/** What a checkpoint keeps of a step counter. */
export type GlobalStepState = { value: number };

class HostCounter implements GlobalStep {
  #value = 0;

  get value(): number {
    return this.#value;
  }

  assign(value: number): void {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new UsageError(`The global step must be an integer from 0, got ${value}.`);
    }
    this.#value = value;
  }

  assignAdd(delta: number): void {
    this.assign(this.#value + delta);
  }

  stateDict(): GlobalStepState {
    return { value: this.#value };
  }

  loadStateDict(state: GlobalStepState): void {
    this.assign(state.value);
  }
}

/** A step counter that a checkpoint can save and restore. */
export interface SavableGlobalStep extends GlobalStep {
  /** The state to save. */
  stateDict(): GlobalStepState;
  /** Takes over a saved state. */
  loadStateDict(state: GlobalStepState): void;
}

/** Makes a step counter that starts at 0. It lives in memory of the host, so reading it costs nothing. */
export function createGlobalStep(): SavableGlobalStep {
  return new HostCounter();
}

/** Whether `value` can serve as a step counter. */
export function isGlobalStep(value: unknown): value is GlobalStep {
  if (typeof value !== 'object' || value === null) return false;
  const step = value as Partial<GlobalStep>;
  return typeof step.value === 'number' && typeof step.assign === 'function' && typeof step.assignAdd === 'function';
}
