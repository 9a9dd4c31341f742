/** The dense models of the recorded reference runs, as a task. */
import * as tf from '#tf';
import { field } from '../config/index.js';
import { fromArrays, NDArray } from '../data/index.js';
import type { Dataset } from '../data/index.js';
import { Mean, Metric, SparseCategoricalAccuracy } from '../metrics/index.js';
import type { DataConfig } from './config.js';
import { modelConfig, taskConfig } from './config.js';
import { registerTask } from './registry.js';
import { Task } from './task.js';

/** Rows of features and targets. */
export interface ToyData {
  x: number[][];
  y: number[][] | number[];
}

/** A dense layer with given weights. */
export interface ToyLayer {
  kernel: number[][];
  bias: number[];
  activation?: 'tanh' | 'relu' | null;
}

/** Config of the toy task. */
export const toyTask = taskConfig(
  { model: modelConfig({ kind: field.choice(['mse', 'softmax'], 'mse'), l2: field.float(0), dropout: field.float(0) }) },
  { name: 'toy' },
);

class MeanAbsoluteError extends Mean {
  override updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null): void {
    tf.tidy(() => super.updateState(tf.abs(tf.sub(labels, predictions!))));
  }
}

class RootMeanSquaredError extends Mean {
  override updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null): void {
    tf.tidy(() => super.updateState(tf.squaredDifference(labels, predictions!)));
  }
  override result(): number {
    return Math.sqrt(super.result());
  }
}

class CrossEntropy extends Mean {
  override updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null): void {
    tf.tidy(() => super.updateState(crossEntropies(labels as tf.Tensor, predictions as tf.Tensor)));
  }
}

/** Cross entropy of each row, from logits and integer labels. */
function crossEntropies(labels: tf.Tensor, logits: tf.Tensor): tf.Tensor {
  const oneHot = tf.oneHot(tf.cast(labels, 'int32') as tf.Tensor1D, logits.shape.at(-1)!);
  return tf.neg(tf.sum(tf.mul(tf.cast(oneHot, 'float32'), tf.logSoftmax(logits)), -1));
}

/** A task over rows held in memory. Tests set `ToyTask.inputs` before they build one. */
export class ToyTask extends Task<typeof toyTask> {
  static inputs: { layers: ToyLayer[]; train: ToyData; validation: ToyData; isRandom?: boolean };
  initializeCalls = 0;

  override async initialize(): Promise<void> {
    this.initializeCalls += 1;
  }

  override buildModel(): tf.Sequential {
    const { l2, dropout } = this.taskConfig.model;
    const model = tf.sequential();
    for (const { kernel, bias, activation } of ToyTask.inputs.layers) {
      const regularizer = l2 > 0 ? tf.regularizers.l2({ l2 }) : undefined;
      model.add(
        tf.layers.dense({
          units: bias.length,
          inputShape: [kernel.length],
          activation: activation ?? undefined,
          kernelRegularizer: regularizer,
        }),
      );
    }
    if (dropout > 0) model.add(tf.layers.dropout({ rate: dropout }));
    if (ToyTask.inputs.isRandom) return model;
    model.setWeights(ToyTask.inputs.layers.flatMap(({ kernel, bias }) => [tf.tensor(kernel), tf.tensor(bias)]));
    return model;
  }

  override buildInputs(data: DataConfig): Dataset<unknown> {
    const { x, y } = data.is_training ? ToyTask.inputs.train : ToyTask.inputs.validation;
    const features = new NDArray(Float32Array.from(x.flat()), [x.length, x[0]!.length], 'float32');
    const isClasses = typeof y[0] === 'number';
    const targets = isClasses
      ? new NDArray(Int32Array.from(y as number[]), [y.length], 'int32')
      : new NDArray(Float32Array.from((y as number[][]).flat()), [y.length, (y as number[][])[0]!.length], 'float32');
    let rows = fromArrays([features, targets]);
    if (data.is_training && ToyTask.inputs.isRandom) rows = rows.shuffle({ bufferSize: data.shuffle_buffer_size, seed: data.seed ?? 0 });
    const batches = rows.batch(data.global_batch_size, { dropRemainder: data.drop_remainder });
    return data.is_training ? batches.repeat() : batches;
  }

  override buildLosses(labels: tf.Tensor, outputs: tf.Tensor, auxLosses: tf.Scalar[] = []): tf.Tensor {
    const data =
      this.taskConfig.model.kind === 'mse' ? tf.mean(tf.squaredDifference(labels, outputs)) : tf.mean(crossEntropies(labels, outputs));
    return tf.addN([data, ...auxLosses]);
  }

  override buildMetrics(): Metric[] {
    return this.taskConfig.model.kind === 'mse'
      ? [new MeanAbsoluteError('mae'), new RootMeanSquaredError('rmse')]
      : [new SparseCategoricalAccuracy('accuracy'), new CrossEntropy('ce')];
  }
}
registerTask(toyTask, ToyTask);

/** Rows of three features and a linear target, from a fixed formula; the model starts at random weights. */
export function fixedRows(trainRows: number, validationRows = 10): typeof ToyTask.inputs {
  const rows = (count: number, offset: number): ToyData => {
    const x = Array.from({ length: count }, (_, i) => [0, 1, 2].map((k) => Math.sin(3 * (i + offset) + k)));
    return { x, y: x.map(([a, b, c]) => [0.5 * a! - b! + 2 * c! + 0.25]) };
  };
  return {
    layers: [{ kernel: [[0], [0], [0]], bias: [0] }],
    train: rows(trainRows, 0),
    validation: rows(validationRows, 100),
    isRandom: true,
  };
}
