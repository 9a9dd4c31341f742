/** What the trainer's config says about checkpoints, and what a run remembers of them. */
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoint, compareCheckpoints, readMetadata, type StateDict } from '../checkpoint/index.js';
import type { Output } from '../orbit/index.js';
import { hasPermissions, inUnwritableDirectory } from '../checkpoint/unwritable.testing.js';
import { CheckpointError, ConfigError, TrainingError } from '../errors.js';
import { batchesPerEpoch, retention, saveTrigger } from './checkpoint-policies.js';
import {
  experimentConfig,
  getTask,
  OrbitExperimentRunner,
  runExperiment,
  type ExperimentConfig,
  type RunnerOptions,
  type TrainerConfigInput,
} from './index.js';
import { fixedRows, ToyTask, toyTask } from './toy-task.testing.js';

let modelDir: string;
beforeEach(() => {
  modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-checkpointing-'));
  ToyTask.inputs = fixedRows(8);
});
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

function options(trainer: TrainerConfigInput, more: Partial<RunnerOptions> = {}): RunnerOptions {
  const params = experimentConfig({
    task: toyTask({
      train_data: { is_training: true, global_batch_size: 4 },
      validation_data: { is_training: false, global_batch_size: 4 },
    }),
    trainer: {
      train_steps: 8,
      steps_per_loop: 1,
      checkpoint_interval: 100,
      max_to_keep: 1,
      recovery_max_trials: -1,
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.01 } } },
      ...trainer,
    },
    runtime: { run_eagerly: true },
  }) as ExperimentConfig;
  return { task: getTask(params.task), mode: 'train', params, modelDir, reporter: {}, log: () => {}, saveSummary: false, ...more };
}
const saved = (): string[] => readdirSync(modelDir).filter((n) => /^ckpt-\d+$/.test(n)).sort(); // prettier-ignore

describe('when a run saves', () => {
  it('is after every so many epochs, if asked', async () => {
    const steps: number[] = [];
    await runExperiment(
      options({ checkpoint_interval_epochs: 2, train_steps: 9 }, { reporter: { checkpointSaved: ({ step }) => void steps.push(step) } }),
    );
    expect(steps).toEqual([1, 4, 8, 9]); // the first loop's end as always; an epoch has 2 batches; the end
  });

  it('is after every so many seconds, if asked', async () => {
    const steps: number[] = [];
    const wait = () => new Promise((resolve) => setTimeout(resolve, 30));
    const config = { checkpoint_interval_seconds: 0.02, train_steps: 4 };
    await runExperiment(options(config, { trainActions: [wait], reporter: { checkpointSaved: ({ step }) => void steps.push(step) } }));
    expect(steps).toEqual([1, 2, 3, 4]);
  });

  it('is also when it fails, if asked, but never after a blown-up loss', async () => {
    const failAt = (error: Error) => () => {
      if (runner.trainer.globalStep.value === 3) throw error;
    };
    for (const [isAsked, error, expected] of [
      [true, new Error('of the user'), ['ckpt-3']],
      [false, new Error('of the user'), ['ckpt-1']],
      [true, new TrainingError('NaN'), ['ckpt-1']],
    ] as const) {
      rmSync(modelDir, { recursive: true, force: true });
      runner = new OrbitExperimentRunner(options({ checkpoint_on_exception: isAsked }, { trainActions: [failAt(error)] }));
      await expect(runner.run()).rejects.toThrow(error.message);
      expect(saved()).toEqual(expected);
    }
  });
  let runner: OrbitExperimentRunner;

  it('cannot be counted in epochs of unknown length', () => {
    const { trainer } = options({ checkpoint_interval_epochs: 1 }).params;
    expect(() => saveTrigger(trainer, null)).toThrow(ConfigError);
    expect([batchesPerEpoch(function* () {}), batchesPerEpoch([1])]).toEqual([null, null]);
  });
});

describe('what a run keeps', () => {
  it('is the newest, every n steps and the best by a metric of the evaluations', async () => {
    const { params, ...rest } = options({ checkpoint_interval: 1, validation_interval: 1, keep_checkpoint_every_n_steps: 5, keep_best_checkpoints: 1, best_checkpoint_eval_metric: 'mae', best_checkpoint_metric_comp: 'higher' }); // prettier-ignore
    await runExperiment({ ...rest, params, mode: 'train_and_eval' });
    expect(saved()).toEqual(['ckpt-1', 'ckpt-5', 'ckpt-8']); // the error falls: the first one is the "best" here
    expect(readFileSync(path.join(modelDir, 'checkpoint'), 'utf8')).toContain('all_model_checkpoint_metrics: "{\\"mae\\":');
  });

  it('is as in the original without those fields, and needs a metric for the best', () => {
    expect(retention(options({ max_to_keep: 4 }).params.trainer)).toEqual({ maxToKeep: 4 });
    expect(() => retention(options({ keep_best_checkpoints: 2 }).params.trainer)).toThrow(/best_checkpoint_eval_metric/);
  });
});

