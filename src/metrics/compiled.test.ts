import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { createMetric, Mean, MeanMetricWrapper, meanSquaredError, type Metric } from './index.js';

interface Batch {
  values?: number[];
  y_true: number[];
  y_pred: number[];
  sample_weight?: number[];
  int_labels?: boolean;
}
interface Case {
  name: string;
  config: { class: string; fn?: string; args: Record<string, unknown> };
  inputs: { batches: Batch[] };
  expected: { after_each: (number | string | (number | string)[])[] };
}
const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/metrics.json', import.meta.url), 'utf8')) as { cases: Case[] };

/** The arguments of `updateState`, as tensors. */
function feed(batch: Batch): tf.Tensor[] {
  const weights = batch.sample_weight === undefined ? [] : [tf.tensor(batch.sample_weight)];
  if (batch.values !== undefined) return [tf.tensor(batch.values), ...weights];
  return [tf.tensor(batch.y_true, undefined, batch.int_labels ? 'int32' : 'float32'), tf.tensor(batch.y_pred), ...weights];
}

function update(metric: Metric, [first, second, third]: tf.Tensor[]): void {
  metric.updateState(first!, second, third);
}

describe('a compiled update gives the recorded numbers and those of the eager one', () => {
  for (const { name, config, inputs, expected: recorded } of cases.filter((c) => !c.config.fn && c.name !== 'mean_with_nan')) {
    it(name, async () => {
      const [eager, compiled] = [createMetric(config.class, config.args), createMetric(config.class, config.args)];
      const step = compile((...args: tf.Tensor[]) => update(compiled, args));
      for (const [i, batch] of inputs.batches.entries()) {
        update(eager, feed(batch));
        await step(...feed(batch));
        const wanted = recorded.after_each[i]!;
        const results = Array.isArray(wanted) ? (compiled as Metric & { results(): number[] }).results() : [compiled.result()];
        [wanted].flat().forEach((w, j) => {
          expect(Math.abs(results[j]! - Number(w)), `batch ${i}, as recorded`).toBeLessThanOrEqual(1e-6 + 1e-5 * Math.abs(Number(w)));
        });
      }
      for (const [key, variable] of Object.entries(eager.variables())) {
        const [expected, actual] = [variable.dataSync(), compiled.variables()[key]!.dataSync()];
        expected.forEach((x, i) => expect(Math.abs(actual[i]! - x), key).toBeLessThanOrEqual(1e-5 * Math.max(1, Math.abs(x))));
      }
      step.dispose();
    });
  }

  it('also after a reset between steps', async () => {
    const [mean, error] = [new Mean('loss'), new MeanMetricWrapper(meanSquaredError, 'mse')];
    const step = compile((x: tf.Tensor1D) => {
      mean.updateState(tf.mean(x));
      error.updateState(x, tf.zerosLike(x));
    });
    await step(tf.tensor1d([1, 3]));
    expect([mean.result(), error.result()]).toEqual([2, 5]);
    mean.resetState();
    error.resetState();
    await step(tf.tensor1d([4, 4]));
    expect([mean.result(), error.result()]).toEqual([4, 16]);
    expect(step.traceCount).toBe(1);
    step.dispose();
  });
});
