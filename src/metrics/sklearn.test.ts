import { readFileSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { ConfusionMatrix, createMetric } from './index.js';

interface Recorded {
  data: {
    classes: number[];
    scores: number[][];
    binary: number[];
    chance: number[];
    numbers: number[];
    guesses: number[];
    weights: number[];
  };
  confusion: number[][];
  average_precision: number;
  cases: { class: string; args: Record<string, unknown>; inputs: string; weighted: boolean; expected: number }[];
}
const file = new URL('../../tests/fixtures/sklearn-metrics.json', import.meta.url);
const { data, confusion, average_precision, cases } = JSON.parse(readFileSync(file, 'utf8')) as Recorded;
const classes = data.scores[0]!.length;
const oneHot = data.classes.map((c) => Array.from({ length: classes }, (_, i) => (i === c ? 1 : 0)));
const hard = data.scores.map((row) => row.indexOf(Math.max(...row)));
const inputs: Record<string, [number[] | number[][], number[] | number[][]]> = {
  sparse: [data.classes, data.scores],
  one_hot: [oneHot, data.scores],
  binary: [data.binary, data.chance],
  hard: [data.classes, hard],
  numbers: [data.numbers, data.guesses],
};
/** The examples in batches of 24, 24 and 12, as the state is streamed. */
const batches = [0, 24, 48].map((start) => [start, Math.min(start + 24, 60)] as const);

afterEach(() => tf.disposeVariables());

describe('metrics of batches are those of scikit-learn for all examples, eagerly and compiled', () => {
  it.each(cases)('$class $args of $inputs, weighted: $weighted', ({ class: name, args, inputs: key, weighted, expected }) => {
    const [eager, compiled] = [createMetric(name, args), createMetric(name, args)];
    const step = compile((l: tf.Tensor, p: tf.Tensor, w?: tf.Tensor) => compiled.updateState(l, p, w));
    const [labels, predictions] = inputs[key]!;
    for (const [start, end] of batches) {
      const [l, p, w] = [labels, predictions, data.weights].map((all) => tf.tensor(all.slice(start, end)));
      eager.updateState(l!, p, weighted ? w : undefined);
      step.runSync(l!, p!, ...(weighted ? [w!] : []));
    }
    for (const metric of [eager, compiled])
      expect(Math.abs(metric.result() - expected)).toBeLessThanOrEqual(1e-6 + 2e-5 * Math.abs(expected));
    step.dispose();
  });

  it('the weighted confusion matrix', () => {
    const metric = new ConfusionMatrix({ numClasses: classes });
    metric.updateState(tf.tensor(data.classes), tf.tensor(data.scores), tf.tensor(data.weights));
    metric.matrix().forEach((row, i) => row.forEach((x, j) => expect(x).toBeCloseTo(confusion[i]![j]!, 4)));
  });

  it('the area under the precision-recall curve, whose interpolation lies near the average precision', () => {
    const metric = createMetric('AUC', { curve: 'PR', num_thresholds: 1001 });
    metric.updateState(tf.tensor(data.binary), tf.tensor(data.chance));
    expect(Math.abs(metric.result() - average_precision)).toBeLessThan(0.02);
  });
});
