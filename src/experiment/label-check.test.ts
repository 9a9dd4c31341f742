import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { NDArray } from '../data/index.js';
import { DataError } from '../errors.js';
import { Mean, SparseCategoricalAccuracy } from '../metrics/index.js';
import { LabelCheck } from './label-check.js';
import type { Tensors } from './model.js';

const model = tf.sequential({ layers: [tf.layers.dense({ units: 3, inputShape: [2] })] });
const features = NDArray.of(new Float32Array(4), [2, 2]);
const batch = (labels: unknown): Tensors => [features, labels] as unknown as Tensors;
const checked = new LabelCheck(model, [new SparseCategoricalAccuracy('accuracy')], 'Flowers');

describe('LabelCheck', () => {
  it.each<[string, unknown]>([
    ['an array with a shape', NDArray.of(Int32Array.of(0, 2), [2])],
    ['a typed array', Int32Array.of(1, 1)],
    ['a tensor', tf.tensor1d([0, 2], 'int32')],
    ['floats', Float32Array.of(2, 0)],
  ])('lets classes of the model pass, as %s', (_what, labels) => {
    expect(() => checked.check(batch(labels))).not.toThrow();
  });

  it.each<[string, unknown, RegExp]>([
    [
      'too large',
      NDArray.of(Int32Array.of(0, 7), [2]),
      /labels of Flowers .* from 0 to 2, because the model has 3 outputs, but a batch holds 7\. Correct/,
    ],
    ['counted from 1', Int32Array.of(1, 3), /holds 3\. Do they begin at 1\?/],
    ['negative', tf.tensor1d([-1, 0], 'int32'), /holds -1/],
    ['no number', Float32Array.of(NaN), /holds NaN/],
  ])('refuses labels that are %s', (_what, labels, message) => {
    expect(() => checked.check(batch(labels))).toThrow(DataError);
    expect(() => checked.check(batch(labels))).toThrow(message);
  });

  it('keeps out of tasks without class labels, and of labels that it cannot read', () => {
    expect(() => new LabelCheck(model, [new Mean('loss')], 'Prices').check(batch(Float32Array.of(99)))).not.toThrow();
    expect(() =>
      new LabelCheck({ apply: () => null }, [new SparseCategoricalAccuracy()], 'Own').check(batch(Int32Array.of(99))),
    ).not.toThrow();
    expect(() => checked.check(batch({ boxes: Float32Array.of(99) }))).not.toThrow();
  });
});
