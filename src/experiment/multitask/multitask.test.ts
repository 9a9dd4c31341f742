import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { readManifest, readSafetensors } from '../../checkpoint/index.js';
import { ConfigError, DataError, UsageError } from '../../errors.js';
import { toPlain, toYaml } from '../../config/index.js';
import { SGD } from '../../optimization/index.js';
import type { Output } from '../../orbit/index.js';
import { createOptimizer } from '../index.js';
import type { ExperimentConfig } from '../index.js';
import {
  getMultiTask,
  MultiTask,
  MultiTaskEvaluator,
  MultiTaskInterleavingTrainer,
  MultiTaskTrainer,
  multiTaskConfig,
  multiTaskExperimentConfig,
} from './index.js';
import { Alternating, recorded, toyModel, toyMulti, toyMultiParams, toyMultiRunner, toyRegression, ToyRegression, toyWeights } from './toy-tasks.testing.js'; // prettier-ignore
import type { Recorded } from './toy-tasks.testing.js';

let dir: string;
beforeEach(() => void (dir = mkdtempSync(path.join(tmpdir(), 'orbit-multitask-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
const at = (name: string): string => path.join(dir, name);

function expectNear(actual: unknown, expected: unknown, where = ''): void {
  if (typeof expected === 'number') expect(actual, where).toBeCloseTo(expected, 5);
  else for (const [key, value] of Object.entries(expected as object)) expectNear((actual as Output)[key], value, `${where}/${key}`);
}

describe('training equals the reference', () => {
  const parts = () => {
    const params = toyMultiParams();
    const multiTask = toyMulti();
    const optimizer = createOptimizer(multiTask, params as unknown as ExperimentConfig);
    return { config: params, multiTask, optimizer, model: toyModel(), evaluate: false };
  };

  const check = async (trainer: MultiTaskTrainer, { loops, evaluation_of_3 }: Recorded): Promise<void> => {
    for (const { logs, weights, global_step } of loops) {
      const output = await trainer.train(3);
      expect(Object.keys(output as object).sort()).toEqual(Object.keys(logs).sort());
      expectNear(output, logs);
      expectNear(toyWeights(trainer.model), weights);
      expect(trainer.globalStep.value).toBe(global_step);
    }
    const evaluator = new MultiTaskEvaluator({
      evalTasks: Object.values(trainer.multiTask.tasks),
      model: trainer.model,
      evalSteps: { foo: 2, bar: null },
    });
    expectNear(await evaluator.evaluate(3), evaluation_of_3);
    await trainer.close();
  };

  it('jointly', () => check(new MultiTaskTrainer(parts()), recorded.joint));

  it('interleaved', async () => {
    const trainer = new MultiTaskInterleavingTrainer({ ...parts(), taskSampler: new Alternating(recorded.task_weights) });
    await check(trainer, recorded.interleaving);
    for (const [name, steps] of Object.entries(recorded.interleaving.task_steps!)) expect(trainer.taskStepCounter(name).value).toBe(steps);
  });
});

describe.each(['joint', 'interleaving'] as const)('a %s run', (trainer_type) => {
  const params = (train_steps: number, more: object = {}) =>
    toyMultiParams({ trainer_type, train_steps, steps_per_loop: 3, ...more } as never, { shuffle: true });
  const state = (trainer: MultiTaskTrainer): unknown => ({
    weights: toyWeights(trainer.model),
    optimizer: trainer.optimizer.stateDict(),
    steps: trainer instanceof MultiTaskInterleavingTrainer ? ['foo', 'bar'].map((name) => trainer.taskStepCounter(name).value) : null,
  });

  it('that is resumed equals the uninterrupted one bit by bit, also from the middle of a loop', async () => {
    const straight = toyMultiRunner(params(24), at('straight'), { mode: 'train_and_eval' });
    await straight.run();
    await toyMultiRunner(params(9), at('resumed'), { mode: 'train' }).run();
    const stop = new AbortController();
    const stopped = toyMultiRunner(params(24), at('resumed'), { mode: 'train_and_eval', signal: stop.signal });
    await stopped.build();
    const makeStep = stopped.trainer.trainStep.bind(stopped.trainer);
    stopped.trainer.trainStep = (iterator) => {
      if (stopped.trainer.globalStep.value === 13) stop.abort('SIGTERM');
      return makeStep(iterator);
    };
    await expect(stopped.run()).rejects.toThrow(/stopped/i);
    const resumed = toyMultiRunner(params(24), at('resumed'), { mode: 'train_and_eval' });
    await resumed.run();
    expect(resumed.resumedFrom).toBe(path.join(at('resumed'), 'ckpt-13'));
    expect(state(resumed.trainer as MultiTaskTrainer)).toEqual(state(straight.trainer as MultiTaskTrainer));
    expect(resumed.result!.train_logs).toEqual(straight.result!.train_logs);
    expect(resumed.result!.eval_logs).toEqual({ ...straight.result!.eval_logs, steps_per_second: expect.any(Number) });
  });

  it('keeps the checkpoint that is best in a metric of one task, and tells its results by task', async () => {
    const best = { best_checkpoint_export_subdir: 'best', best_checkpoint_eval_metric: 'bar|mae', best_checkpoint_metric_comp: 'lower' };
    const runner = toyMultiRunner(params(12, { validation_interval: 3, ...best }), dir, { mode: 'train_and_eval' });
    const seen: number[] = [];
    await runner.build();
    const evaluate = runner.trainer.evaluate.bind(runner.trainer);
    runner.trainer.evaluate = async (steps) => {
      const logs = await evaluate(steps);
      seen.push((logs['bar'] as { mae: number }).mae);
      return logs;
    };
    await runner.run();
    const info = JSON.parse(readFileSync(at('best/info.json'), 'utf8')) as {
      foo: object;
      bar: { mae: number };
      best_ckpt_global_step: number;
    };
    expect(seen).toHaveLength(4);
    expect(info.bar.mae).toBe(Math.min(...seen));
    expect(info.best_ckpt_global_step).toBe(3 * (1 + seen.indexOf(info.bar.mae)));
    expect(Object.keys(info.foo).sort()).toEqual(['mae', 'validation_loss']);
  });

  it.each(['eval', 'continuous_eval', 'train_and_post_eval'])('works in mode %s', async (mode) => {
    const trained = toyMultiRunner(params(6), dir);
    await trained.run();
    const runner = toyMultiRunner(params(6, { continuous_eval_timeout: 0 }), dir, { mode });
    await runner.run();
    expect(toyWeights(runner.trainer.model)).toEqual(toyWeights(trained.trainer.model));
    expect(runner.result!.eval_logs).toMatchObject({
      foo: { mae: expect.any(Number), validation_loss: expect.any(Number) },
      bar: { mae: expect.any(Number), validation_loss: expect.any(Number) },
    });
  });

  it('ends with an error when a loss blows up', async () => {
    const wild = params(6, { loss_upper_bound: 1e-3 });
    await expect(toyMultiRunner(wild, dir).run()).rejects.toThrow(/loss/);
  });
});

describe('the config', () => {
  it('has the defaults of the reference', () => {
    const { task, trainer } = multiTaskExperimentConfig();
    expect({ ...task }).toMatchObject({ init_checkpoint: '', model: null, task_routines: [], differential_privacy_config: null });
    expect(trainer.trainer_type).toBe('interleaving');
    expect(trainer.task_sampler.type).toBe('proportional');
    expect(trainer.task_sampler.proportional.alpha).toBe(1);
    expect({ ...trainer.task_sampler.annealing }).toEqual({ steps_per_epoch: 5, total_steps: 20 });
  });

  it('is written whole, with the fields of each task', () => {
    expect(toYaml(toyMultiParams())).toMatch(/task_routines:[\s\S]*shuffle: false[\s\S]*task_weight: 2/);
  });

  it('names a task by task_name first, then by its config', () => {
    const routine = (task_name: string, name: string | null) => ({
      task_name,
      task_config: toyRegression({ name }),
      eval_steps: 4,
      task_weight: 3,
    });
    const multi = getMultiTask(multiTaskConfig({ task_routines: [routine('foo', 'ignored'), routine('', 'bar')] }));
    expect(Object.keys(multi.tasks)).toEqual(['foo', 'bar']);
    expect(multi.tasks['foo']!.name).toBe('foo');
    expect(multi.taskEvalSteps).toEqual({ foo: 4, bar: 4 });
    expect(multi.taskWeight('bar')).toBe(3);
  });

  it.each([
    [[{ task_config: null }], /task\.task_routines\[0\]\.task_config is not set/],
    [[{ task_config: toyRegression() }], /task\.task_routines\[0\]: the task has no name/],
    [[1, 2].map(() => ({ task_config: toyRegression({ name: 'foo' }) })), /task_routines\[1\]: there are two tasks named "foo"/],
    [[{ task_name: 'total_loss', task_config: toyRegression() }], /cannot be named "total_loss"/],
  ])('is refused where it names no tasks (%#)', (task_routines, message) => {
    const config = multiTaskConfig({ task_routines: task_routines as never });
    expect(() => getMultiTask(config)).toThrow(ConfigError);
    expect(() => getMultiTask(config)).toThrow(message);
  });

  it.each([
    ['grad_accumulation_steps', 2],
    ['overfit_batches', 1],
  ])('is refused with %s', async (field, value) => {
    await expect(toyMultiRunner(toyMultiParams({ [field]: value }), dir).run()).rejects.toThrow(
      new RegExp(`trainer\\.${field}: several tasks`),
    );
  });
});

describe('MultiTask', () => {
  const task = (name: string) => new ToyRegression(toyRegression(), { name });

  it('gives weight 1 to tasks without a weight', () => {
    const multi = new MultiTask({ tasks: [task('a'), task('b')], taskWeights: { b: 2 } });
    expect(multi.taskWeights).toEqual({ a: 1, b: 2 });
    expect(new MultiTask({ tasks: { x: task('a'), y: task('a') } }).taskWeights).toEqual({ x: 1, y: 1 });
  });

  it.each([
    [[task('a'), task('a')], /two tasks are named "a"/],
    ['a', /a list of tasks or a record/],
    [[{}], /should hold tasks/],
    [[], /no tasks/],
  ])('refuses what is no set of tasks (%#)', (tasks, message) => {
    expect(() => new MultiTask({ tasks: tasks as never })).toThrow(UsageError);
    expect(() => new MultiTask({ tasks: tasks as never })).toThrow(message);
  });

  it('says how to give it a model', async () => {
    const params = toyMultiParams();
    await expect(toyMultiRunner(params, dir, { task: toyMulti() }).run()).rejects.toThrow(/MultiTask has no model: override buildModel/);
    await expect(toyMultiRunner(params, dir, { model: {} as never }).run()).rejects.toThrow(/a model with subTasks/);
    const { foo } = toyModel().subTasks;
    const lacking = { subTasks: { foo: foo! } };
    await expect(toyMultiRunner(params, dir, { model: lacking }).run()).rejects.toThrow(/no model for the task "bar"/);
  });

  it('joins only batches that are pairs or mappings', () => {
    const optimizer = new SGD({ learningRate: 0.1 });
    const x = tf.zeros([2, 3]);
    expect(() => toyMulti().jointTrainStep({ foo: x, bar: x }, toyModel(), optimizer)).toThrow(DataError);
    expect(() => toyMulti().jointTrainStep({ foo: [x, x, x], bar: [x, x] }, toyModel(), optimizer)).toThrow(/lists of 3/);
    const { foo } = toyModel().subTasks;
    expect(() => toyMulti().jointTrainStep({}, foo!, optimizer)).toThrow(/needs a model with subTasks/);
  });

  it('joint losses are unweighted, their total is weighted', () => {
    const batch = (name: string) => recorded.batches[name]!.train[0]!.map((rows) => tf.tensor2d(rows));
    const losses = toyMulti().jointTrainStep({ foo: batch('foo'), bar: batch('bar') }, toyModel(), new SGD({ learningRate: 0.1 }));
    const value = (name: string): number => losses[name]!.dataSync()[0]!;
    expect(value('total_loss')).toBeCloseTo(2 * value('foo') + 0.5 * value('bar'), 5);
  });
});

describe('options of a run of several tasks', () => {
  const flat = (model: unknown): number[] => Object.values(toyWeights(model)).flat(2);

  it('clip the gradients where the config asks for privacy', async () => {
    const params = toyMultiParams({ trainer_type: 'joint' });
    params.task.differential_privacy_config = { clipping_norm: 1e-4, noise_multiplier: 0 };
    const runner = toyMultiRunner(params, dir);
    await runner.run();
    const start = flat(toyModel());
    const moved = Math.hypot(...flat(runner.trainer.model).map((w, i) => w - start[i]!));
    expect(moved).toBeGreaterThan(1e-6);
    expect(moved).toBeLessThan(6 * 10 * 0.1 * 1e-4); // six steps, momentum 0.9, learning rate 0.1
  });

  it('evaluate the weights themselves where the optimizer averages, and the averages of stochastic_weight_averaging', async () => {
    const logs = async (name: string, trainer: object): Promise<Output> => {
      const params = toyMultiParams({ trainer_type: 'joint', sanity_check_batches: 1, ...trainer } as never);
      const runner = toyMultiRunner(params, at(name), { mode: 'train_and_eval' });
      await runner.run();
      return { ...runner.result!.eval_logs, steps_per_second: 0 };
    };
    const plain = await logs('plain', {});
    const { optimizer_config } = toyMultiParams().trainer;
    expect(await logs('ema', { optimizer_config: { ...toPlain(optimizer_config), ema: { average_decay: 0.9 } } })).toEqual(plain);
    expect(await logs('swa', { stochastic_weight_averaging: { start_step: 3, every_n_steps: 3 } })).not.toEqual(plain);
  });
});

describe('interleaved training', () => {
  it('of a model that all tasks share trains that model', async () => {
    const { foo } = toyModel().subTasks;
    const before = (foo as tf.LayersModel).getWeights().map((w) => [...w.dataSync()]);
    await toyMultiRunner(toyMultiParams(), dir, { model: foo! }).run();
    expect((foo as tf.LayersModel).getWeights().map((w) => [...w.dataSync()])).not.toEqual(before);
  });

  it('reports 0 for a task that was not drawn', async () => {
    const params = toyMultiParams();
    params.task.task_routines[1]!.task_weight = 0;
    const runner = toyMultiRunner(params, dir);
    await runner.run();
    expect(runner.result!.train_logs!['bar']).toEqual({ training_loss: 0, mae: 0 });
  });
});

describe('checkpoints', () => {
  it('hold a shared variable once; best ones have no optimizer', async () => {
    const best = { best_checkpoint_export_subdir: 'best', best_checkpoint_eval_metric: 'foo|mae' };
    const runner = toyMultiRunner(toyMultiParams(best as never), dir, { mode: 'train_and_eval' });
    await runner.run();
    const inModel = await readSafetensors(at('ckpt-6/model.safetensors'));
    const names = ['foo/trunk', 'foo/foo', 'bar/bar'].flatMap((layer) => ['kernel', 'bias'].map((w) => `subTasks/${layer}/${w}`));
    expect([...inModel.keys()].sort()).toEqual(names.sort());
    const newest = (await runner.trainer.checkpointExporter!.bestCkptPath)!;
    expect(Object.keys((await readManifest(newest)).items).sort()).toEqual(['global_step', 'model']);
  });
});

describe('a run with model initialisation', () => {
  it('initialises a fresh model, and not a resumed one', async () => {
    let calls = 0;
    const model = () => ({ ...toyModel(), initialize: () => void (calls += 1) });
    await toyMultiRunner(toyMultiParams(), dir, { model: model() }).run();
    await toyMultiRunner(toyMultiParams({ train_steps: 9 }), dir, { model: model() }).run();
    expect(calls).toBe(1);
  });

  it('reads init_checkpoint into a fresh model', async () => {
    const first = toyMultiRunner(toyMultiParams(), at('first'));
    await first.run();
    const params = toyMultiParams({ train_steps: 0 });
    params.task.init_checkpoint = at('first');
    const second = toyMultiRunner(params, at('second'));
    await second.run();
    expect(toyWeights(second.trainer.model)).toEqual(toyWeights(first.trainer.model));
  });
});
