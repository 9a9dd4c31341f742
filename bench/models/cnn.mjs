// 28×28×1: convolutions 3×3 of 32 and 64 channels (valid), max-pool 2, dense 128, dense 10; batch 64.
import * as tf from 'orbit-ts/tf';
import { fromLayers, labels } from './inputs.mjs';

/** Multiplications and additions of convolutions and matrix products, forward and backward, in a step. */
export const flops = 3 * 2 * 64 * (26 * 26 * 32 * 9 + 24 * 24 * 64 * 9 * 32 + 9216 * 128 + 128 * 10);

export function build() {
  const { conv2d, dense, flatten, maxPooling2d } = tf.layers;
  const model = tf.sequential({
    layers: [
      conv2d({ filters: 32, kernelSize: 3, activation: 'relu', inputShape: [28, 28, 1] }),
      conv2d({ filters: 64, kernelSize: 3, activation: 'relu' }),
      maxPooling2d({ poolSize: 2 }),
      flatten(),
      dense({ units: 128, activation: 'relu' }),
      dense({ units: 10 }),
    ],
  });
  return { ...fromLayers(model), x: tf.randomNormal([64, 28, 28, 1]), y: labels(64), classes: 10 };
}
