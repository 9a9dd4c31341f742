import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import {
  binaryCrossentropy,
  createMetric,
  huber,
  meanAbsoluteError,
  MeanMetricWrapper,
  meanSquaredError,
  type Metric,
  sparseCategoricalCrossentropy,
  type ValueFunction,
} from './index.js';

type Nested = (number | string | Nested)[];
interface Batch {
  values?: number | string | Nested;
  y_true?: Nested;
  y_pred?: Nested;
  sample_weight?: number | Nested;
  int_labels?: boolean;
}
interface Case {
  name: string;
  config: { class: string; fn?: string; args: Record<string, unknown> };
  inputs: { batches: Batch[] };
  expected: { metric_name: string; before: unknown; after_each: unknown[]; after_reset: unknown; after_reset_and_first_batch: unknown };
}
const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/metrics.json', import.meta.url), 'utf8')) as { cases: Case[] };

const functions: Record<string, ValueFunction> = {
  mean_squared_error: meanSquaredError,
  mean_absolute_error: meanAbsoluteError,
  sparse_categorical_crossentropy: sparseCategoricalCrossentropy,
  binary_crossentropy: binaryCrossentropy,
  huber,
};

function build({ class: className, fn, args }: Case['config']): Metric {
  return fn ? new MeanMetricWrapper((l, p) => functions[fn]!(l, p), 'wrapped') : createMetric(className, args);
}

function tensor(x: unknown, dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
  const numbers = (y: unknown): unknown => (Array.isArray(y) ? y.map(numbers) : Number(y));
  return tf.tensor(numbers(x) as number[], undefined, dtype);
}

function update(metric: Metric, batch: Batch): void {
  tf.tidy(() => {
    const weight = batch.sample_weight === undefined ? undefined : tensor(batch.sample_weight);
    if (batch.values !== undefined) metric.updateState(tensor(batch.values), weight);
    else metric.updateState(tensor(batch.y_true, batch.int_labels ? 'int32' : 'float32'), tensor(batch.y_pred), weight);
  });
}

function read(metric: Metric, likeList: boolean): number[] {
  return likeList ? (metric as Metric & { results(): number[] }).results() : [metric.result()];
}

function expectClose(actual: number[], expected: unknown): void {
  const wanted = (Array.isArray(expected) ? expected : [expected]).map(Number);
  expect(actual.length).toBe(wanted.length);
  wanted.forEach((w, i) => {
    if (Number.isNaN(w)) expect(actual[i]).toBeNaN();
    else expect(Math.abs(actual[i]! - w), `${actual[i]}, expected ${w}`).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(w));
  });
}

beforeEach(() => tf.engine().startScope());
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

describe('metrics give the values recorded from the reference', () => {
  for (const { name, config, inputs, expected } of cases) {
    it(name, () => {
      const metric = build(config);
      const isList = Array.isArray(expected.after_each[0]);
      expect(metric.name).toBe(expected.metric_name);
      if (!isList && expected.before !== null) expectClose([metric.result()], expected.before);
      inputs.batches.forEach((batch, i) => {
        update(metric, batch);
        expectClose(read(metric, isList), expected.after_each[i]);
      });
      metric.resetState();
      expectClose(read(metric, isList), expected.after_reset);
      update(metric, inputs.batches[0]!);
      expectClose(read(metric, isList), expected.after_reset_and_first_batch);
    });
  }
});

describe('a metric', () => {
  it('leaves no tensors behind over 20 eager updates, reads and resets', () => {
    for (const { config, inputs } of cases) {
      const metric = build(config);
      update(metric, inputs.batches[0]!);
      const before = tf.memory().numTensors;
      for (let i = 0; i < 20; i++) {
        update(metric, inputs.batches[i % inputs.batches.length]!);
        if (i % 5 === 0) metric.resetState();
      }
      expect(tf.memory().numTensors, config.class).toBe(before);
      metric.dispose();
    }
  });

  it('gives the same results after its state went through another instance', () => {
    for (const { config, inputs, expected } of cases) {
      const isList = Array.isArray(expected.after_each[0]);
      const [first, second] = [build(config), build(config)];
      inputs.batches.forEach((batch, i) => {
        const [from, to] = i % 2 === 0 ? [first, second] : [second, first];
        update(from, batch);
        to.loadStateDict(from.stateDict());
      });
      expect(read(first, isList), config.class).toEqual(read(second, isList));
      expectClose(read(first, isList), expected.after_each[inputs.batches.length - 1]);
    }
  });

  it('counts a prediction that is not a number, and a label out of range, as a miss of top-k', () => {
    const metric = createMetric('SparseTopKCategoricalAccuracy', { k: 2 });
    metric.updateState(
      tf.tensor1d([0, 3, -1, 1], 'int32'),
      tf.tensor2d([
        [NaN, NaN, NaN],
        [1, 2, 3],
        [1, 2, 3],
        [1, 2, 3],
      ]),
    );
    expect(metric.result()).toBe(0.25);
  });

  it('tells an unknown class, an unknown option and shapes that do not fit', () => {
    expect(() => createMetric('Acuracy')).toThrow(/"Acuracy" is no metric\. Known metrics: Mean, Sum/);
    expect(() => createMetric('AUC', { num_threshold: 3 })).toThrow(
      /AUC has no option "num_threshold". Known options: name, num_thresholds/,
    );
    const accuracy = createMetric('SparseCategoricalAccuracy');
    expect(() => accuracy.updateState(tf.zeros([4, 10]), tf.zeros([4, 10]))).toThrow(
      /Labels of shape \[4,10\] do not fit .* For one-hot labels use the metric without "Sparse"/,
    );
    expect(() => accuracy.updateState(tf.zeros([4]))).toThrow(/needs predictions as a tensor/);
    expect(() => createMetric('Mean').updateState(tf.zeros([4]), tf.zeros([3]))).toThrow(
      /sample weights of shape \[3\] do not fit values of shape \[4\]/,
    );
    expect(() => accuracy.loadStateDict({})).toThrow(/saved "total" is missing/);
  });
});
