import { describe, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { ExponentialMovingAverage, GradientAccumulation, type Optimizer, SGD } from './index.js';

/** A dense layer of two inputs and two units, its kernel, and a gradient that moves it by [[-1, 0], [3, 4]] at a rate of 1. */
function layer(kernelConstraint: unknown): tf.Variable {
  const dense = tf.layers.dense({ units: 2, inputShape: [2], useBias: false, kernelConstraint: kernelConstraint as 'nonNeg' });
  tf.sequential({ layers: [dense] });
  const kernel = dense.trainableWeights[0]!.read() as tf.Variable;
  kernel.assign(tf.tensor2d([[0.5, 0], [0, 0]])); // prettier-ignore
  return kernel;
}
const gradient = tf.tensor2d([[1, 0], [-3, -4]]); // prettier-ignore
const sgd = (): SGD => new SGD({ learningRate: 1 });
const update = (optimizer: Optimizer, variable: tf.Variable) => (): void => optimizer.applyGradients([[gradient, variable]]);
const expectValues = (variable: tf.Variable, values: number[]): void => tf.test_util.expectArraysClose(variable.dataSync(), values, 1e-6);

describe('an update of a weight with a constraint', () => {
  const norms = [Math.hypot(0.5, 3), 4];
  it.each([
    ['nonNeg', [0, 0, 3, 4]],
    [tf.constraints.maxNorm({ maxValue: 2, axis: 0 }), [-0.5 * (2 / norms[0]!), 0, 3 * (2 / norms[0]!), 2]],
    [tf.constraints.unitNorm({ axis: 0 }), [-0.5 / norms[0]!, 0, 3 / norms[0]!, 1]],
    [null, [-0.5, 0, 3, 4]],
  ])('ends where the constraint allows, eagerly and compiled (%#)', async (constraint, expected) => {
    for (const compiled of [false, true]) {
      const kernel = layer(constraint);
      const step = update(sgd(), kernel);
      if (compiled) await compile(step)();
      else step();
      expectValues(kernel, expected);
    }
  });

  it('is averaged as constrained', () => {
    const kernel = layer('nonNeg');
    const optimizer = new ExponentialMovingAverage(sgd(), { averageDecay: 0.75, dynamicDecay: false });
    optimizer.shadowCopy([kernel]);
    update(optimizer, kernel)();
    optimizer.swapWeights();
    expectValues(kernel, [0, 0, 0.75, 1]); // a quarter of the constrained weight; averages begin at 0
  });

  it('is constrained once for all batches whose gradients are accumulated', () => {
    const kernel = layer(tf.constraints.minMaxNorm({ minValue: 2, maxValue: 2, rate: 0.5, axis: 0 })); // goes half the way each time
    const optimizer = new GradientAccumulation(sgd());
    for (const phase of ['first', 'last'] as const) {
      optimizer.begin(phase, 1);
      update(optimizer, kernel)();
    }
    const scale = (norm: number): number => 0.5 * (2 / norm) + 0.5;
    expectValues(kernel, [-0.5 * scale(norms[0]!), 0, 3 * scale(norms[0]!), 4 * scale(4)]);
  });

  it('does not touch weights without a gradient', () => {
    const kernel = layer('nonNeg');
    kernel.assign(tf.tensor2d([[-1, -1], [-1, -1]])); // prettier-ignore
    const other = tf.variable(tf.scalar(1));
    sgd().applyGradients([[null, kernel], [tf.scalar(1), other]]); // prettier-ignore
    expectValues(kernel, [-1, -1, -1, -1]);
  });
});
