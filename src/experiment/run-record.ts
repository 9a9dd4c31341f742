/** What happened in a run, for its result. */
import type { ControllerReporter, Output } from '../orbit/index.js';
import { completeResult, type RunResult } from './run-result.js';
import type { TrainingSpeed } from './trainer.js';

/** What the result tells beside what was heard of. */
export interface RunFacts extends Pick<RunResult, 'experiment' | 'mode' | 'global_step' | 'wall_seconds'> {
  /** How fast training went. */
  readonly speed: TrainingSpeed;
  /** Examples in one training step. */
  readonly samplesPerStep: number;
}

/** Listens to the controller of a run and keeps what the result tells. */
export class RunRecord {
  /** The checkpoint that the run began from, or null. */
  resumedFrom: string | null = null;
  /** Why training ended before its last step, or null. */
  stopped: string | null = null;
  #trainLogs: Output | null = null;
  #evalLogs: Output | null = null;

  /** What the controller tells of its work. */
  readonly listener: ControllerReporter = {
    stopped: ({ reason }) => void (this.stopped = reason),
    resumed: ({ path }) => void (this.resumedFrom = path),
    trainLoopEnd: ({ output }) => void (this.#trainLogs = output),
    evaluationEnd: ({ output }) => void (this.#evalLogs = output),
  };

  /** The numbers of the run at its end. */
  result({ experiment, mode, global_step, wall_seconds, speed, samplesPerStep }: RunFacts): RunResult {
    const { stepsPerSecond, secondsToFirstStep } = speed;
    return completeResult({
      ...{ experiment, mode, global_step, wall_seconds, resumed_from: this.resumedFrom, stopped: this.stopped },
      train_logs: this.#trainLogs,
      eval_logs: this.#evalLogs,
      steps_per_second: stepsPerSecond,
      samples_per_second: stepsPerSecond === null ? null : stepsPerSecond * samplesPerStep,
      seconds_to_first_step: secondsToFirstStep,
    });
  }
}
