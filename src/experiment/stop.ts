/** Asking a training loop to stop at the next step boundary. */
import { OrbitError } from '../errors.js';

/** Thrown out of a training loop that was asked to stop; everything up to the last step is in place and can be saved. */
export class TrainingStopped extends OrbitError {
  override name = 'TrainingStopped';
  /** Why: what the `AbortSignal` was aborted with, such as the name of a process signal. */
  readonly reason: unknown;
  /** Global step reached. */
  readonly step: number;

  constructor(step: number, reason: unknown) {
    super(`Training stopped at step ${step}${typeof reason === 'string' ? ` (${reason})` : ''}.`);
    this.step = step;
    this.reason = reason;
  }
}
