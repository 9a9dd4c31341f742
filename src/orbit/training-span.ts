/** The span of one training: from its first loop to its last, over several calls of `train`. */
import type { ActionHooks } from './action.js';
import type { ControllerReporter } from './reporter.js';
import type { GlobalStep } from './types.js';

/** What a {@link TrainingSpan} works with. */
export interface TrainingSpanParts {
  readonly globalStep: GlobalStep;
  readonly reporter: ControllerReporter;
  readonly hooks: ActionHooks;
}

/** Calls the hooks around a training, and remembers that it is to end. */
export class TrainingSpan {
  readonly #parts: TrainingSpanParts;
  #isRunning = false;
  #stopReason: string | null = null;

  constructor(parts: TrainingSpanParts) {
    this.#parts = parts;
  }

  /** Why the training that runs is to end, or why the last one ended before its last step; null: it is not, or did not. */
  get stopReason(): string | null {
    return this.#stopReason;
  }

  /** Ends the training that runs. Nothing happens when none runs; the first reason given counts. */
  stop(reason: string): void {
    if (!this.#isRunning || this.#stopReason !== null) return;
    this.#stopReason = reason;
    this.#parts.reporter.stopped?.({ step: this.#parts.globalStep.value, reason });
  }

  /** Runs the body as training, with its hooks around the outermost one. */
  async run(body: () => Promise<void>): Promise<void> {
    if (this.#isRunning) return body();
    const { hooks, reporter } = this.#parts;
    this.#isRunning = true;
    this.#stopReason = null;
    try {
      await hooks.trainBegin();
      await body();
    } catch (error) {
      await hooks.trainEnd(error).catch((failure: unknown) => reporter.warning?.(`An action failed after an error: ${String(failure)}`));
      throw error;
    } finally {
      this.#isRunning = false;
    }
    await hooks.trainEnd(null);
  }
}
