import * as tf from '#tf';
import { describe, it } from 'vitest';
import { agreeWithEager, classifier, labels } from './compare.testing.js';
import { zoo } from './models.testing.js';

// Their losses need not fall: the two players work against each other, or noise outweighs 20 steps.
const UNSTEADY = new Set(['GAN with two optimizers', 'GRU', 'variational autoencoder', 'separable and depthwise convolutions']);

describe('a compiled training step', () => {
  for (const [name, build] of Object.entries(zoo)) {
    it(`has eager tfjs's losses over 20 steps: ${name}`, () => agreeWithEager(build, { falls: !UNSTEADY.has(name) }));
  }

  it("has eager tfjs's losses at full size: a batch of 128 images through 784-512-512-10", () => {
    agreeWithEager(
      () => {
        const l = tf.layers;
        const model = tf.sequential({
          layers: [
            l.dense({ inputShape: [784], units: 512, activation: 'relu' }),
            l.dense({ units: 512, activation: 'relu' }),
            l.dense({ units: 10 }),
          ],
        });
        const x = tf.randomUniform([128, 784]);
        const y = labels(128, 10);
        return { steps: [classifier(model, tf.train.adam(0.001)) as (...args: tf.Tensor[]) => tf.Tensor], batch: () => [x, y] };
      },
      { steps: 2 },
    );
  });
});
