import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Checkpoint } from '../../checkpoint/index.js';
import { ConfigError, UsageError } from '../../errors.js';
import { fromArrays, NDArray } from '../../data/index.js';
import type { Dataset } from '../../data/index.js';
import { setNoticeHandler } from '../../notice.js';
import { ExponentialMovingAverage, PolynomialDecay, SGD } from '../../optimization/index.js';
import type { Optimizer } from '../../optimization/index.js';
import type { Output } from '../../orbit/index.js';
import { experimentConfig, getTask, makeRunner, registerTask, Task, taskConfig } from '../index.js';
import type { DatasetLike } from '../../orbit/index.js';
import { ProgressiveRunner, progressiveTrainerConfig, Stages } from './index.js';
import type { ProgressivePolicy, ProgressiveTrainer, ProgressiveTrainerConfigInput } from './index.js';
import type { Model, RunnerOptions } from '../index.js';

const growing = taskConfig({ averages: false, random: false, steps: [5, 100] }, { name: 'growing' });
/** Learning rates of the stages: both decay over ten updates. */
const rate = (stage: number, update: number): number => (stage === 0 ? 0.1 : 0.2) * (1 - Math.min(update, 10) / 10);
const targets = [1, -1];

/** One weight that is drawn to 1 in the first stage and to −1 in the second, where the model has a second weight besides. */
class Growing extends Task<typeof growing> implements ProgressivePolicy {
  /** What the policy was asked for. */
  asked: string[] = [];

  numStages(): number {
    return this.taskConfig.steps.length;
  }
  numSteps(stage: number): number {
    return this.taskConfig.steps[stage]!;
  }
  getModel(stage: number, oldModel: Model | null): tf.Sequential {
    this.asked.push(`model ${stage} ${oldModel === null ? 'anew' : 'from the old one'}`);
    const old = (oldModel as tf.Sequential | null)?.getWeights()[0]!.dataSync()[0] ?? 0;
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1 + stage], useBias: false })] });
    model.setWeights([tf.tensor2d([[old], [0]].slice(0, 1 + stage))]);
    return model;
  }
  getOptimizer(stage: number): Optimizer {
    this.asked.push(`optimizer ${stage}`);
    const learningRate = new PolynomialDecay({ initialLearningRate: rate(stage, 0), decaySteps: 10, endLearningRate: 0 });
    const sgd = new SGD({ learningRate });
    return this.taskConfig.averages && stage === 1 ? new ExponentialMovingAverage(sgd) : sgd;
  }
  getTrainDataset(stage: number): Dataset<unknown> {
    const { random } = this.taskConfig;
    const rows = Array.from({ length: 7 }, (_, i) => [1 + (random ? i / 10 : 0), ...(stage === 1 ? [random ? i / 5 : 0] : [])]);
    const y = rows.map(([x]) => [targets[stage]! * x!]);
    const array = (values: number[][]): NDArray =>
      new NDArray(Float32Array.from(values.flat()), [values.length, values[0]!.length], 'float32');
    const data = fromArrays([array(rows), array(y)]);
    return (random ? data.shuffle({ bufferSize: 7, seed: stage }) : data).batch(2, { dropRemainder: true }).repeat();
  }
  getEvalDataset(stage: number): DatasetLike {
    const zeros = (n: number) => tf.zeros([3, n]);
    return [[tf.add(zeros(1 + stage), 1), tf.add(zeros(1), targets[stage]!)]];
  }
  override buildModel(): never {
    throw new Error('models are those of the stages');
  }
  override buildInputs(): never {
    throw new Error('data are those of the stages');
  }
  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
    return tf.mean(tf.squaredDifference(labels, outputs));
  }
}
registerTask(growing, Growing);

let dir: string;
beforeEach(() => void (dir = mkdtempSync(path.join(tmpdir(), 'orbit-progressive-'))));
afterEach(() => rmSync(dir, { recursive: true, force: true }));
afterEach(() => setNoticeHandler());

const params = (trainer: ProgressiveTrainerConfigInput = {}, task: object = {}) =>
  experimentConfig({
    task: growing(task),
    trainer: progressiveTrainerConfig({
      ...{ train_steps: 12, steps_per_loop: 3, summary_interval: 3, checkpoint_interval: 3, validation_interval: 3 },
      ...trainer,
    }),
  });
