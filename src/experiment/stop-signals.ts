/** All that may end a training before its last step: the caller, a file that announces the machine's end, the time allowed. */
import type { TrainerConfig } from './config.js';
import { PreemptionFile } from './preemption-file.js';
import { TrainingStopped } from './stop.js';

const TIME_IS_UP = 'max_wall_seconds';

/** One signal for the trainer, made of several. */
export class StopSignals {
  readonly signal: AbortSignal;
  readonly #file: PreemptionFile | null;
  readonly #time = new AbortController();
  readonly #maxSeconds: number | null;
  #timer: NodeJS.Timeout | undefined;

  /** @param callers the signal that the run was given, if any */
  constructor(callers: AbortSignal | null, { preemption_file: file, max_wall_seconds: maxSeconds }: TrainerConfig) {
    this.#file = file === '' ? null : new PreemptionFile(file);
    this.#maxSeconds = maxSeconds;
    this.signal = AbortSignal.any([...(callers ? [callers] : []), ...(this.#file ? [this.#file.signal] : []), this.#time.signal]);
  }

  /** The time allowed begins now. */
  startClock(): void {
    if (this.#maxSeconds === null || this.#timer !== undefined) return;
    // Node's timers hold at most 2³¹ − 1 milliseconds.
    this.#timer = setTimeout(() => this.#time.abort(TIME_IS_UP), Math.min(this.#maxSeconds * 1000, 2 ** 31 - 1)).unref();
  }

  /** Looks and counts no more. */
  close(): void {
    clearTimeout(this.#timer);
    this.#file?.close();
  }
}

/** Why a training ended that used up its time, or null for any other error: this is no failure. */
export function timeIsUp(error: unknown, { max_wall_seconds: seconds }: TrainerConfig): string | null {
  if (!(error instanceof TrainingStopped) || error.reason !== TIME_IS_UP) return null;
  return `trainer.max_wall_seconds: ${seconds} seconds are over at step ${error.step}`;
}
