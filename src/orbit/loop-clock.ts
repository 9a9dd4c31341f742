/** Where a run is within its loops, so that one that was stopped anywhere goes on with the same loops and evaluations. */
import { UsageError } from '../errors.js';

/** What a checkpoint keeps of a {@link LoopClock}. */
export type LoopClockState = { loop_end: number | null; evaluation_at: number | null };

/**
 * Remembers at which steps the inner loop and the segment between two evaluations end. Put it into the checkpoint and give it
 * to the controller: a run stopped at step 130 of a loop from 100 to 200 then ends that loop at 200 (not at 230), and one stopped
 * between a checkpoint and the evaluation of the same step makes up for that evaluation.
 */
export class LoopClock {
  /** Step at which the inner loop under way ends; null between two loops. */
  loopEnd: number | null = null;
  /** Step of the next evaluation of `trainAndEvaluate`; null if none is planned. */
  evaluationAt: number | null = null;

  /** The state to save. */
  stateDict(): LoopClockState {
    return { loop_end: this.loopEnd, evaluation_at: this.evaluationAt };
  }

  /** Takes over a saved state. */
  loadStateDict(state: { readonly loop_end?: unknown; readonly evaluation_at?: unknown }): void {
    this.loopEnd = stepOrNull(state.loop_end);
    this.evaluationAt = stepOrNull(state.evaluation_at);
  }

  /** End of the next inner loop: that of the loop under way, else `length` steps from `step`; at most `target`. */
  nextLoopEnd(step: number, length: number, target: number): number {
    const end = this.loopEnd !== null && this.loopEnd > step ? this.loopEnd : step + length;
    return (this.loopEnd = Math.min(end, target));
  }

  /** Step of the next evaluation: the planned one, else `interval` steps from `step`; at most `target`. */
  nextEvaluation(step: number, interval: number, target: number): number {
    const at = this.evaluationAt !== null && this.evaluationAt >= step ? this.evaluationAt : step + interval;
    return (this.evaluationAt = Math.min(at, target));
  }
}

function stepOrNull(value: unknown): number | null {
  if (value === null || (Number.isSafeInteger(value) && (value as number) >= 0)) return value as number | null;
  throw new UsageError(`A step of the loop clock must be an integer from 0 or null, got ${String(value)}.`);
}