const runnerOf = (config: ReturnType<typeof params>, more: Partial<RunnerOptions> = {}): ProgressiveRunner =>
  new ProgressiveRunner({
    ...{ task: getTask(config.task), mode: 'train', params: config, modelDir: dir, reporter: {}, log: () => {}, saveSummary: false },
    ...more,
  });
const weights = (runner: ProgressiveRunner): number[] => [...(runner.trainer.model as tf.LayersModel).getWeights()[0]!.dataSync()];

describe('training in stages', () => {
  it('changes model, optimizer and data at the end of the loop that passes the boundary, as computed by hand', async () => {
    const task = new Growing(growing());
    const logs: Output[] = [];
    const runner = runnerOf(params(), { task, trainActions: [(output) => void logs.push({ ...output })] });
    await runner.run();
    const expected: object[] = [];
    let [w, update] = [0, 0];
    for (let loop = 0; loop < 4; loop++) {
      const stage = loop < 2 ? 0 : 1; // the first stage has five steps: it ends with the loop that ends at step 6
      if (loop === 2) update = 0;
      let sum = 0;
      for (let i = 0; i < 3; i++) {
        sum += (w - targets[stage]!) ** 2;
        w -= rate(stage, update++) * 2 * (w - targets[stage]!);
      }
      expected.push({ training_loss: expect.closeTo(sum / 3, 5), learning_rate: expect.closeTo(rate(stage, update), 6) });
    }
    expect(logs).toEqual(expected);
    expect(weights(runner)[0]).toBeCloseTo(w, 5);
    expect(task.asked).toEqual(['optimizer 0', 'model 0 anew', 'optimizer 1', 'model 1 from the old one']);
  });

  it('says when a stage begins', async () => {
    const lines: string[] = [];
    setNoticeHandler((line) => lines.push(line));
    await runnerOf(params()).run();
    expect(lines).toEqual(['stage 1 of the training begins after step 6']);
  });

  it('evaluates on the data of the stage', async () => {
    const seen: number[] = [];
    const evalActions = [(output: Output) => void seen.push(output['validation_loss'] as number)];
    const runner = runnerOf(params(), { mode: 'train_and_eval', evalActions });
    await runner.run();
    let w = 0;
    for (let i = 0; i < 6; i++) w -= rate(0, i) * 2 * (w - 1);
    expect(seen[1]).toBeCloseTo((w + 1) ** 2, 5); // at step 6 the second stage has begun
    expect(seen).toHaveLength(4);
  });

  it.each([
    ['before the boundary', 4],
    ['after the boundary in a loop of the first stage', 5],
    ['in a loop of the second stage', 10],
  ])('stopped %s and resumed equals the uninterrupted run', async (_, stopAt) => {
    const config = () => params({ train_steps: 15 }, { averages: true, random: true });
    const straight = runnerOf(config(), { mode: 'train_and_eval', modelDir: path.join(dir, 'straight') });
    await straight.run();
    const stop = new AbortController();
    const stopped = runnerOf(config(), { mode: 'train_and_eval', signal: stop.signal });
    await stopped.build();
    const makeStep = stopped.trainer.trainStep.bind(stopped.trainer);
    stopped.trainer.trainStep = (iterator) => {
      if (stopped.trainer.globalStep.value === stopAt) stop.abort('SIGTERM');
      return makeStep(iterator);
    };
    await expect(stopped.run()).rejects.toThrow(/stopped/i);
    const task = new Growing(config().task as never);
    const resumed = runnerOf(config(), { mode: 'train_and_eval', task });
    await resumed.run();
    expect(resumed.resumedFrom).toBe(path.join(dir, `ckpt-${stopAt}`));
    expect(weights(resumed)).toEqual(weights(straight));
    expect(resumed.trainer.optimizer.stateDict()).toEqual(straight.trainer.optimizer.stateDict());
    expect(resumed.result!.train_logs).toEqual(straight.result!.train_logs);
    expect(resumed.result!.samples_per_second, 'the policy alone knows how many samples a step has').toBeNull();
    expect(resumed.result!.eval_logs).toEqual(straight.result!.eval_logs);
    if (stopAt === 10) expect(task.asked).toEqual(['optimizer 0', 'model 0 anew', 'optimizer 1', 'model 1 anew']);
  });

  it('that died in the second stage goes on from its last checkpoint and equals the uninterrupted run', async () => {
    const config = () => params({ train_steps: 15 }, { averages: true, random: true });
    const straight = runnerOf(config(), { modelDir: path.join(dir, 'straight') });
    await straight.run();
    const dying = runnerOf(config());
    await dying.build();
    const makeStep = dying.trainer.trainStep.bind(dying.trainer);
    dying.trainer.trainStep = (iterator) => {
      if (dying.trainer.globalStep.value === 11) throw new Error('out of power');
      return makeStep(iterator);
    };
    await expect(dying.run()).rejects.toThrow('out of power');
    const resumed = runnerOf(config());
    await resumed.run();
    expect(resumed.resumedFrom).toBe(path.join(dir, 'ckpt-9'));
    expect(weights(resumed)).toEqual(weights(straight));
    expect(resumed.trainer.optimizer.stateDict()).toEqual(straight.trainer.optimizer.stateDict());
  });

  it('goes on in the next stage where a run that ended at its boundary is prolonged', async () => {
    const straight = runnerOf(params({ train_steps: 12 }), { modelDir: path.join(dir, 'straight') });
    await straight.run();
    await runnerOf(params({ train_steps: 6 })).run();
    const prolonged = runnerOf(params({ train_steps: 12 }));
    await prolonged.run();
    expect(weights(prolonged)[0]).toBe(weights(straight)[0]);
  });

  it('saves in the background across stages what it saves in the foreground', async () => {
    const front = runnerOf(params({ train_steps: 15 }, { random: true }), { modelDir: path.join(dir, 'front') });
    await front.run();
    const back = runnerOf(params({ train_steps: 15 }, { random: true }), { enableAsyncCheckpointing: true });
    await back.run();
    const read = async (at: string): Promise<number[]> => {
      const model = new Growing(growing()).getModel(1, null);
      await new Checkpoint({ model }).read(at);
      return [...model.getWeights()[0]!.dataSync()];
    };
    for (const step of [9, 12, 15]) {
      expect(await read(path.join(dir, `ckpt-${step}`))).toEqual(await read(path.join(dir, 'front', `ckpt-${step}`)));
    }
  });

  it.each(['eval', 'continuous_eval'])('evaluates a checkpoint of any stage in mode %s', async (mode) => {
    await runnerOf(params({ train_steps: 9 })).run();
    const evaluation = runnerOf(params({ train_steps: 9, continuous_eval_timeout: 0 }), { mode });
    await evaluation.run();
    expect((evaluation.trainer as ProgressiveTrainer).stages.stage).toBe(1);
    expect(evaluation.result!.eval_logs!['validation_loss']).toBeCloseTo((weights(evaluation).reduce((a, b) => a + b) + 1) ** 2, 5);
  });

  it('follows checkpoints through the stages, back as well', async () => {
    await runnerOf(params({ train_steps: 9 })).run();
    const evaluation = runnerOf(params(), { mode: 'eval' });
    await evaluation.build();
    const { controller, trainer } = evaluation;
    const found: [number, number][] = [];
    for (const step of [9, 3, 9, 6]) {
      await controller.restoreCheckpoint(path.join(dir, `ckpt-${step}`));
      found.push([(trainer as ProgressiveTrainer).stages.stage, weights(evaluation).length]);
    }
    expect(found).toEqual([[1, 2], [0, 1], [1, 2], [1, 2]]); // prettier-ignore
    await evaluation.close();
  });

  it('jumps over stages that lie within a loop, and makes metrics once', async () => {
    let metrics = 0;
    class Jumping extends Growing {
      override getModel(stage: number, oldModel: Model | null): tf.Sequential {
        this.asked.push(`stage ${stage}`);
        return super.getModel(Math.min(stage, 1), oldModel);
      }
      override getTrainDataset(stage: number): Dataset<unknown> {
        return super.getTrainDataset(Math.min(stage, 1));
      }
      override buildMetrics(training?: boolean): [] {
        if (training) metrics += 1;
        return [];
      }
    }
    const config = params({}, { steps: [1, 1, 100] });
    const task = new Jumping(config.task as never);
    const runner = runnerOf(config, { task });
    await runner.run();
    expect(task.asked.filter((asked) => asked.startsWith('stage'))).toEqual(['stage 0', 'stage 2']);
    expect((runner.trainer as ProgressiveTrainer).stages.stage).toBe(2);
    expect(metrics).toBe(1);
  });
});

