/** What happened in a run, for its result. */
import type { ControllerReporter, Output } from '../orbit/index.js';
import { experimentNameOf } from './registry.js';
import type { RunParts } from './run-ends.js';
import { completeResult, type RunResult } from './run-result.js';
import { samplesPerStep } from './samples.js';

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

  /**
   * The numbers of the run at its end.
   * @param experiment its name; null: the name that the config was registered under
   */
  result({ params, mode, trainer }: RunParts, experiment: string | null, wallSeconds: number): RunResult {
    const { stepsPerSecond, secondsToFirstStep } = trainer.speed;
    const samples = samplesPerStep(params);
    return completeResult({
      ...{ mode, global_step: trainer.globalStep.value, wall_seconds: wallSeconds },
      ...{ experiment: experiment ?? experimentNameOf(params), resumed_from: this.resumedFrom, stopped: this.stopped },
      train_logs: this.#trainLogs,
      eval_logs: this.#evalLogs,
      steps_per_second: stepsPerSecond,
      samples_per_second: stepsPerSecond === null || samples === 0 ? null : stepsPerSecond * samples,
      seconds_to_first_step: secondsToFirstStep,
    });
  }
}
