/** Two classes of points, learned by `SingleTaskTrainer` under Orbit's controller, without an experiment around it. */
import {
  Controller,
  createGlobalStep,
  fromArrays,
  NDArray,
  optimizationConfig,
  OptimizerFactory,
  SparseCategoricalAccuracy,
} from 'orbit-ts';
import * as tf from 'orbit-ts/tf';
import { SingleTaskEvaluator, SingleTaskTrainer } from './single-task.js';

const points = NDArray.of(
  Float32Array.from({ length: 256 }, (_, i) => Math.sin(i * i)),
  [128, 2],
);
const label = NDArray.of(
  Int32Array.from({ length: 128 }, (_, i) => (points.data[2 * i]! > points.data[2 * i + 1]! ? 1 : 0)),
  [128],
);

/** Trains; resolves to the results of the last evaluation. */
export async function main(): Promise<{ [name: string]: unknown }> {
  const batches = fromArrays({ points, label }).batch(32);
  const globalStep = createGlobalStep();
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2], kernelInitializer: 'zeros' })] });
  const factory = new OptimizerFactory(
    optimizationConfig({ optimizer: { type: 'adam' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.1 } } }),
  );
  const controller = await Controller.create({
    globalStep,
    trainer: new SingleTaskTrainer({
      trainDataset: batches.repeat(),
      labelKey: 'label',
      model,
      lossFn: (labels, outputs) =>
        tf
          .oneHot(labels.as1D().toInt(), 2)
          .mul(tf.logSoftmax(outputs as tf.Tensor2D))
          .sum(-1)
          .neg(),
      optimizer: factory.buildOptimizer(factory.buildLearningRate()),
      globalStep,
      metrics: [new SparseCategoricalAccuracy('accuracy')],
    }),
    evaluator: new SingleTaskEvaluator({
      evalDataset: batches,
      labelKey: 'label',
      model,
      metrics: [new SparseCategoricalAccuracy('accuracy')],
    }),
    stepsPerLoop: 20,
    reporter: {},
  });
  return (await controller.trainAndEvaluate({ trainSteps: 100 })) ?? {};
}
