// 784-512-512-10, relu, batch 128.
import * as tf from 'orbit-ts/tf';
import { fromLayers, labels } from './inputs.mjs';

/** Multiplications and additions of the matrix products, forward and backward, in a step. */
export const flops = 3 * 2 * 128 * (784 * 512 + 512 * 512 + 512 * 10);

export function build() {
  const { dense } = tf.layers;
  const model = tf.sequential({
    layers: [dense({ units: 512, activation: 'relu', inputShape: [784] }), dense({ units: 512, activation: 'relu' }), dense({ units: 10 })],
  });
  return { ...fromLayers(model), x: tf.randomNormal([128, 784]), y: labels(128), classes: 10 };
}
