import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { type LearningRateSchedule, OptimizerFactory } from './index.js';

interface Case {
  name: string;
  config: Record<string, object>;
  inputs: { steps: number[] };
  expected: { values?: (number | string)[] };
}
const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/lr_schedules.json', import.meta.url), 'utf8')) as { cases: Case[] };

function build(config: object): LearningRateSchedule | number {
  return new OptimizerFactory({ optimizer: { type: 'sgd' }, ...config }).buildLearningRate() as LearningRateSchedule | number;
}

/** The values of a compiled schedule at steps. */
function compiledValues(schedule: LearningRateSchedule, steps: readonly number[]): number[] {
  const compiled = compile((step: tf.Scalar) => schedule.at(step));
  const values = steps.map((step) => {
    const input = tf.scalar(step, 'int32');
    const output = compiled.runSync(input);
    const read = output.dataSync()[0]!;
    tf.dispose([input, output]);
    return read;
  });
  compiled.dispose();
  return values;
}

describe('compiled schedules give the values recorded from the reference', () => {
  for (const { name, config, inputs, expected } of cases.filter((c) => c.expected.values)) {
    it(name, () => {
      const rate = build(config);
      if (typeof rate === 'number') return expect(expected.values!.every((v) => Math.abs(Number(v) - rate) < 1e-8)).toBe(true);
      const largest = Math.max(...expected.values!.map(Number).filter(Number.isFinite).map(Math.abs));
      // Where the reference divides by zero, the last value is held; schedules.test.ts checks that.
      const known = inputs.steps.flatMap((step, i) => (typeof expected.values![i] === 'number' ? [[step, expected.values![i]]] : []));
      const values = compiledValues(
        rate,
        known.map(([step]) => step!),
      );
      known.forEach(([step, wanted], i) =>
        expect(Math.abs(values[i]! - wanted!), `step ${step}`).toBeLessThanOrEqual(2e-6 * Math.abs(wanted!) + 2e-7 * largest),
      );
    });
  }
});

const initial = { initial_learning_rate: 0.3 };
/** One of every branch, that still moves at step 20 million. */
const branches: Record<string, object> = {
  stepwise: { boundaries: [999, 500_000, 20_000_001], values: [1, 0.3, 0.1, 0.03] },
  exponential: { ...initial, decay_steps: 1_000_000, decay_rate: 0.7 },
  polynomial: { ...initial, decay_steps: 20_000_050, end_learning_rate: 0, power: 0.5 },
  cosine: { ...initial, decay_steps: 20_000_050 },
  power: { ...initial, power: -0.5 },
  power_linear: { ...initial, power: -0.25, total_decay_steps: 20_000_050, linear_decay_fraction: 0.97 },
  power_with_offset: { ...initial, power: -0.5, offset: 700, pre_offset_learning_rate: 0.2 },
  step_cosine_with_offset: { boundaries: [0, 500_000, 30_000_000], values: [1, 0.5, 0.1] },
  one_cycle: { max_learning_rate: 0.3, total_steps: 20_000_050 },
  inverse_sqrt: { max_learning_rate: 0.3, warmup_steps: 10_000 },
  warmup_stable_decay: {
    max_learning_rate: 0.3,
    warmup_steps: 1000,
    stable_steps: 19_000_000,
    decay_steps: 1_000_000,
    decay_shape: 'sqrt',
  },
};
const warmups: Record<string, object | null> = {
  no: null,
  linear: { warmup_learning_rate: 0.001, warmup_steps: 10_000 },
  polynomial: { power: 2, warmup_steps: 1_000_000 },
};

describe('host and compiled graph agree to 1e-6 relative over a million steps and at step 20 million', () => {
  const steps = [0, 1, 2, 699, 700, 701, 998, 999, 1000, 1001, 9_999, 10_000, 499_999, 500_000, 500_001, 999_999, 1_000_000, 1_000_001];
  for (let step = 13; step < 1_000_000; step += 12_347) steps.push(step);
  for (let step = 19_999_960; step < 20_000_050; step += 7) steps.push(step);
  for (const [type, fields] of Object.entries(branches)) {
    it.each(Object.keys(warmups))(`${type} with %s warm-up`, (warmup) => {
      const schedule = build({
        learning_rate: { type, [type]: fields },
        warmup: warmups[warmup] ? { type: warmup, [warmup]: warmups[warmup] } : null,
      } as Record<string, object>) as LearningRateSchedule;
      compiledValues(schedule, steps).forEach((value, i) => {
        const host = schedule.valueAt(steps[i]!);
        expect(Math.abs(value - host), `step ${steps[i]}: ${value}, on the host ${host}`).toBeLessThanOrEqual(1e-6 * Math.abs(host));
      });
    });
  }
});

/** Branches whose values are computed element by element: a compiled schedule then takes all steps at once. */
const elementwise = Object.keys(branches).filter((type) => !type.startsWith('step'));

describe('every single step', () => {
  it.each(elementwise)('of a million, and of those up to 20 million, agrees to 1e-6 relative: %s with warm-up', (type) => {
    const warmup = { type: 'linear', linear: warmups['linear'] };
    const schedule = build({ learning_rate: { type, [type]: branches[type] }, warmup } as Record<string, object>) as LearningRateSchedule;
    const steps = Int32Array.from({ length: 1_010_000 }, (_, i) => (i <= 1_000_000 ? i : 18_990_050 + i));
    const compiled = compile((step: tf.Tensor1D) => schedule.at(step as unknown as tf.Scalar));
    const values = compiled.runSync(tf.tensor1d(steps, 'int32')).dataSync();
    compiled.dispose();
    let worst = { step: 0, error: 0 };
    steps.forEach((step, i) => {
      const host = schedule.valueAt(step);
      const error = Math.abs(values[i]! - host) / Math.abs(host);
      if (!(error <= worst.error)) worst = { step, error };
    });
    expect(values).toHaveLength(steps.length);
    expect(worst.error, `step ${worst.step}`).toBeLessThanOrEqual(1e-6);
    expect(steps.at(-1)).toBe(20_000_049);
  });
});
