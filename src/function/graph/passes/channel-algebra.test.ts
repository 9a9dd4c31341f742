import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from '../../index.js';

/** The loss and the gradients of convolution, batch normalisation in training mode, relu, and a skip connection. */
function gradients(x: tf.Tensor, w: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor[] {
  const loss = (image: tf.Tensor, filter: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor => {
    const y = tf.conv2d(image as tf.Tensor4D, filter as tf.Tensor4D, 1, 'same');
    const { mean, variance } = tf.moments(y, [0, 1, 2]);
    const normal = tf.batchNorm(y, mean as tf.Tensor1D, variance as tf.Tensor1D, beta as tf.Tensor1D, gamma as tf.Tensor1D, 1e-3);
    return normal.relu().add(y).square().mean();
  };
  const { value, grads } = tf.valueAndGrads(loss)([x, w, scale, offset]);
  return [value, ...grads];
}

const random = (shape: number[], seed: number): tf.Tensor => tf.randomNormal(shape, 0.3, 1, 'float32', seed);

/** Calls of the printed program whose result is an image of the given shape. */
const passesOver = (program: string, shape: string): number =>
  program.split('\n').filter((line) => line.includes('=') && line.endsWith(`float32[${shape}]`)).length;

describe('channelAlgebra', () => {
  const args = [random([3, 5, 4, 2], 1), random([3, 3, 2, 6], 2), random([6], 3), random([6], 4)] as const;

  it('leaves a batch normalisation’s result and gradients as eager tfjs computes them', () => {
    const expected = gradients(...args);
    const got = compile(gradients).runSync(...args);
    got.forEach((g, i) => tf.test_util.expectArraysClose(g.dataSync(), expected[i]!.dataSync(), 2e-5));
  });

  it('about halves the passes over the image', () => {
    const plain = compile(gradients, { disabledPasses: ['channelAlgebra'] }).graph(...args);
    const short = compile(gradients).graph(...args);
    expect(passesOver(short, '3,5,4,6')).toBeLessThanOrEqual(passesOver(plain, '3,5,4,6') / 2 + 1);
  });

  it('leaves a program without such a normalisation as it is', () => {
    const f = (x: tf.Tensor): tf.Tensor => x.mul(2).add(1).mul(3).sum([0, 1, 2]);
    const x = random([2, 3, 3, 2], 5);
    expect(compile(f).graph(x)).toBe(compile(f, { disabledPasses: ['channelAlgebra'] }).graph(x));
  });
});
