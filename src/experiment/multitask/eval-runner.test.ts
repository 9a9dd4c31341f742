import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { toPlain } from '../../config/index.js';
import { NotImplementedModeError, UsageError } from '../../errors.js';
import type { Output } from '../../orbit/index.js';
import { getTask, makeRunner } from '../index.js';
import { BestCheckpointExporter } from '../best-checkpoint.js';
import {
  getMultiTask,
  multiEvalExperimentConfig,
  MultiEvalRunner,
  multiTaskExperimentConfig,
  runExperimentWithMultiTaskEval,
} from './index.js';
import type { MultiEvalRunnerOptions, MultiTaskTrainer } from './index.js';
import {
  recorded,
  toyModel,
  toyMulti,
  toyMultiParams,
  toyMultiRunner,
  toyRegression,
  ToyRegression,
  toyWeights,
} from './toy-tasks.testing.js';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(path.join(tmpdir(), 'orbit-multi-eval-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const at = (name: string): string => path.join(dir, name);
const quiet = { reporter: {}, log: () => {}, saveSummary: false };

describe('training one task and evaluating several', () => {
  /** Trains `foo` and evaluates it on the data of both. */
  class Foo extends ToyRegression {
    override buildModel(): never {
      return toyModel().subTasks['foo'] as never;
    }
  }
  const params = (trainer: object = {}) => {
    const { trainer: shared } = toyMultiParams();
    const { task_sampler: _s, trainer_type: _t, ...rest } = { ...shared };
    const config = (name: string) => toyRegression({ name, train_data: { is_training: true }, validation_data: { is_training: false } });
    return multiEvalExperimentConfig({
      task: config('foo'),
      trainer: { ...(rest as object), ...trainer },
      eval_tasks: [
        { task_config: config('foo'), eval_steps: 2 },
        { task_name: 'bar', task_config: config('other') },
      ],
    });
  };

  it('gives nested results, runs the actions of the factories and keeps the best checkpoint', async () => {
    const heard: string[] = [];
    const config = params({ best_checkpoint_export_subdir: 'best', best_checkpoint_eval_metric: 'bar|validation_loss' });
    const { evalLogs, model } = await runExperimentWithMultiTaskEval({
      ...{
        task: new Foo(config.task as never, { name: 'foo' }),
        mode: 'train_and_eval',
        params: config,
        modelDir: dir,
        runPostEval: true,
        ...quiet,
      },
      trainActionsFactory: ({ trainer }) => [() => void heard.push(`loop ${trainer.globalStep.value}`)],
      evalActionsFactory: () => [(logs) => void heard.push(`evaluated ${Object.keys(logs).join()}`)],
    });
    expect(heard).toEqual(['loop 3', 'loop 6', 'evaluated foo,bar', 'evaluated foo,bar']);
    const mean = (name: string, count: number): number => {
      const losses = recorded.batches[name]!.validation.slice(0, count).map(([x, y]) =>
        tf.tidy(
          () =>
            tf.mean(tf.squaredDifference((model as tf.LayersModel).predict(tf.tensor2d(x)) as tf.Tensor, tf.tensor2d(y))).dataSync()[0]!,
        ),
      );
      return losses.reduce((a, b) => a + b) / count;
    };
    expect((evalLogs['foo'] as Output)['validation_loss']).toBeCloseTo(mean('foo', 2), 5);
    expect((evalLogs['bar'] as Output)['validation_loss']).toBeCloseTo(mean('bar', 3), 5);
    expect(new BestCheckpointExporter(at('best'), 'bar|validation_loss', 'higher').bestCkptLogs).toHaveProperty('bar.mae');
  });

  it('refuses a mode that does not exist', async () => {
    const config = params();
    const run = runExperimentWithMultiTaskEval({ task: getTask(config.task), mode: 'evaluate', params: config, modelDir: dir, ...quiet });
    await expect(run).rejects.toThrow(NotImplementedModeError);
  });

  it('is what makeRunner makes of its config, as of the others', () => {
    const options = { mode: 'train', modelDir: dir, ...quiet };
    expect(makeRunner({ ...options, params: params() }).constructor.name).toBe('MultiEvalRunner');
    expect(makeRunner({ ...options, params: toyMultiParams() as never }).constructor.name).toBe('MultiTaskRunner');
  });
});

describe.each(['joint', 'interleaving'] as const)('training several tasks (%s) and evaluating some', (trainer_type) => {
  const evaluated = (name: string) => toyRegression({ name, validation_data: { is_training: false } });
  /** Trains foo and bar; evaluates bar on two batches. */
  const params = (trainer: object = {}) => {
    const { task, trainer: rest } = toyMultiParams({ trainer_type, ...trainer } as never, { shuffle: true });
    return multiEvalExperimentConfig({
      task,
      trainer: toPlain(rest) as never,
      eval_tasks: [{ task_config: evaluated('bar'), eval_steps: 2 }],
    });
  };
  const runner = (modelDir: string, config = params(), more: Partial<MultiEvalRunnerOptions> = {}): MultiEvalRunner =>
    new MultiEvalRunner({ task: getMultiTask(config.task), params: config, modelDir, mode: 'train', ...quiet, ...more });
  const meanAbsoluteError = (model: unknown, name: string, batches: number): number => {
    const sub = (model as { subTasks: Record<string, tf.LayersModel> }).subTasks[name]!;
    const rows = recorded.batches[name]!.validation.slice(0, batches);
    const errors = rows.flatMap(([x, y]) => {
      const predicted = (sub.predict(tf.tensor2d(x)) as tf.Tensor).dataSync();
      return y.flat().map((label, i) => Math.abs(label - predicted[i]!));
    });
    return errors.reduce((a, b) => a + b) / errors.length;
  };

  it('trains as a run that evaluates what it trains', async () => {
    const both = runner(at('both'));
    await both.run();
    const plain = toyMultiRunner(toyMultiParams({ trainer_type } as never, { shuffle: true }), at('plain'));
    await plain.run();
    expect(toyWeights(both.trainer.model)).toEqual(toyWeights(plain.trainer.model));
    expect(both.result!.train_logs).toEqual(plain.result!.train_logs);
  });

  it.each(['eval', 'train_and_eval', 'train_and_post_eval', 'continuous_eval'])('works in mode %s', async (mode) => {
    if (!mode.includes('train')) await runner(dir).run();
    const run = runner(dir, params({ continuous_eval_timeout: 0 }), { mode });
    const { model } = await run.run();
    const logs = run.result!.eval_logs as Record<string, Output>;
    expect(Object.keys(logs).filter((key) => key !== 'steps_per_second')).toEqual(['bar']);
    expect(logs['bar']!['mae']).toBeCloseTo(meanAbsoluteError(model, 'bar', 2), 5);
    expect(run.trainer.globalStep.value).toBe(6);
  });

  it('that is stopped within a loop and resumed equals the uninterrupted run bit by bit', async () => {
    const config = () => params({ train_steps: 24, checkpoint_interval: 100 });
    const mode = 'train_and_eval';
    const straight = runner(at('straight'), config(), { mode });
    await straight.run();
    const stop = new AbortController();
    const stopped = runner(at('resumed'), config(), { mode, signal: stop.signal });
    await stopped.build();
    const makeStep = stopped.trainer.trainStep.bind(stopped.trainer);
    stopped.trainer.trainStep = (iterator) => {
      if (stopped.trainer.globalStep.value === 13) stop.abort('SIGTERM');
      return makeStep(iterator);
    };
    await expect(stopped.run()).rejects.toThrow(/stopped/i);
    const resumed = runner(at('resumed'), config(), { mode });
    await resumed.run();
    expect(resumed.resumedFrom).toBe(path.join(at('resumed'), 'ckpt-13'));
    const state = ({ model, optimizer }: MultiTaskTrainer): unknown => [toyWeights(model), optimizer.stateDict()];
    expect(state(resumed.trainer as MultiTaskTrainer)).toEqual(state(straight.trainer as MultiTaskTrainer));
    expect(resumed.result!.train_logs).toEqual(straight.result!.train_logs);
    expect(resumed.result!.eval_logs).toEqual({ ...straight.result!.eval_logs, steps_per_second: expect.any(Number) });
  });

  it('keeps the checkpoint that is best in an evaluated task', async () => {
    const best = { best_checkpoint_export_subdir: 'best', best_checkpoint_eval_metric: 'bar|mae', best_checkpoint_metric_comp: 'lower' };
    const run = runner(dir, params({ ...best, train_steps: 12, validation_interval: 3 }), { mode: 'train_and_eval' });
    await run.run();
    const { bestCkptLogs } = new BestCheckpointExporter(at('best'), 'bar|mae', 'lower');
    expect(Object.keys(bestCkptLogs as object)).toEqual(expect.arrayContaining(['bar', 'best_ckpt_global_step']));
    expect(bestCkptLogs).not.toHaveProperty('foo');
  });

  it('is what makeRunner makes of its config', () => {
    const made = makeRunner({ mode: 'train', modelDir: dir, params: params() as never, ...quiet });
    expect(made).toBeInstanceOf(MultiEvalRunner);
    expect(made.params.trainer).toHaveProperty('trainer_type', trainer_type);
  });
});

describe('the task of a run that evaluates several', () => {
  it('must be of the kind that its config describes', () => {
    const one = toyRegression({ name: 'foo' });
    const ofOne = multiEvalExperimentConfig({ task: one });
    const ofSeveral = multiEvalExperimentConfig({ task: toyMultiParams().task });
    const run = (task: never, params: never) => () => new MultiEvalRunner({ task, params, mode: 'train', modelDir: dir });
    expect(run(toyMulti() as never, ofOne as never)).toThrow(UsageError);
    expect(run(toyMulti() as never, ofOne as never)).toThrow(/MultiTask trains several tasks, but params\.task is the config of one/);
    expect(run(getTask(one) as never, ofSeveral as never)).toThrow(/pass task: getMultiTask\(params\.task\)/);
  });

  it('has a model for every task that is evaluated', async () => {
    const { task, trainer } = toyMultiParams();
    const eval_tasks = [{ task_config: toyRegression({ name: 'baz', validation_data: { is_training: false } }) }];
    const params = multiEvalExperimentConfig({ task, trainer: toPlain(trainer) as never, eval_tasks });
    const run = runExperimentWithMultiTaskEval({
      task: getMultiTask(params.task),
      params,
      mode: 'train_and_eval',
      modelDir: dir,
      ...quiet,
    });
    await expect(run).rejects.toThrow(/no model for the task "baz"; its subTasks are foo, bar/);
  });

  it('gives several tasks their trainer’s options, one task those of one', () => {
    expect(multiEvalExperimentConfig({ task: toyMultiParams().task }).trainer).toMatchObject({ trainer_type: 'interleaving' });
    expect(multiEvalExperimentConfig().trainer).not.toHaveProperty('trainer_type');
    expect(() => multiEvalExperimentConfig({ trainer: { trainer_type: 'joint' } as never })).toThrow(/trainer_type/);
    expect(multiTaskExperimentConfig()).not.toHaveProperty('eval_tasks');
  });
});
