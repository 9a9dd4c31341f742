import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { compile } from '../function/index.js';
import { losses } from './index.js';

interface Case {
  loss: 'meanSquaredError';
  labels: string;
  predictions: string;
  weight: string | null;
  mask: string | null;
  reduction: losses.Reduction;
  options: Record<string, unknown>;
  value: number[];
  gradient: number[];
}
const file = new URL('../../tests/fixtures/losses.json', import.meta.url);
const { data, cases } = JSON.parse(readFileSync(file, 'utf8')) as { data: Record<string, number[]>; cases: Case[] };
const tensor = (name: string) => tf.tensor(data[name]!);

function expectClose(actual: tf.Tensor, wanted: number[]): void {
  expect(actual.size).toBe(wanted.length);
  actual
    .dataSync()
    .forEach((x, i) =>
      expect(Math.abs(x - wanted[i]!), `${x}, expected ${wanted[i]}`).toBeLessThanOrEqual(3e-6 + 1e-5 * Math.abs(wanted[i]!)),
    );
}

describe('losses and their gradients are those recorded from Keras, eagerly and compiled', () => {
  it.each(cases)(
    '$loss of $predictions $options weight $weight mask $mask $reduction',
    ({ loss, labels, predictions, weight, mask, reduction, options, value, gradient }) => {
      const of = (l: tf.Tensor, p: tf.Tensor) =>
        losses[loss](l, p, { ...options, reduction, sampleWeight: weight ? tensor(weight) : null, mask: mask ? tensor(mask) : null });
      const both = (l: tf.Tensor, p: tf.Tensor) => ({ value: of(l, p), gradient: tf.grad((x) => tf.sum(of(l, x)))(p) });
      const compiled = compile(both);
      for (const run of [both, (l: tf.Tensor, p: tf.Tensor) => compiled.runSync(l, p)]) {
        const result = run(tensor(labels), tensor(predictions));
        expectClose(result.value, value);
        expectClose(result.gradient, gradient);
      }
      compiled.dispose();
    },
  );
});

describe('a loss', () => {
  const logits = tf.tensor2d([[0, Math.log(3)], [0, 0], [NaN, 0]]); // prettier-ignore

  it('spreads a share of a class number as it does of a one-hot label', () => {
    const [labels, scores] = [tensor('classes'), tensor('logits')];
    const options = { fromLogits: true, labelSmoothing: 0.3 };
    const sparse = losses.sparseCategoricalCrossentropy(labels, scores, options).dataSync()[0]!;
    expect(sparse).toBeCloseTo(losses.categoricalCrossentropy(tensor('one_hot'), scores, options).dataSync()[0]!, 5);
  });

  it('leaves out labels of the ignored class and values that are masked, also where they are not numbers', () => {
    const options = { fromLogits: true, ignoreClass: -1 };
    const value = losses.sparseCategoricalCrossentropy(tf.tensor1d([1, 0, -1]), logits, options);
    expect(value.dataSync()[0]).toBeCloseTo((Math.log(4 / 3) + Math.log(2)) / 2, 6);
    const masked = losses.sparseCategoricalCrossentropy(tf.tensor1d([1, 0, -1]), logits, {
      ...options,
      mask: tf.tensor1d([true, false, true], 'bool'),
    });
    expect(masked.dataSync()[0]).toBeCloseTo(Math.log(4 / 3), 6);
  });

  it('divides by the weights for a weighted mean, and is 0 where nothing counts', () => {
    const [y, p, w] = [tf.tensor2d([0, 0, 0], [3, 1]), tf.tensor2d([1, 2, 3], [3, 1]), tf.tensor1d([1, 3, 0])];
    const weighted = losses.meanSquaredError(y, p, { sampleWeight: w, reduction: 'weighted_mean' });
    expect(weighted.dataSync()[0]).toBeCloseTo((1 + 3 * 4) / 4, 6);
    for (const reduction of ['mean', 'weighted_mean', 'sum'] as const)
      expect(losses.meanSquaredError(y, p, { mask: tf.zeros([3]), reduction }).dataSync()[0]).toBe(0);
  });

  it('refuses what does not fit, by its name', () => {
    const zeros = tf.zeros([4, 2]);
    expect(() => losses.huber(zeros, zeros, { delta: 0 })).toThrow(/delta must be positive/);
    expect(() => losses.binaryCrossentropy(zeros, zeros, { labelSmoothing: 2 })).toThrow(/labelSmoothing must be in \[0, 1\]/);
    expect(() => losses.logCosh(zeros, zeros, { reduction: 'average' as never })).toThrow(
      /must be mean, weighted_mean, sum or none, but is "average"/,
    );
    expect(() => losses.meanSquaredError(zeros, zeros, { sampleWeight: tf.zeros([3]) })).toThrow(
      /sample weights of shape \[3\] do not fit/,
    );
    expect(() => losses.meanSquaredError(zeros, tf.zeros([4, 3]))).toThrow(UsageError);
  });
});
