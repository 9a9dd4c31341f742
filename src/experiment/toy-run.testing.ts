/** Short runs of the toy task in a directory that goes with the test. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import type * as tf from '#tf';
import { afterEach, beforeEach } from 'vitest';
import { experimentConfig, getTask, OrbitExperimentRunner } from './index.js';
import type { ExperimentConfig, RunnerOptions, Trainer } from './index.js';
import { fixedRows, ToyTask, toyTask } from './toy-task.testing.js';

/** The directory of the test that runs. */
export const run = { modelDir: '' };

/** Makes and removes the directory around each test of the file, and gives the toy task its rows. */
export function useToyRuns(trainRows = 22): void {
  beforeEach(() => {
    run.modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-toy-run-'));
    ToyTask.inputs = fixedRows(trainRows);
  });
  afterEach(() => rmSync(run.modelDir, { recursive: true, force: true }));
}

/** Twelve steps in loops of three with a checkpoint each, evaluated every six. */
export function toyParams(trainer: object = {}, task: object = {}): ExperimentConfig {
  return experimentConfig({
    task: toyTask({
      train_data: { is_training: true, global_batch_size: 4, shuffle_buffer_size: 16 },
      validation_data: { is_training: false, global_batch_size: 4, drop_remainder: false },
      ...task,
    }),
    trainer: {
      ...{ train_steps: 12, steps_per_loop: 3, summary_interval: 3, checkpoint_interval: 3, validation_interval: 6 },
      optimizer_config: { optimizer: { type: 'adam' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.05 } } },
      ...trainer,
    },
  }) as ExperimentConfig;
}

/** A runner that says nothing and writes no summaries. */
export function toyRunner(
  params: ExperimentConfig,
  more: Partial<RunnerOptions> = {},
  Runner = OrbitExperimentRunner,
): OrbitExperimentRunner {
  const quiet = { modelDir: run.modelDir, reporter: {}, log: () => {}, saveSummary: false };
  return new Runner({ task: getTask(params.task), mode: 'train', params, ...quiet, ...more });
}

/** The values of all weights. */
export const weightsOf = (trainer: Trainer): number[][] => (trainer.model as tf.LayersModel).getWeights().map((w) => [...w.dataSync()]);
