import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { summary } from '../function/index.js';
import { readEvents } from '../summary/index.js';
import { experimentConfig, runExperiment } from './index.js';
import type { ExperimentConfig } from './index.js';
import { fixedRows, ToyTask, toyTask } from './toy-task.testing.js';

let modelDir: string;
beforeEach(() => {
  modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-step-summaries-'));
  ToyTask.inputs = fixedRows(20);
});
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

class WatchedTask extends ToyTask {
  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor, auxLosses?: tf.Scalar[]): tf.Tensor {
    summary.scalar('largest_output', tf.max(tf.abs(outputs)));
    return super.buildLosses(labels, outputs, auxLosses);
  }
}

it('a summary recorded inside the training step lands in the event file at multiples of summary_interval', async () => {
  const params = experimentConfig({
    task: toyTask({
      train_data: { is_training: true, global_batch_size: 4 },
      validation_data: { is_training: false, global_batch_size: 4 },
    }),
    trainer: {
      ...{ train_steps: 12, steps_per_loop: 2, summary_interval: 4, checkpoint_interval: 12, validation_interval: 12 },
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.05 } } },
    },
  }) as ExperimentConfig;
  await runExperiment({ task: new WatchedTask(params.task as never), mode: 'train', params, modelDir, reporter: {}, log: () => {} });
  const [file] = readdirSync(path.join(modelDir, 'train'));
  const events = await readEvents(path.join(modelDir, 'train', file!));
  const inside = events.filter((e) => e.values.some((v) => v.tag === 'largest_output'));
  expect(inside.map((e) => Number(e.step))).toEqual([0, 4, 8]);
});
