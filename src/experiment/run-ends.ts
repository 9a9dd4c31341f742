/** What a run does before its first step and after its last one, or after an error. */
import type { Controller, Output } from '../orbit/index.js';
import { savesAfter } from './checkpoint-policies.js';
import type { ExperimentConfig } from './config.js';
import type { RunLines } from './run-lines.js';
import type { RunRecord } from './run-record.js';
import { TrainingStopped } from './stop.js';
import { timeIsUp } from './stop-signals.js';
import type { Trainer } from './trainer.js';

/** The parts of a run. */
export interface RunParts extends RunLines {
  readonly params: ExperimentConfig;
  readonly mode: string;
  readonly trainer: Trainer;
  readonly controller: Controller;
  /** Whether a final evaluation was asked for. */
  readonly runPostEval: boolean;
}

/**
 * Runs the mode and then the final evaluation, whose results it returns; a training whose time is up ends as one that is
 * finished.
 * @param runMode does what the mode says
 * @param record is told why training stopped
 */
export async function runToEnd(parts: RunParts, runMode: () => Promise<void>, record: RunRecord): Promise<Output> {
  try {
    await beforeTraining(parts);
    await runMode();
    return await postEvaluation(parts);
  } catch (error) {
    const reason = timeIsUp(error, parts.params.trainer);
    if (reason === null) throw error;
    record.stopped = reason;
    parts.log(`Training stopped: ${reason}. The same command goes on from there.`);
    await saveLast(parts, error);
    return {};
  }
}

/** A line for a run that has nothing left to do, and for an evaluation of a model as it was made; none for any other. */
export function openingLines({ params, mode, trainer, controller }: RunParts, resumedFrom: string | null): string[] {
  const { train_steps: steps } = params.trainer;
  const step = trainer.globalStep.value;
  if (mode === 'eval' && resumedFrom === null && controller.checkpointManager !== null && params.task.init_checkpoint === '')
    return ['Note: the model directory has no checkpoint: the model is evaluated as it was initialised.'];
  if (!mode.includes('train') || resumedFrom === null || step < steps) return [];
  return [
    `This run is finished: ${resumedFrom} is at step ${step} of ${steps}. To train on, raise trainer.train_steps; to start afresh, choose another model directory.`,
  ];
}

/** Tries the evaluation, and evaluates before the first step, where the config asks for it. */
async function beforeTraining({ params, mode, trainer, controller, runPostEval }: RunParts): Promise<void> {
  const { sanity_check_batches: batches, eval_at_start: evaluates, validation_steps } = params.trainer;
  if (!mode.includes('train') || !(mode.includes('eval') || runPostEval)) return;
  if (batches > 0) await trainer.rehearseEvaluation(batches);
  if (evaluates && mode === 'train_and_eval' && trainer.globalStep.value === 0) await controller.evaluate(validation_steps);
}

/** The final evaluation; empty where none was asked for. */
async function postEvaluation({ params, mode, controller, runPostEval }: RunParts): Promise<Output> {
  return runPostEval || mode === 'train_and_post_eval' ? controller.evaluate(params.trainer.validation_steps) : {};
}

/** Saves once more after what ended the run, unless there is nothing worth saving. */
async function saveLast({ params, mode, trainer, controller, warn }: RunParts, error: unknown): Promise<void> {
  if (!mode.includes('train') || !savesAfter(error, params.trainer)) return;
  if (await trainer.isFinite()) await controller.saveCheckpoint();
  else warn('Nothing more is saved: variables of the model are no finite numbers.');
}

/**
 * Saves and closes after an error and returns what is to be thrown: the error itself, whatever else fails. Only a stop whose
 * checkpoint could not be saved is told by that failure.
 */
export async function afterError(parts: RunParts, error: unknown): Promise<unknown> {
  const failures: unknown[] = [];
  await saveLast(parts, error).catch((failure: unknown) => failures.push(failure));
  await parts.controller.close().catch((failure: unknown) => failures.push(failure));
  const [first] = failures.filter((failure) => failure !== error);
  if (first === undefined) return error;
  if (error instanceof TrainingStopped && first instanceof Error) {
    first.cause ??= error;
    return first;
  }
  parts.warn(`After this error the run could not be closed properly: ${first instanceof Error ? first.message : String(first)}`);
  return error;
}
