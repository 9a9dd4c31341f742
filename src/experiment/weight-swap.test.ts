import { expect, it } from 'vitest';
import * as tf from '#tf';
import { WeightSwap } from './weight-swap.js';

/** A weight of 1 whose average is 5. */
function averaged(): { weight: tf.Variable; average: tf.Variable; swapWeights: () => void } {
  const [weight, average] = [tf.variable(tf.scalar(1)), tf.variable(tf.scalar(5))];
  const swapWeights = (): void => {
    const kept = weight.clone();
    weight.assign(average);
    average.assign(kept as tf.Scalar);
  };
  return { weight, average, swapWeights };
}

for (const eager of [false, true]) {
  it(`shows the averages to the work and gives the weights back, again and again (eager: ${eager})`, async () => {
    const { weight, average, ...averages } = averaged();
    const swap = new WeightSwap(eager);
    for (let i = 0; i < 2; i++) {
      expect(await swap.during(averages, () => weight.data())).toEqual(Float32Array.of(5));
      expect(await weight.data()).toEqual(Float32Array.of(1));
      expect(await average.data()).toEqual(Float32Array.of(5));
    }
  });
}

it('gives the weights back when the work fails', async () => {
  const { weight, ...averages } = averaged();
  await expect(new WeightSwap(true).during(averages, () => Promise.reject(new Error('no data')))).rejects.toThrow('no data');
  expect(await weight.data()).toEqual(Float32Array.of(1));
});

it('leaves the weights in place where there are no averages', async () => {
  expect(await new WeightSwap(true).during(null, () => Promise.resolve('done'))).toBe('done');
});
