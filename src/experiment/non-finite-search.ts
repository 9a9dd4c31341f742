/** From "the loss is not a number" to the first tensor that is not: the steps are made again, the last ones under inspection. */
import type { NonFiniteValue } from '../function/index.js';
import type { Trainer } from './trainer.js';

/** What {@link searchNonFinite} needs. */
export interface SearchOptions {
  /** Makes its steps again. Its state is overwritten. */
  trainer: Trainer;
  /** Checkpoint to start from; null: the trainer is as at the start of the run. */
  from: string | null;
  /** Global step before the first bad step. */
  badStep: number;
  /** Told before the work begins. */
  log: (line: string) => void;
}

/**
 * Makes the steps from a checkpoint to the bad one again and inspects the bad one and the one before it, whose update may have
 * been what spoilt the variables.
 * @returns a sentence for an error message
 */
export async function searchNonFinite({ trainer, from, badStep, log }: SearchOptions): Promise<string> {
  if (from !== null) await trainer.checkpoint.restore(from);
  const start = trainer.globalStep.value;
  const origin = from === null ? 'the start of the run' : from;
  const firstInspected = Math.max(badStep - 1, start);
  log(`Looking for the first tensor that is not finite: making ${badStep + 1 - start} steps again from ${origin}.`);
  if (firstInspected > start) await trainer.train(firstInspected - start);
  while (trainer.globalStep.value <= badStep) {
    const step = trainer.globalStep.value + 1;
    const found: NonFiniteValue | null = await trainer.inspectStep();
    if (found !== null) return `The first tensor that is not finite, found by making step ${step} again: ${String(found)}.`;
  }
  return `Which tensor it was is not known: the same steps made again from ${origin} stayed finite. (After a roll-back or with data in another order the steps differ.)`;
}
