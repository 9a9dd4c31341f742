import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../index.js';
import { nativeLibrary } from '../runtime/native.js';

const native = nativeLibrary(true);
/** Why the tests below are left out where they are. */
const reason = native === undefined ? ' (no native kernels here)' : '';

type Op = (x: tf.Tensor, filter: tf.Tensor) => tf.Tensor;
type Convolve = (x: never, filter: never, stride: number, pad: 'same' | 'valid') => tf.Tensor;
const by =
  (convolve: Convolve) =>
  (stride: number, pad: 'same' | 'valid'): Op =>
  (x, filter) =>
    convolve(x as never, filter as never, stride, pad);
const [conv1d, conv2d, conv3d, depthwise] = [by(tf.conv1d), by(tf.conv2d), by(tf.conv3d), by(tf.depthwiseConv2d)];

/** Name, convolution, shapes of image and filter, and which gradients native kernels compute. */
const cases: [string, Op, number[], number[], { image: boolean; filter: boolean }][] = [
  ['a narrow 1-D filter', conv1d(1, 'same'), [2, 40, 3], [13, 3, 8], { image: true, filter: true }],
  ['a wide 1-D filter', conv1d(1, 'same'), [2, 40, 3], [14, 3, 8], { image: true, filter: false }],
  ['a strided 1-D filter', conv1d(2, 'same'), [2, 40, 8], [5, 8, 8], { image: false, filter: true }],
  ['a wide strided 1-D filter', conv1d(4, 'valid'), [2, 80, 1], [16, 1, 8], { image: false, filter: false }],
  ['patches of few channels', conv2d(4, 'valid'), [2, 16, 16, 3], [4, 4, 3, 8], { image: false, filter: true }],
  ['patches of many channels', conv2d(4, 'valid'), [2, 16, 16, 8], [4, 4, 8, 8], { image: true, filter: true }],
  ['small strided filters over few channels', conv2d(2, 'same'), [2, 12, 12, 3], [3, 3, 3, 8], { image: true, filter: true }],
  ['a padded 3-D filter', conv3d(1, 'same'), [1, 6, 6, 6, 3], [3, 3, 3, 3, 4], { image: true, filter: false }],
  ['a 3-D filter without padding', conv3d(1, 'valid'), [1, 6, 6, 6, 3], [3, 3, 3, 3, 4], { image: true, filter: true }],
  ['a strided 3-D filter', conv3d(2, 'same'), [1, 6, 6, 6, 3], [3, 3, 3, 3, 4], { image: false, filter: false }],
  ['a strided depthwise filter', depthwise(2, 'same'), [2, 12, 12, 4], [5, 5, 4, 1], { image: true, filter: true }],
  ['a strided depthwise filter with a multiplier', depthwise(2, 'same'), [2, 12, 12, 4], [5, 5, 4, 2], { image: false, filter: true }],
];

describe.skipIf(!native?.ops.has('ConvFilterGrad'))(`gradients of convolutions that oneDNN has no fast form for${reason}`, () => {
  it.each(cases)('go to the faster form and equal eager ones: %s', (_, op, xShape, fShape, expected) => {
    const [x, f] = [tf.randomNormal(xShape, 0, 1, 'float32', 1), tf.randomNormal(fShape, 0, 1, 'float32', 2)];
    const gradients = (a: tf.Tensor, b: tf.Tensor): tf.Tensor[] => tf.grads((p, q) => op(p!, q!).square().sum())([a, b]);
    const step = compile(gradients);
    const eager = gradients(x, f);
    step.runSync(x, f).forEach((gradient, i) => {
      const scale = Math.max(...eager[i]!.abs().dataSync());
      tf.test_util.expectArraysClose(gradient.dataSync(), eager[i]!.dataSync(), 1e-5 * scale);
    });
    const kernels = new Set(step.profile(x, f).rows.map((row) => row.op.split('.').at(-1)!));
    expect({ image: kernels.has('ConvInputGrad'), filter: kernels.has('ConvFilterGrad') }).toEqual(expected);
  });
});
