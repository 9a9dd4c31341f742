/** How long inner loops are, and at which steps evaluations follow. */
import { type ControllerOptions, requireStepsPerLoop } from './controller-options.js';
import type { LoopClock } from './loop-clock.js';
import type { GlobalStep } from './types.js';

/** Reckons from the global step, and from a clock, if there is one, that remembers interrupted loops. */
export class LoopLengths {
  constructor(
    private readonly globalStep: GlobalStep,
    private readonly option: NonNullable<ControllerOptions['stepsPerLoop']>,
    private readonly clock: LoopClock | null,
  ) {}

  /** Steps of a loop that begins now. */
  stepsPerLoop(): number {
    return typeof this.option === 'number' ? this.option : requireStepsPerLoop(this.option(this.globalStep.value));
  }

  /** Steps of the loop that begins now, of `length` steps, on the way to the step `target`. */
  nextLoop(target: number, length: number): number {
    const step = this.globalStep.value;
    return (this.clock?.nextLoopEnd(step, length, target) ?? Math.min(step + length, target)) - step;
  }

  /** The loop has ended. */
  loopEnded(): void {
    if (this.clock) this.clock.loopEnd = null;
  }

  /** The step of the next evaluation. */
  nextEvaluation(interval: number, trainSteps: number): number {
    const step = this.globalStep.value;
    return this.clock?.nextEvaluation(step, interval, trainSteps) ?? Math.min(step + interval, trainSteps);
  }

  /** Whether an evaluation at this very step was interrupted. */
  isEvaluationDue(): boolean {
    return this.clock?.evaluationAt === this.globalStep.value;
  }

  /** The evaluation has been made. */
  evaluated(): void {
    if (this.clock) this.clock.evaluationAt = null;
  }
}
