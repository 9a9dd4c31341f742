import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError, NotImplementedModeError, TrainingError, UsageError } from '../errors.js';
import type { MaybePromise, Output } from '../orbit/index.js';
import { CheckpointManager } from '../checkpoint/index.js';
import { experimentConfig, getTask, OrbitExperimentRunner, runExperiment, TrainingStopped } from './index.js';
import type { BestCheckpointExporter, ControllerParts, ExperimentConfig, RunnerOptions, RunResult, Task, Trainer } from './index.js';
import { fixedRows, ToyTask, toyTask } from './toy-task.testing.js';

let modelDir: string;
beforeEach(() => {
  modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-runner-'));
  ToyTask.inputs = fixedRows(22);
});
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

function toyParams(trainer: object = {}, dropout = 0): ExperimentConfig {
  return experimentConfig({
    task: toyTask({
      model: { dropout },
      train_data: { is_training: true, global_batch_size: 4, shuffle_buffer_size: 16 },
      validation_data: { is_training: false, global_batch_size: 4, drop_remainder: false },
    }),
    trainer: {
      train_steps: 12,
      steps_per_loop: 3,
      summary_interval: 3,
      checkpoint_interval: 3,
      validation_interval: 6,
      optimizer_config: {
        optimizer: { type: 'adam' },
        learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.05, decay_steps: 12 } },
      },
      ...trainer,
    },
  }) as ExperimentConfig;
}

function options(params: ExperimentConfig, more: Partial<RunnerOptions> = {}): RunnerOptions {
  return { task: getTask(params.task), mode: 'train', params, modelDir, reporter: {}, log: () => {}, saveSummary: false, ...more };
}

const weightsOf = (trainer: Trainer): number[][] => (trainer.model as tf.LayersModel).getWeights().map((w) => [...w.dataSync()]);

describe('resume', () => {
  it.each([
    ['compiled', false],
    ['eager', true],
  ])('equals never having stopped, bit for bit (%s): dropout, shuffled data, optimizer', async (_name, eager) => {
    const whole = toyParams({}, 0.3);
    whole.runtime.run_eagerly = eager;
    const straight = new OrbitExperimentRunner(options(whole, { modelDir: path.join(modelDir, 'straight') }));
    await straight.run();

    const first = toyParams({ train_steps: 6 }, 0.3);
    first.runtime.run_eagerly = eager;
    await runExperiment(options(first));
    const second = toyParams({}, 0.3);
    second.runtime.run_eagerly = eager;
    const resumed = new OrbitExperimentRunner(options(second));
    await resumed.run();

    expect(path.basename(resumed.resumedFrom!)).toBe('ckpt-6');
    expect(resumed.trainer.globalStep.value).toBe(12);
    expect(weightsOf(resumed.trainer)).toEqual(weightsOf(straight.trainer));
    expect(resumed.result!.train_logs).toEqual(straight.result!.train_logs);
  });

  it('with resume_data restart begins the data anew', async () => {
    const first: unknown[] = [];
    const second: unknown[] = [];
    const watch = (seen: unknown[]) =>
      class extends OrbitExperimentRunner {
        protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
          const trainer = await super.buildTrainer(task, train, evaluate);
          const next = trainer.nextTrainInputs.bind(trainer);
          trainer.nextTrainInputs = (iterator) => {
            const inputs = next(iterator) as unknown as [{ data: Float32Array }];
            seen.push([...inputs[0].data]);
            return inputs as never;
          };
          return trainer;
        }
      };
    const Seen = watch(first);
    await new Seen(options(toyParams({ train_steps: 3 }))).run();
    const Again = watch(second);
    await new Again(options(toyParams({ train_steps: 6, resume_data: 'restart' }))).run();
    expect(second).toEqual(first);
  });

  it('after an abort in the middle of a loop equals never having stopped', async () => {
    const straight = new OrbitExperimentRunner(options(toyParams({}, 0.3), { modelDir: path.join(modelDir, 'straight') }));
    await straight.run();

    const abort = new AbortController();
    class Aborting extends OrbitExperimentRunner {
      protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
        const trainer = await super.buildTrainer(task, train, evaluate);
        const next = trainer.nextTrainInputs.bind(trainer);
        trainer.nextTrainInputs = (iterator) => {
          if (trainer.globalStep.value === 4) abort.abort('SIGTERM');
          return next(iterator);
        };
        return trainer;
      }
    }
    const stopped = new Aborting(options(toyParams({}, 0.3), { signal: abort.signal }));
    await expect(stopped.run()).rejects.toMatchObject({ name: 'TrainingStopped', step: 5, reason: 'SIGTERM' });
    await expect(stopped.run()).rejects.toBeInstanceOf(TrainingStopped);
    expect(path.basename(stopped.checkpointManager!.latestCheckpoint!)).toBe('ckpt-5');

    const resumed = new OrbitExperimentRunner(options(toyParams({}, 0.3)));
    await resumed.run();
    expect(path.basename(resumed.resumedFrom!)).toBe('ckpt-5');
    expect(weightsOf(resumed.trainer)).toEqual(weightsOf(straight.trainer));
  });

  it('of a finished run says so and trains nothing', async () => {
    await runExperiment(options(toyParams()));
    const lines: string[] = [];
    const again = new OrbitExperimentRunner(options(toyParams(), { log: (line) => lines.push(line) }));
    await again.run();
    expect(lines.join('\n')).toMatch(/This run is finished: .*ckpt-12 is at step 12 of 12/);
    expect(again.trainer.speed.steps).toBe(0);
    expect(again.result!.train_logs).toBeNull();
  });
});