describe('the best checkpoint', () => {
  const config = {
    validation_interval: 1,
    checkpoint_interval: 1,
    best_checkpoint_export_subdir: 'best',
    best_checkpoint_eval_metric: 'mae',
    best_checkpoint_metric_comp: 'lower' as const,
  };

  it('holds its values itself, and info.json is put right when a process died between the two', async () => {
    await runExperiment({ ...options({ ...config, train_steps: 3 }), mode: 'train_and_eval' });
    const info = path.join(modelDir, 'best', 'info.json');
    const written = readFileSync(info, 'utf8');
    const newest = readdirSync(path.join(modelDir, 'best')).find((n) => n.startsWith('best_ckpt-'))!;
    expect((await readMetadata(path.join(modelDir, 'best', newest)))!['best']).toEqual(JSON.parse(written));
    writeFileSync(info, JSON.stringify({ mae: 99, best_ckpt_global_step: 1 }));
    await runExperiment({ ...options({ ...config, train_steps: 3 }), mode: 'train_and_eval' });
    expect(readFileSync(info, 'utf8')).toBe(written);
  });
});

describe('state of actions', () => {
  it('is saved and restored with the run', async () => {
    class Counting {
      count = 0;
      run() { this.count += 1; }
      stateDict() { return { count: this.count }; }
      loadStateDict(state: StateDict) { this.count = Number(state['count']); }
    } // prettier-ignore
    const [first, second] = [new Counting(), new Counting()];
    await runExperiment(options({ train_steps: 3 }, { trainActions: [first] }));
    await runExperiment(options({ train_steps: 5 }, { trainActions: [second] }));
    expect([first.count, second.count]).toEqual([3, 5]);
  });

  it('may be new: a run goes on from a checkpoint that lacks it, and from one of an older version', async () => {
    await runExperiment(options({ train_steps: 2 }));
    const runner = new OrbitExperimentRunner(options({ train_steps: 3 }));
    await runner.build();
    const { model, optimizer, global_step, random_state, train_iterator, train_metrics } = runner.trainer.checkpoint.items;
    await runner.close();
    const older = new Checkpoint({ model, optimizer, global_step, random_state, train_iterator, train_metrics });
    await older.write(path.join(modelDir, 'ckpt-2'));
    await runExperiment(options({ train_steps: 3 }));
    expect(saved()).toEqual(['ckpt-3']);
  });
});

describe('blow-ups', () => {
  it('are remembered when the process dies after a roll-back, and count after the restart', async () => {
    const blowUp = { recovery_max_trials: 1, loss_upper_bound: 1e-12, recovery_begin_steps: 2, checkpoint_interval: 1 };
    const die = async (): Promise<void> => {
      if (existsSync(path.join(modelDir, '.orbit-recovery.json'))) throw new Error('killed');
    };
    await expect(runExperiment(options(blowUp, { trainActions: [die] }))).rejects.toThrow('killed');
    expect(JSON.parse(readFileSync(path.join(modelDir, '.orbit-recovery.json'), 'utf8'))).toMatchObject({ trials: 1 });
    await expect(runExperiment(options(blowUp))).rejects.toThrow(/blow-up number 2 with trainer.recovery_max_trials 1/);
  });

  it.each(['continue', 'rewind'] as const)(
    'leave no trace of a kill after the roll-back, with recovery_data: %s',
    async (recovery_data) => {
      const trainer = { recovery_max_trials: 1, recovery_data, checkpoint_interval: 4, train_steps: 12 };
      /** Blows up at step 8, where the last checkpoint is that of step 4 or 5; dies two steps after the roll-back if told to. */
      const run = (dir: string, dies: boolean): Promise<unknown> => {
        const record = path.join(dir, '.orbit-recovery.json');
        let isBlown = existsSync(record);
        let stepsLeft = 2;
        const act = (output: Output): void => {
          if (isBlown && dies && stepsLeft-- === 0) throw new Error('killed');
          if (isBlown || runner.trainer.globalStep.value !== 8) return;
          isBlown = true;
          output['training_loss'] = Infinity;
        };
        const { params, ...rest } = options(trainer, { trainActions: [act], modelDir: dir });
        (params.task as unknown as { model: { dropout: number } }).model.dropout = 0.5;
        const runner = new OrbitExperimentRunner({ ...rest, params, task: getTask(params.task) });
        return runner.run();
      };
      const [whole, killed] = [path.join(modelDir, 'whole'), path.join(modelDir, 'killed')];
      await run(whole, false);
      await expect(run(killed, true)).rejects.toThrow('killed');
      await run(killed, false);
      const { tensors, values } = await compareCheckpoints(path.join(whole, 'ckpt-12'), path.join(killed, 'ckpt-12'));
      expect([tensors, values]).toEqual([[], []]);
    },
  );
});

describe('a directory that cannot be written', () => {
  it.skipIf(!hasPermissions)('is a clear error in modes that train, before anything is built', () =>
    inUnwritableDirectory((directory) =>
      expect(runExperiment(options({}, { modelDir: directory }))).rejects.toThrow(/unwritable-.*permission denied/),
    ),
  );

  it('is a clear error where a file is in its place', async () => {
    rmSync(modelDir, { recursive: true });
    writeFileSync(modelDir, '');
    await expect(runExperiment(options({}))).rejects.toThrow(/not a directory|is a file/);
    await expect(new Checkpoint({}).write(path.join(modelDir, 'ckpt-1'))).rejects.toThrow(CheckpointError);
  });
});
