/** Fine-tuning anew from every checkpoint of a pre-training that goes on elsewhere. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { cloneConfig, lockConfig } from '../config/index.js';
import { checkpointsIterator, readGlobalStep, removeCheckpoints } from '../checkpoint/index.js';
import { ConfigError, NotImplementedModeError } from '../errors.js';
import type { Output } from '../orbit/index.js';
import { eventFileWriter } from '../summary/index.js';
import type { ExperimentConfig } from './config.js';
import { isNested, leafToNumber } from './nested-logs.js';
import { getTask } from './registry.js';
import { writeJsonSummary } from './run-files.js';
import { runExperiment } from './run-experiment.js';
import type { RunnerOptions } from './runner-options.js';

/** Options of {@link runContinuousFinetune}. */
export interface ContinuousFinetuneOptions {
  /** Must be `continuous_train_and_eval`. */
  mode: string;
  /** The fine-tuning; `task.init_checkpoint` is the directory of the pre-training's checkpoints. */
  params: ExperimentConfig;
  /** Directory of the fine-tuning runs and their results. */
  modelDir: string;
  /** Return the last results. Default false. */
  runPostEval?: boolean;
  /** Step at which the pre-training ends: a timeout before it waits on. Default: a timeout ends the work. */
  pretrainSteps?: number | null;
  /** Further options of each run, such as a reporter or a signal. */
  run?: Partial<Omit<RunnerOptions, 'task' | 'mode' | 'params' | 'modelDir'>>;
  /** Seconds between two looks for the directory, of which there are 60. Default 60. */
  retrySeconds?: number;
  /** Shortest time between two checkpoints that are taken, in seconds. Default 10. */
  minIntervalSeconds?: number;
}

const RETRIES = 60;

/**
 * For each checkpoint that appears in `task.init_checkpoint`: fine-tunes from it in mode `train_and_eval`, evaluates, and writes the
 * results as `<modelDir>/metrics-<step>.json` and as summaries in `<modelDir>/eval` at the step of the pre-training. The checkpoints
 * of one fine-tuning are removed before the next. Waits `trainer.continuous_eval_timeout` seconds for a new checkpoint.
 *
 * @returns the last results with `runPostEval`, else an empty record
 * @throws NotImplementedModeError for another mode; ConfigError when the directory does not appear
 */
export async function runContinuousFinetune(options: ContinuousFinetuneOptions): Promise<Output> {
  const { mode, params, modelDir, runPostEval = false, pretrainSteps = null, minIntervalSeconds = 10 } = options;
  if (mode !== 'continuous_train_and_eval')
    throw new NotImplementedModeError(
      `runContinuousFinetune runs the mode continuous_train_and_eval, not "${mode}"; runExperiment runs the others.`,
    );
  const directory = params.task.init_checkpoint;
  const log = options.run?.log ?? ((line: string) => void process.stdout.write(`${line}\n`));
  const timeoutSeconds = params.trainer.continuous_eval_timeout;
  const patience = timeoutSeconds === null ? 'as long as it takes' : `up to ${timeoutSeconds} seconds`;
  await waitForDirectory(directory, options.retrySeconds ?? 60, log);
  log(`Fine-tuning from each checkpoint that appears in ${directory}; waiting ${patience} for the next.`);
  const writer = eventFileWriter(path.join(modelDir, 'eval'));
  let results: Output = {};
  let lastStep = 0;
  const watch = {
    minIntervalSeconds,
    timeoutSeconds,
    timeoutFn: () => {
      const isOver = pretrainSteps === null || lastStep >= pretrainSteps;
      const after = lastStep === 0 ? '' : ` after step ${lastStep}`;
      log(
        `No new checkpoint in ${timeoutSeconds} seconds${after}: ${isOver ? 'done' : `waiting on, the pre-training ends at step ${pretrainSteps}`}.`,
      );
      return isOver;
    },
  };
  try {
    for await (const checkpoint of checkpointsIterator(directory, watch)) {
      await removeCheckpoints(modelDir);
      lastStep = await readGlobalStep(checkpoint);
      log(`\nFine-tuning from ${checkpoint}, step ${lastStep} of the pre-training.`);
      results = await finetune(options, checkpoint, lastStep);
      await writeJsonSummary(modelDir, lastStep, results);
      log(`Results of step ${lastStep}: ${path.join(modelDir, `metrics-${lastStep}.json`)}`);
      const name = `${path.basename(modelDir)}_${params.task.name ?? 'null'}`;
      for (const [tag, value] of scalars(results, `${name}/`)) writer.scalar(tag, value, lastStep);
      await writer.flush();
      await removeCheckpoints(modelDir);
    }
  } finally {
    await writer.close();
  }
  return runPostEval ? results : {};
}

async function finetune({ params, modelDir, run }: ContinuousFinetuneOptions, checkpoint: string, step: number): Promise<Output> {
  const copy = cloneConfig(params);
  copy.task.init_checkpoint = checkpoint;
  const { best_checkpoint_export_subdir: subdir } = copy.trainer;
  if (subdir !== '') copy.trainer.best_checkpoint_export_subdir = `${subdir}_${step}`;
  lockConfig(copy);
  const task = getTask(copy.task, { loggingDir: modelDir });
  const { evalLogs } = await runExperiment({
    ...run,
    task,
    mode: 'train_and_eval',
    params: copy,
    modelDir,
    runPostEval: true,
    saveSummary: false,
  });
  return evalLogs;
}

async function waitForDirectory(directory: string, seconds: number, log: (line: string) => void): Promise<void> {
  const isThere = (): Promise<boolean> => stat(directory).then((s) => s.isDirectory(), () => false); // prettier-ignore
  for (let tries = 0; !(directory !== '' && (await isThere())); tries++) {
    if (directory === '' || tries === RETRIES)
      throw new ConfigError(
        `task.init_checkpoint: "${directory}" is no directory${directory === '' ? '' : ` after ${RETRIES} looks`}; continuous fine-tuning needs that of the pre-training's checkpoints.`,
        { path: 'task.init_checkpoint' },
      );
    if (tries === 0)
      log(`There is no directory ${directory} yet: waiting up to ${(RETRIES * seconds) / 60} minutes for the pre-training to make it.`);
    await sleep(seconds * 1000);
  }
}

/** Leaves that are one number, with nested names joined with `-`. */
function* scalars(results: Output, prefix: string): Generator<[string, number]> {
  for (const [key, value] of Object.entries(results)) {
    const name = prefix + key;
    if (isNested(value)) yield* scalars(value, `${name}-`);
    else {
      const number = leafToNumber(value);
      if (number !== null) yield [name, number];
    }
  }
}