describe('the seed', () => {
  it('decides initial weights, dropout and the order of the data', async () => {
    const run = async (seed: number, directory: string): Promise<number[][]> => {
      const params = toyParams({}, 0.3);
      params.runtime.seed = seed;
      const runner = new OrbitExperimentRunner(options(params, { modelDir: path.join(modelDir, directory) }));
      await runner.run();
      return weightsOf(runner.trainer);
    };
    const one = await run(1, 'a');
    expect(await run(1, 'b')).toEqual(one);
    expect(await run(2, 'c')).not.toEqual(one);
  });
});

describe('modes', () => {
  it('write their results, and modes that train also result.json', async () => {
    const params = toyParams();
    await runExperiment(options(params, { mode: 'train_and_eval', experiment: 'toy' }));
    const read = (name: string): RunResult => JSON.parse(readFileSync(path.join(modelDir, name), 'utf8')) as RunResult;
    expect(read('result.json')).toEqual(read('result.train_and_eval.json'));
    expect(read('result.json')).toMatchObject({ experiment: 'toy', mode: 'train_and_eval', global_step: 12, resumed_from: null });
    expect(Object.keys(read('result.json').train_logs!)).toEqual(['mae', 'rmse', 'training_loss', 'learning_rate']);
    expect(Object.keys(read('result.json').eval_logs!)).toEqual(['mae', 'rmse', 'validation_loss']);
    await runExperiment(options(toyParams(), { mode: 'eval' }));
    expect(read('result.eval.json').eval_logs).toEqual(read('result.json').eval_logs);
    expect(read('result.json').mode).toBe('train_and_eval');
  });

  it('return evaluation logs only after a post-evaluation', async () => {
    expect((await runExperiment(options(toyParams(), { mode: 'train_and_eval' }))).evalLogs).toEqual({});
    expect((await runExperiment(options(toyParams(), { mode: 'eval' }))).evalLogs).toEqual({});
    const { evalLogs } = await runExperiment(options(toyParams(), { mode: 'eval', runPostEval: true }));
    expect(Object.keys(evalLogs)).toEqual(['mae', 'rmse', 'validation_loss']);
  });

  it('that are unknown are refused before anything is written', async () => {
    const directory = path.join(modelDir, 'new');
    const run = runExperiment(options(toyParams(), { mode: 'train_and_evaluate', modelDir: directory }));
    await expect(run).rejects.toThrow(NotImplementedModeError);
    await expect(run).rejects.toThrow(/Did you mean "train_and_eval"/);
    expect(existsSync(directory)).toBe(false);
  });

  it('evaluate the last short batch with its own weight', async () => {
    ToyTask.inputs = fixedRows(22, 5);
    const params = toyParams();
    const runner = new OrbitExperimentRunner(options(params, { mode: 'eval' }));
    await runner.run();
    const [kernel, bias] = weightsOf(runner.trainer);
    const { x, y } = ToyTask.inputs.validation;
    const errors = x.map((row, i) => row.reduce((sum, v, k) => sum + v * kernel![k]!, bias![0]!) - (y as number[][])[i]![0]!);
    const mae = errors.reduce((sum, e) => sum + Math.abs(e), 0) / errors.length;
    expect(runner.result!.eval_logs!['mae']).toBeCloseTo(mae, 5);
  });
});

