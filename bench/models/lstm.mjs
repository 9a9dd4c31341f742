// 64 steps of 32 features, 128 units, last state to dense 10, batch 32.
import * as tf from 'orbit-ts/tf';
import { fromLayers, labels } from './inputs.mjs';

/** Multiplications and additions of the matrix products, forward and backward, in a step. */
export const flops = 3 * 2 * 32 * (64 * (32 + 128) * 512 + 128 * 10);

export function build() {
  const model = tf.sequential({
    layers: [tf.layers.lstm({ units: 128, recurrentActivation: 'sigmoid', inputShape: [64, 32] }), tf.layers.dense({ units: 10 })],
  });
  return { ...fromLayers(model), x: tf.randomNormal([32, 64, 32]), y: labels(32), classes: 10 };
}
