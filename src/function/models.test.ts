import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile, setRandomSeed } from './index.js';

/** A step over a small model: forward in training mode, gradients, update; returns the loss. */
function trainingStep(build: () => tf.Sequential, optimizer: tf.Optimizer): (x: tf.Tensor, y: tf.Tensor) => tf.Scalar {
  const model = build();
  const weights = (): tf.Variable[] => model.trainableWeights.map((w) => w.read() as tf.Variable);
  return (x, y) =>
    optimizer.minimize(
      () => tf.losses.softmaxCrossEntropy(y, model.apply(x, { training: true }) as tf.Tensor).add(regularization(model)) as tf.Scalar,
      true,
      weights(),
    )!;
}

function regularization(model: tf.Sequential): tf.Scalar {
  return model.calculateLosses().reduce((sum, loss) => sum.add(loss) as tf.Scalar, tf.scalar(0));
}

const image: [number, number, number] = [10, 9, 3];
const l = tf.layers;
const models: Record<string, () => tf.Sequential> = {
  mlp: () =>
    tf.sequential({
      layers: [
        l.flatten({ inputShape: image }),
        l.dense({ units: 16, activation: 'relu', kernelRegularizer: tf.regularizers.l2({ l2: 0.01 }) }),
        l.dropout({ rate: 0.3 }),
        l.dense({ units: 5 }),
      ],
    }),
  cnn: () =>
    tf.sequential({
      layers: [
        l.conv2d({ inputShape: image, filters: 8, kernelSize: 3, activation: 'relu' }),
        l.conv2d({ filters: 8, kernelSize: 3, activation: 'relu', padding: 'same' }),
        l.maxPooling2d({ poolSize: 2 }),
        l.flatten(),
        l.dense({ units: 10, activation: 'tanh' }),
        l.dropout({ rate: 0.5 }),
        l.dense({ units: 5 }),
      ],
    }),
  'batch norm': () =>
    tf.sequential({
      layers: [
        l.conv2d({ inputShape: image, filters: 8, kernelSize: 3, strides: 2, useBias: false }),
        l.batchNormalization(),
        l.activation({ activation: 'relu' }),
        l.conv2d({ filters: 12, kernelSize: 1 }),
        l.averagePooling2d({ poolSize: 2 }),
        l.globalAveragePooling2d({}),
        l.dense({ units: 5, activation: 'sigmoid' }),
      ],
    }),
  'overlapping pools': () =>
    tf.sequential({
      layers: [
        l.conv2d({ inputShape: image, filters: 8, kernelSize: 5, padding: 'same', activation: 'elu' }),
        l.maxPooling2d({ poolSize: 3, strides: 2, padding: 'same' }),
        l.averagePooling2d({ poolSize: 3, strides: 1, padding: 'same' }),
        l.flatten(),
        l.dense({ units: 5 }),
      ],
    }),
};

describe('a compiled training step', () => {
  for (const [name, build] of Object.entries(models)) {
    it(`of the model "${name}" has eager tfjs's losses over 20 steps`, () => {
      const run = (eager: boolean): number[] => {
        setRandomSeed(3);
        const x = tf.randomNormal([7, ...image]);
        const y = tf.oneHot(tf.tensor1d([0, 1, 2, 3, 4, 0, 1], 'int32'), 5).toFloat();
        const step = compile(trainingStep(build, tf.train.momentum(0.01, 0.9)), { eager });
        return Array.from({ length: 20 }, () => step.runSync(x, y).dataSync()[0]!);
      };
      const [expected, got] = [run(true), run(false)];
      got.forEach((loss, i) => expect(Math.abs(loss - expected[i]!)).toBeLessThanOrEqual(1e-5 * Math.max(Math.abs(expected[i]!), 0.1)));
      expect(got[19]).toBeLessThan(got[0]!);
    });
  }
});