describe('plain exports', () => {
  const exported = (): string[] => {
    const names = readdirSync(dir).includes('exported_ckpts') ? readdirSync(path.join(dir, 'exported_ckpts')) : [];
    return names.filter((name) => name.startsWith('ckpt-')).sort((a, b) => Number(a.slice(5)) - Number(b.slice(5)));
  };

  it.each([
    [{}, ['ckpt-9', 'ckpt-12', 'ckpt-15', 'ckpt-18']],
    [{ export_checkpoint_interval: 6, train_steps: 18 }, ['ckpt-9', 'ckpt-15', 'ckpt-18']],
    [{ export_max_to_keep: 2 }, ['ckpt-15', 'ckpt-18']],
    [{ export_only_final_stage_ckpt: false, export_checkpoint_interval: 100 }, ['ckpt-3', 'ckpt-9', 'ckpt-18']],
    [{ export_checkpoint: false }, []],
  ])('with %j are %j', async (trainer, names) => {
    await runnerOf(params({ train_steps: 18, ...trainer })).run();
    expect(exported()).toEqual(names);
  });

  it('are the same after a resume, and hold model, optimizer and step without stages', async () => {
    const config = (train_steps: number) => params({ train_steps, export_checkpoint_interval: 6, checkpoint_interval: 3 });
    await runnerOf(config(12)).run();
    rmSync(path.join(dir, 'exported_ckpts/ckpt-12'), { recursive: true }); // that of its last step
    const runner = runnerOf(config(21));
    await runner.run();
    expect(exported()).toEqual(['ckpt-9', 'ckpt-18', 'ckpt-21']);
    const plain = new Growing(growing()).getModel(1, null);
    const result = await new Checkpoint({ model: plain }).read(path.join(dir, 'exported_ckpts/ckpt-21'));
    expect([...plain.getWeights()[0]!.dataSync()]).toEqual(weights(runner));
    expect(result.unused.every((name) => /^(optimizer|global_step)/.test(name))).toBe(true);
  });
});

