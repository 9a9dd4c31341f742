/** What becomes of the results of loops and evaluations: measured, told, written. */
import { UsageError } from '../errors.js';
import { takeTurn, turnDue } from './breathe.js';
import type { ControllerSummaries } from './controller-summaries.js';
import type { ControllerReporter } from './reporter.js';
import { monotonicSeconds, StepTimer } from './step-timer.js';
import type { GlobalStep, Output } from './types.js';

/** What {@link Results} work with. */
export interface ResultsParts {
  readonly globalStep: GlobalStep;
  readonly reporter: ControllerReporter;
  readonly summaries: ControllerSummaries;
  /** Examples in one training step; null: not known. */
  readonly samplesPerStep: number | null;
}

/** Measures loops and evaluations, tells the reporter of them and writes their summaries. */
export class Results {
  readonly #parts: ResultsParts;
  #stepTimer: StepTimer | null = null;

  constructor(parts: ResultsParts) {
    this.#parts = parts;
  }

  /** A training loop begins. The first one starts the clock, which then runs from loop to loop. */
  loopBegin(): void {
    this.#stepTimer ??= new StepTimer(this.#parts.globalStep);
  }

  /**
   * A trainer made its steps: did the counter count them?
   * @param before the step before the loop
   * @throws UsageError where it stands still, so that training would never end
   */
  checkStep(before: number, numSteps: number): void {
    const expected = before + numSteps;
    const now = this.#parts.globalStep.value;
    if (now === expected) return;
    if (now === before) {
      throw new UsageError(
        `\`trainer.train(${numSteps})\` left the global step at ${before}, so training would never end. The trainer counts its steps: ` +
          'call `globalStep.assignAdd(1)` in every step, on the counter that the controller was given.',
      );
    }
    this.#parts.reporter.warning?.(
      `\`trainer.train(${numSteps})\` did not update the global step by ${numSteps}: it was ${before}, should be ${expected}, but is ${now}.`,
    );
  }

  /** A training loop ended, and so did the actions after it. */
  async loopEnd(output: Output): Promise<void> {
    const { globalStep, reporter, summaries, samplesPerStep } = this.#parts;
    const stepsPerSecond = this.#stepTimer!.stepsPerSecond();
    const samplesPerSecond = samplesPerStep === null ? null : stepsPerSecond * samplesPerStep;
    reporter.trainLoopEnd?.({ step: globalStep.value, stepsPerSecond, samplesPerSecond, output });
    const samples = samplesPerSecond === null ? {} : { samples_per_second: samplesPerSecond };
    await summaries.writeTrain({ ...output, steps_per_second: stepsPerSecond, ...samples });
    if (turnDue()) await takeTurn();
  }

  /** An evaluation of `steps` steps begins. Returns what gives the seconds since then. */
  evaluationBegin(steps: number): () => number {
    this.#parts.reporter.evaluationStart?.({ step: this.#parts.globalStep.value, steps });
    const startSeconds = monotonicSeconds();
    return () => Math.max(monotonicSeconds() - startSeconds, 1e-9);
  }

  /** An evaluation ended, and so did the actions after it; its speed is added to the output where `steps` is a number of steps. */
  async evaluationEnd(output: Output, { steps, seconds }: { readonly steps: number; readonly seconds: number }): Promise<void> {
    const { globalStep, reporter, summaries } = this.#parts;
    const stepsPerSecond = steps > 0 ? steps / seconds : null;
    if (stepsPerSecond !== null) output.steps_per_second = stepsPerSecond;
    reporter.evaluationEnd?.({ step: globalStep.value, seconds, stepsPerSecond, output });
    await summaries.writeEval(output);
    if (turnDue()) await takeTurn();
  }
}
