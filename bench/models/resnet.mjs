// ResNet-20 for 32×32×3: three stages of three blocks with 16, 32, 64 channels, projections at the stage borders,
// batch normalisation with the batch's own statistics; batch 32.
import * as tf from 'orbit-ts/tf';
import { fromLayers, labels } from './inputs.mjs';

const BATCH = 32;
const CHANNELS = [16, 32, 64];

/** Multiplications and additions of convolutions and the last product, forward and backward, in a step. */
export const flops = 3 * 2 * BATCH * multiplications();

function multiplications() {
  let sum = 32 * 32 * 9 * 3 * 16 + 64 * 10;
  let channels = 16;
  CHANNELS.forEach((width, stage) => {
    const pixels = (32 >> stage) ** 2;
    for (let i = 0; i < 3; i++) {
      sum += pixels * 9 * (channels * width + width * width);
      if (channels !== width) sum += pixels * channels * width;
      channels = width;
    }
  });
  return sum;
}

export function build() {
  const { activation, add, batchNormalization, conv2d, dense, globalAveragePooling2d } = tf.layers;
  const relu = (x) => activation({ activation: 'relu' }).apply(x);
  const convolution = (x, filters, kernelSize, strides) =>
    batchNormalization().apply(conv2d({ filters, kernelSize, strides, padding: 'same', useBias: false }).apply(x));

  const input = tf.input({ shape: [32, 32, 3] });
  let x = relu(convolution(input, 16, 3, 1));
  let channels = 16;
  CHANNELS.forEach((width, stage) => {
    for (let i = 0; i < 3; i++) {
      const stride = stage > 0 && i === 0 ? 2 : 1;
      const y = convolution(relu(convolution(x, width, 3, stride)), width, 3, 1);
      if (channels !== width) x = convolution(x, width, 1, stride);
      x = relu(add().apply([x, y]));
      channels = width;
    }
  });
  const model = tf.model({ inputs: input, outputs: dense({ units: 10 }).apply(globalAveragePooling2d({}).apply(x)) });
  return { ...fromLayers(model), x: tf.randomNormal([BATCH, 32, 32, 3]), y: labels(BATCH), classes: 10 };
}