describe('hooks', () => {
  it('run in order on a complete subclass; early reads name the hook that they wait for', async () => {
    const calls: string[] = [];
    class Hooked extends OrbitExperimentRunner {
      readonly own = 'initialised';
      protected override async buildTrainer(task: Task, train: boolean, evaluate: boolean): Promise<Trainer> {
        calls.push(`buildTrainer ${train} ${evaluate} ${this.own}`);
        expect(() => this.trainer).toThrow(/buildTrainer/);
        return super.buildTrainer(task, train, evaluate);
      }
      protected override buildBestCheckpointExporter(): MaybePromise<BestCheckpointExporter | null> {
        calls.push('buildBestCheckpointExporter');
        return super.buildBestCheckpointExporter();
      }
      protected override maybeBuildCheckpointManager(): MaybePromise<CheckpointManager | null> {
        calls.push('maybeBuildCheckpointManager');
        expect(this.trainer.globalStep.value).toBe(0);
        expect(() => this.checkpointManager).toThrow(/maybeBuildCheckpointManager/);
        return super.maybeBuildCheckpointManager();
      }
      protected override buildController(parts: ControllerParts): ReturnType<OrbitExperimentRunner['buildController']> {
        calls.push(`buildController ${parts.trainer !== null}`);
        expect(this.checkpointManager).toBeInstanceOf(CheckpointManager);
        expect(() => this.controller).toThrow(UsageError);
        return super.buildController(parts);
      }
    }
    const runner = new Hooked(options(toyParams(), { mode: 'eval' }));
    expect([runner.mode, runner.modelDir, runner.params.trainer.train_steps]).toEqual(['eval', modelDir, 12]);
    await runner.build();
    await runner.build();
    expect(calls).toEqual([
      'buildTrainer false true initialised',
      'buildBestCheckpointExporter',
      'maybeBuildCheckpointManager',
      'buildController false',
    ]);
    expect(() => runner.trainer.trainMetrics).toThrow(/train: false/);
  });
});

describe('losses', () => {
  it('that are not a number end the run and name the first bad step', async () => {
    const params = toyParams({
      optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 1e20 } } },
    });
    const run = runExperiment(options(params));
    await expect(run).rejects.toThrow(TrainingError);
    await expect(run).rejects.toThrow(/first loss that is not a finite number was that of step 2\b/);
  });

  it('above the bound are rolled back with the data going on and other random numbers', async () => {
    const seen: [number, number][] = [];
    const params = toyParams({ recovery_max_trials: 2, loss_upper_bound: 50 });
    let poisoned = false;
    const runner = new OrbitExperimentRunner(
      options(params, {
        trainActions: [
          (output: Output) => {
            seen.push([runner.trainer.globalStep.value, runner.trainer.dataPosition.follows ? 1 : 0]);
            if (runner.trainer.globalStep.value === 6 && !poisoned) {
              poisoned = true;
              output['training_loss'] = 1e9;
            }
          },
        ],
      }),
    );
    await runner.run();
    expect(seen.map(([step]) => step)).toEqual([3, 6, 6, 9, 12]);
    expect(runner.trainer.recovery.trials).toBe(1);
  });
});

describe('configs', () => {
  it('with what cannot be done are refused before anything is written', async () => {
    const params = toyParams();
    params.runtime.num_gpus = 1;
    const directory = path.join(modelDir, 'new');
    await expect(runExperiment(options(params, { modelDir: directory }))).rejects.toThrow(ConfigError);
    expect(existsSync(directory)).toBe(false);
  });
});

describe('a runner refuses', () => {
  it.each<[string, Partial<RunnerOptions>, RegExp]>([
    ['what is no task', { task: {} as Task }, /needs a task: getTask/],
    ['a run without a mode', { mode: undefined as unknown as string }, /needs a mode, one of train, eval/],
  ])('%s', (_name, wrong, message) => {
    expect(() => new OrbitExperimentRunner(options(toyParams(), wrong))).toThrow(message);
  });

  it('what a hook returns in the place of its part', async () => {
    class Wrong extends OrbitExperimentRunner {
      protected override buildTrainer = (): Trainer => ({}) as Trainer;
    }
    await expect(new Wrong(options(toyParams())).run()).rejects.toThrow('buildTrainer() returned a plain object, not a trainer.');
  });
});
