/** Divides a run of steps into epochs. */
import { UsageError } from '../errors.js';
import type { GlobalStep } from './types.js';

/** Tells when an epoch begins and ends, from the step counter alone. */
export class EpochHelper {
  readonly #epochSteps: number;
  readonly #globalStep: Pick<GlobalStep, 'value'>;
  #currentEpoch: number | null = null;
  #epochStartStep: number | null = null;
  #inEpoch = false;

  /**
   * @param epochSteps steps in one epoch, an integer from 1
   * @param globalStep counter to watch
   */
  constructor(epochSteps: number, globalStep: Pick<GlobalStep, 'value'>) {
    if (!Number.isInteger(epochSteps) || epochSteps < 1) {
      throw new UsageError(`\`epochSteps\` (${epochSteps}) must be a positive integer.`);
    }
    this.#epochSteps = epochSteps;
    this.#globalStep = globalStep;
  }

  /** Begins an epoch; false if one is under way. */
  epochBegin(): boolean {
    if (this.#inEpoch) return false;
    this.#epochStartStep = this.#globalStep.value;
    this.#currentEpoch = Math.floor(this.#epochStartStep / this.#epochSteps);
    this.#inEpoch = true;
    return true;
  }

  /** Ends the epoch if its steps are done; false if some are left. Outside an epoch: `UsageError`. */
  epochEnd(): boolean {
    if (!this.#inEpoch || this.#currentEpoch === null) {
      throw new UsageError('`epochEnd` was called outside an epoch: call `epochBegin` first.');
    }
    if (Math.floor(this.#globalStep.value / this.#epochSteps) <= this.#currentEpoch) return false;
    this.#inEpoch = false;
    return true;
  }

  /** Steps done since the epoch began. Before the first epoch: `UsageError`. */
  get batchIndex(): number {
    if (this.#epochStartStep === null) {
      throw new UsageError('`batchIndex` has no value before the first `epochBegin`.');
    }
    return this.#globalStep.value - this.#epochStartStep;
  }

  /** Number of the epoch under way or just ended, from 0; null before the first one. */
  get currentEpoch(): number | null {
    return this.#currentEpoch;
  }
}