describe('Stages', () => {
  const stages = (steps: number[], warn: (m: string) => void = () => {}) => new Stages(new Growing(growing({ steps })), warn);

  it('finds the stage of a step, and the last one with a warning after all of them', () => {
    const warnings: string[] = [];
    const made = stages([2, 0, 3], (message) => warnings.push(message));
    expect([0, 1, 2, 4, 5].map((step) => made.stageOf(step))).toEqual([0, 0, 2, 2, 2]);
    expect(warnings).toEqual([]);
    expect(made.stageOf(6)).toBe(2);
    expect(warnings).toHaveLength(1);
  });

  it('keeps data until the stage ends', () => {
    const made = stages([2, 3]);
    const first = made.trainDataset;
    expect(made.trainDataset).toBe(first);
    expect([made.isLastStage, made.isStageAdvancing(1), made.isStageAdvancing(2)]).toEqual([false, false, true]);
    made.enter(1);
    expect(made.isLastStage).toBe(true);
    expect(made.trainDataset).not.toBe(first);
    expect(() => made.enter(2)).toThrow(/There is no stage 2: the task has 2/);
  });

  it('refuses counts that are none', () => {
    expect(() => stages([])).toThrow(/numStages\(\).*at least 1, but is 0/);
    expect(() => stages([2.5])).toThrow(/numSteps\(0\).*is 2\.5/);
  });
});

describe('mistakes', () => {
  it('of the task, the config and the trainer are told', async () => {
    class Plain extends Task {
      override buildModel(): never {
        throw new Error();
      }
      override buildInputs(): never {
        throw new Error();
      }
    }
    const task = new Plain(growing() as never, { name: 'plain' });
    await expect(runnerOf(params(), { task }).run()).rejects.toThrow(/plain cannot be trained in stages: it has no numStages/);
    const plainTrainer = experimentConfig({ task: growing() });
    await expect(runnerOf(plainTrainer as never).run()).rejects.toThrow(/progressiveTrainerConfig/);
    await expect(runnerOf(params({ overfit_batches: 1 })).run()).rejects.toThrow(ConfigError);
    await expect(runnerOf(params({ reduce_on_plateau: { metric: 'validation_loss' } }), { mode: 'train_and_eval' }).run()).rejects.toThrow(
      /reduce_on_plateau: it does not go with training in stages/,
    );
    const runner = runnerOf(params());
    await runner.build();
    expect(() => (runner.trainer.trainDataset = [])).toThrow(UsageError);
    await runner.close();
    expect(makeRunner({ mode: 'train', params: params(), modelDir: dir }).constructor).toBe(ProgressiveRunner);
  });
});
