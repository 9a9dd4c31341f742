import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { lockDirectory } from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import { experimentConfig, getTask, OrbitExperimentRunner, runExperiment } from './index.js';
import type { ExperimentConfig, RunnerOptions } from './index.js';
import { fixedRows, ToyTask, toyTask } from './toy-task.testing.js';

let modelDir: string;
beforeEach(() => {
  modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-lock-'));
  ToyTask.inputs = fixedRows(8);
});
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

function options(mode: string, more: Partial<RunnerOptions> = {}): RunnerOptions {
  const params = experimentConfig({
    task: toyTask({
      train_data: { is_training: true, global_batch_size: 4 },
      validation_data: { is_training: false, global_batch_size: 4 },
    }),
    trainer: {
      train_steps: 2,
      steps_per_loop: 1,
      checkpoint_interval: 1,
      continuous_eval_timeout: 0,
      optimizer_config: {
        optimizer: { type: 'sgd' },
        learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } },
      },
    },
  }) as ExperimentConfig;
  return { task: getTask(params.task), mode, params, modelDir, reporter: {}, log: () => {}, saveSummary: false, ...more };
}

const free = async (): Promise<void> => (await lockDirectory(modelDir)).release();

describe('the model directory', () => {
  it('is locked while a run trains, and free and without a lock file afterwards', async () => {
    let refused = false;
    const whileTraining = async (): Promise<void> => {
      await expect(lockDirectory(modelDir)).rejects.toThrow(CheckpointError);
      refused = true;
    };
    await runExperiment(options('train', { trainActions: [whileTraining] }));
    expect(refused).toBe(true);
    expect(readdirSync(modelDir).filter((name) => name.startsWith('.'))).toEqual([]);
    await free();
  });

  it.each(['train', 'train_and_eval', 'train_and_post_eval'])('of another writer is not touched by mode %s', async (mode) => {
    const lock = await lockDirectory(modelDir);
    await expect(runExperiment(options(mode))).rejects.toThrow(/is in use: .* or choose another directory/);
    expect(existsSync(path.join(modelDir, 'params.yaml'))).toBe(false);
    lock.release();
    await runExperiment(options(mode));
  });

  it.each(['eval', 'continuous_eval'])('can be evaluated with mode %s while another run trains', async (mode) => {
    await runExperiment(options('train'));
    const lock = await lockDirectory(modelDir);
    await runExperiment(options(mode));
    expect(JSON.parse(readFileSync(path.join(modelDir, `result.${mode}.json`), 'utf8'))).toMatchObject({ global_step: 2 });
    lock.release();
  });

  it('is free after a run that failed, at its start or later', async () => {
    const fail = (): never => {
      throw new Error('of the user');
    };
    await expect(runExperiment(options('train', { trainActions: [fail] }))).rejects.toThrow('of the user');
    await free();
    class Broken extends OrbitExperimentRunner {
      protected override buildTrainer(): never {
        return fail();
      }
    }
    await expect(new Broken(options('train')).run()).rejects.toThrow('of the user');
    await free();
  });

  it('is free after a checkpoint that could not be written in the background, which ends the run', async () => {
    const stateFile = path.join(modelDir, 'checkpoint');
    const spoil = async (): Promise<void> => {
      await runner.checkpointManager!.sync();
      rmSync(stateFile, { recursive: true, force: true });
      mkdirSync(stateFile); // in the way of the file
    };
    const runner = new OrbitExperimentRunner(options('train', { enableAsyncCheckpointing: true, trainActions: [spoil] }));
    const run = runner.run();
    await expect(run).rejects.toThrow(CheckpointError);
    await expect(run).rejects.toThrow(/^Cannot write ".*checkpoint": it is a directory/);
    await free();
  });

  it('belongs to a runner from build() to close() or the end of each run()', async () => {
    const runner = new OrbitExperimentRunner(options('train'));
    await runner.build();
    await expect(free()).rejects.toThrow(CheckpointError);
    await runner.close();
    await free();
    await runner.run();
    await free();
  });
});
