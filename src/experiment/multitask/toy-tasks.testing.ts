/** The two regressions of the recorded multi-task runs: a shared trunk, a head each, six batches each. */
import { readFileSync } from 'node:fs';
import * as tf from '#tf';
import { extendConfig } from '../../config/index.js';
import { fromArrays, NDArray } from '../../data/index.js';
import type { Dataset } from '../../data/index.js';
import { MeanAbsoluteError } from '../../metrics/index.js';
import type { Metric } from '../../metrics/index.js';
import type { Output } from '../../orbit/index.js';
import { taskConfig } from '../config.js';
import type { DataConfig } from '../config.js';
import { registerTask } from '../registry.js';
import { Task } from '../task.js';
import { defineMultiTask, MultiTask, multiTaskConfig, multiTaskExperimentConfig, MultiTaskRunner, TaskSampler } from './index.js';
import type { MultiTaskModel, MultiTaskRunnerOptions, MultiTaskTrainerConfigInput } from './index.js';

type Part = 'train' | 'validation';
type Weights = Record<'trunk' | 'foo' | 'bar', number[][]>;

/** What `generate-multitask.py` recorded of a run. */
export interface Recorded {
  loops: { logs: Output; weights: Weights; global_step: number }[];
  task_steps?: Record<string, number>;
  evaluation_of_3: Record<string, Record<string, number>>;
}

/** The recorded values of the reference. */
export const recorded = JSON.parse(readFileSync(new URL('../../../tests/fixtures/multitask.json', import.meta.url), 'utf8')) as {
  initial: Weights;
  task_weights: Record<string, number>;
  batches: Record<string, Record<Part, [number[][], number[][]][]>>;
  joint: Recorded;
  interleaving: Recorded;
  samplers: { config: object; weights: Record<string, number>; steps: number[]; cumulative: number[][] }[];
};

/** Config of the toy tasks. `shuffle` deals the rows anew in each epoch. */
export const toyRegression = taskConfig({ shuffle: false }, { name: 'toy_regression' });

/** A linear regression on the recorded rows of its name. */
export class ToyRegression extends Task<typeof toyRegression> {
  override buildModel(): never {
    throw new Error('the model is that of all tasks');
  }

  override buildInputs(data: DataConfig): Dataset<unknown> {
    const batches = recorded.batches[this.name]![data.is_training ? 'train' : 'validation'];
    const [x, y] = [0, 1].map((part) => batches.flatMap((batch) => batch[part]!));
    const array = (rows: number[][]): NDArray => new NDArray(Float32Array.from(rows.flat()), [rows.length, rows[0]!.length], 'float32');
    const rows = fromArrays([array(x!), array(y!)]);
    const dealt = data.is_training && this.taskConfig.shuffle ? rows.shuffle({ bufferSize: 100, seed: data.seed ?? 0 }) : rows;
    const all = dealt.batch(batches[0]![0].length, { dropRemainder: data.drop_remainder });
    return data.is_training ? all.repeat() : all;
  }

  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor {
    return tf.mean(tf.squaredDifference(labels, outputs));
  }

  override buildMetrics(): Metric[] {
    return [new MeanAbsoluteError('mae')];
  }
}
registerTask(toyRegression, ToyRegression);

/** A trunk of two tanh units and a linear head per task, with the recorded weights. */
export function toyModel(): MultiTaskModel {
  const input = tf.input({ shape: [3] });
  const dense = (name: keyof Weights, units: number, activation?: 'tanh') => tf.layers.dense({ name, units, activation });
  const trunk = dense('trunk', 2, 'tanh');
  const hidden = trunk.apply(input) as tf.SymbolicTensor;
  const layers = { trunk, foo: dense('foo', 1), bar: dense('bar', 1) };
  const sub = (name: 'foo' | 'bar') => tf.model({ inputs: input, outputs: layers[name].apply(hidden) as tf.SymbolicTensor });
  const subTasks = { foo: sub('foo'), bar: sub('bar') };
  for (const [name, layer] of Object.entries(layers)) {
    const values = recorded.initial[name as keyof Weights];
    layer.setWeights(layer.getWeights().map((w, i) => tf.tensor(values[i]!, w.shape)));
  }
  return { subTasks };
}

/** The weights of trunk and heads. */
export function toyWeights(model: unknown): Weights {
  const { foo, bar } = (model as MultiTaskModel).subTasks as Record<string, tf.LayersModel>;
  const of = (m: tf.LayersModel, name: string): number[][] =>
    m
      .getLayer(name)
      .getWeights()
      .map((w) => [...w.dataSync()]);
  return { trunk: of(foo!, 'trunk'), foo: of(foo!, 'foo'), bar: of(bar!, 'bar') };
}

const toyMultiTask = extendConfig(multiTaskConfig, {}, { name: 'toy_multi_task' });
defineMultiTask(toyMultiTask, { buildModel: toyModel });

/** Six steps in loops of three, with the recorded optimizer and weights. */
export function toyMultiParams(trainer: MultiTaskTrainerConfigInput = {}, task: object = {}) {
  const routine = (name: string) => ({
    task_config: toyRegression({ name, train_data: { is_training: true }, validation_data: { is_training: false }, ...task }),
    task_weight: recorded.task_weights[name]!,
    eval_steps: name === 'foo' ? 2 : null,
  });
  return multiTaskExperimentConfig({
    task: toyMultiTask({ task_routines: [routine('foo'), routine('bar')] }),
    trainer: {
      ...{ train_steps: 6, steps_per_loop: 3, summary_interval: 3, checkpoint_interval: 3, validation_interval: 6, validation_steps: 3 },
      optimizer_config: {
        optimizer: { type: 'sgd', sgd: { momentum: 0.9 } },
        learning_rate: {
          type: 'polynomial',
          polynomial: { initial_learning_rate: 0.1, end_learning_rate: 0, decay_steps: 10, power: 1 },
        },
      },
      ...trainer,
    } as MultiTaskTrainerConfigInput,
  });
}

/** A runner that says nothing and writes no summaries. */
export function toyMultiRunner(
  params: ReturnType<typeof toyMultiParams>,
  modelDir: string,
  more: Partial<MultiTaskRunnerOptions> = {},
): MultiTaskRunner {
  return new MultiTaskRunner({ mode: 'train', params, modelDir, reporter: {}, log: () => {}, saveSummary: false, ...more });
}

/** The tasks of the recorded runs, without a config. */
export function toyMulti(): MultiTask {
  const config = (name: string) => toyRegression({ name, train_data: { is_training: true }, validation_data: { is_training: false } });
  const tasks = ['foo', 'bar'].map((name) => new ToyRegression(config(name), { name }));
  return new MultiTask({ tasks, taskWeights: recorded.task_weights });
}

/** foo in steps 0, 1, 3, 4; bar in steps 2, 5; as recorded. */
export class Alternating extends TaskSampler {
  override taskCumulativeDistribution(step: number): Float32Array {
    return Float32Array.from(step % 3 === 2 ? [0, 1] : [1, 1]);
  }
}
