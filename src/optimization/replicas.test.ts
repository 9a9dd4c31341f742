import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { AdamWeightDecay, SGD } from './index.js';

/** The part of `compile`'s option that tells it the replicas: here two that hold the same gradients. */
const twins = {
  size: 2,
  allReduce(arrays: readonly Float32Array[]): void {
    for (const array of arrays) array.forEach((x, i) => (array[i] = 2 * x));
  },
};

describe('gradients of two identical replicas', () => {
  it('are summed before the update', async () => {
    const x = tf.variable(tf.tensor1d([1, 2]));
    const sgd = new SGD({ learningRate: 0.5 });
    const step = compile((g: tf.Tensor1D) => sgd.applyGradients([[tf.square(g), x]]), { collective: twins });
    await step(tf.tensor1d([1, -1]));
    expect([...x.dataSync()]).toEqual([0, 1]);
    step.dispose();
  });

  it('are clipped on each replica before the sum by adamw', async () => {
    const x = tf.variable(tf.tensor1d([0, 0]));
    const adamw = new AdamWeightDecay();
    adamw.setVariablePaths(new Map([[x, 'x']]));
    const step = compile((g: tf.Tensor1D) => adamw.applyGradients([[g, x]]), { collective: twins });
    await step(tf.tensor1d([30, -40]));
    // (30, −40) is clipped to norm 1, then doubled; the slot holds the first gradient as it is.
    const m = adamw.variables()['scaled_m/x']!.dataSync();
    expect(m[0]).toBeCloseTo(1.2, 6);
    expect(m[1]).toBeCloseTo(-1.6, 6);
    step.dispose();
  });

  it('with one replica there is no sum in the graph', () => {
    const x = tf.variable(tf.tensor1d([1, 2]));
    const sgd = new SGD();
    const step = compile((g: tf.Tensor1D) => sgd.applyGradients([[g, x]]));
    const lines = step
      .graph(tf.tensor1d([1, 1]))
      .split('\n')
      .filter((line) => line.includes(' = '));
    expect(lines.map((line) => line.split(' = ')[1]!.split('(')[0])).toEqual(['Multiply', 'Sub', 'Add']);
    step.dispose();
  });
});
