import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../index.js';
import { agree, check, gradients, tensors } from './agree.testing.js';

const size = fc.integer({ min: 1, max: 6 });
const small = fc.integer({ min: 1, max: 3 });
const pools = (
  kind: 'float32' | 'int32',
): fc.Arbitrary<{ x: tf.Tensor; kernel: [number, number]; strides: [number, number]; pad: 'same' | 'valid' | number }> =>
  fc
    .record({
      shape: fc.tuple(small, size, size, small),
      kernel: fc.tuple(small, small),
      strides: fc.tuple(small, small),
      pad: fc.oneof(fc.constantFrom('same' as const, 'valid' as const), fc.integer({ min: 0, max: 3 })),
    })
    .filter(({ shape, kernel, pad }) => pad !== 'valid' || (shape[1] >= kernel[0] && shape[2] >= kernel[1]))
    .filter(({ shape, kernel, pad }) => typeof pad !== 'number' || (shape[1] + 2 * pad >= kernel[0] && shape[2] + 2 * pad >= kernel[1]))
    .chain(({ shape, ...rest }) => tensors(shape, kind).map((x) => ({ x, ...rest })));

describe('compiled pooling agrees with eager tfjs', () => {
  it('in the gradient of maxima among NaN, infinities and equal numbers', () => {
    check(pools('float32'), 30, ({ x, kernel, strides, pad }) => {
      const dy = tf
        .maxPool(x as tf.Tensor4D, kernel, strides, pad)
        .isNaN()
        .cast('float32')
        .add(1)
        .cumsum(3)
        .cumsum(2);
      const attrs = { filterSize: kernel, strides, pad } as unknown as tf.NamedAttrMap;
      agree({ kernel: (v, d) => tf.engine().runKernel('MaxPoolGrad', { dy: d!, input: v!, output: d! }, attrs) as tf.Tensor }, x, dy);
    });
  });
  it('in the positions of maxima among NaN, infinities, equal numbers and windows of padding alone', () => {
    check(fc.tuple(pools('float32'), fc.boolean()), 30, ([{ x, kernel, strides, pad }, withBatch]) =>
      agree({ pool: (v) => Object.values(tf.maxPoolWithArgmax(v as tf.Tensor4D, kernel, strides, pad, withBatch)) as tf.Tensor[] }, x),
    );
    check(fc.tuple(pools('int32'), fc.boolean()), 10, ([{ x, kernel, strides, pad }, withBatch]) =>
      agree({ pool: (v) => Object.values(tf.maxPoolWithArgmax(v as tf.Tensor4D, kernel, strides, pad, withBatch)) as tf.Tensor[] }, x),
    );
  });
  it('in the gradient after a relu, whose equal maxima lie above 0', () => {
    const levels = fc.record({ n: small, by: fc.tuple(small, small), out: fc.tuple(small, small), channels: fc.constantFrom(1, 3, 33), flat: fc.boolean() }); // prettier-ignore
    check(levels, 20, ({ n, by, out, channels, flat }) => {
      const shape = [n, by[0] * out[0], by[1] * out[1], channels];
      const count = shape.reduce((a, b) => a * b, 1);
      const x = tf.tensor(
        Float32Array.from({ length: count }, (_, i) => (flat ? 1 : ((i * 7919) % 3) - 0.5)),
        shape,
      );
      const pooled = (v: tf.Tensor): tf.Tensor => tf.maxPool(tf.relu(v) as tf.Tensor4D, by, by, 'valid');
      const filter = tf.ones([1, 1, channels, channels]).mul(0.25) as tf.Tensor4D;
      agree({ plain: gradients(pooled), convolved: gradients((v) => pooled(tf.conv2d(v as tf.Tensor4D, filter, 1, 'same'))) }, x);
    });
  });
  it('where one unit in the last place decides between two maxima', () => {
    const [a, b] = [Math.fround(1.3), Math.fround(1.3 + 2 ** -23)];
    const x = tf.tensor4d([a, b, a, a], [1, 2, 2, 1]);
    const got = compile(gradients((v) => tf.maxPool(tf.relu(v) as tf.Tensor4D, 2, 2, 'valid'))).runSync(x) as tf.Tensor[];
    expect(Array.from(got[0]!.dataSync()).filter((v) => v !== 0)).toHaveLength(1);
  });
});
