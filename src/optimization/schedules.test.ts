import fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import {
  CosineDecay,
  ExponentialDecay,
  LinearWarmup,
  type LearningRate,
  type LearningRateSchedule,
  OptimizerFactory,
  PiecewiseConstantDecay,
  PolynomialDecay,
  PowerAndLinearDecay,
  StepCosineDecayWithOffset,
} from './index.js';

interface Case {
  name: string;
  config: Record<string, object>;
  inputs: { steps: number[] };
  expected: { values?: (number | string)[]; error?: string };
}
const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/lr_schedules.json', import.meta.url), 'utf8')) as { cases: Case[] };

function inGraph(schedule: LearningRateSchedule, step: number): number {
  return tf.tidy(() => schedule.at(tf.scalar(step, 'int32')).dataSync()[0]!);
}

function build(config: object): LearningRate {
  return new OptimizerFactory({ optimizer: { type: 'sgd' }, ...config }).buildLearningRate();
}

describe('schedules give the values recorded from the reference', () => {
  for (const { name, config, inputs, expected } of cases) {
    it(name, () => {
      if (expected.error) {
        expect(() => build(config)).toThrow(ConfigError);
        return;
      }
      const rate = build(config);
      const numbers = expected.values!.filter((v) => typeof v === 'number');
      const absolute = 2e-7 * Math.max(...numbers.map(Math.abs));
      let last = 0;
      inputs.steps.forEach((step, i) => {
        // The reference divides by zero after the last piece of a step cosine; here the last value is held.
        const isNumber = typeof expected.values![i] === 'number';
        const wanted = isNumber ? (expected.values![i] as number) : last;
        const tolerance = isNumber ? absolute + 2e-6 * Math.abs(wanted) : 1e-2;
        if (isNumber) last = wanted;
        const actual = typeof rate === 'number' ? [rate] : [rate.valueAt(step), inGraph(rate, step)];
        for (const value of actual)
          expect(Math.abs(value - wanted), `step ${step}: ${value}, expected ${wanted}`).toBeLessThanOrEqual(tolerance);
      });
    });
  }
});

describe('the value in the graph and the value on the host agree', () => {
  const T = 40_000_000;
  const schedules: Record<string, LearningRateSchedule> = {
    exponential: new ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 2_000_000, decayRate: 0.5 }),
    'exponential, staircase': new ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 20_000, decayRate: 0.99, staircase: true }),
    'exponential with a short period': new ExponentialDecay({ initialLearningRate: 0.1, decaySteps: 50, decayRate: 0.99999, offset: 7 }),
    linear: new PolynomialDecay({ initialLearningRate: 1, endLearningRate: 0, decaySteps: T }),
    polynomial: new PolynomialDecay({ initialLearningRate: 1, decaySteps: T, power: 0.9 }),
    'polynomial, cycle': new PolynomialDecay({ initialLearningRate: 1, endLearningRate: 0.01, decaySteps: 300_000, cycle: true }),
    cosine: new CosineDecay({ initialLearningRate: 1, decaySteps: 20_000_500 }),
    'cosine with warm-up': new LinearWarmup(new CosineDecay({ initialLearningRate: 1, decaySteps: T, alpha: 0.1 }), {
      warmupSteps: 10_000,
    }),
    'power and linear': new PowerAndLinearDecay({
      initialLearningRate: 1,
      power: -0.5,
      totalDecaySteps: 20_000_100,
      linearDecayFraction: 0.1,
    }),
    stepwise: new PiecewiseConstantDecay({ boundaries: [1000, 20_000_001], values: [1, 0.1, 0.01] }),
    'step cosine': new StepCosineDecayWithOffset({ boundaries: [0, 10_000_000, 30_000_000], values: [1, 0.5, 0.1] }),
  };
  for (const [name, schedule] of Object.entries(schedules)) {
    it(`${name}: to 1e-6 relative, at step 20 million too`, () => {
      const step = fc.oneof(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 19_999_900, max: 20_000_100 }),
        fc.integer({ min: 0, max: 20_000_000 }),
      );
      fc.assert(
        fc.property(step, (s) => {
          const host = schedule.valueAt(s);
          expect(Math.abs(inGraph(schedule, s) - host)).toBeLessThanOrEqual(1e-6 * Math.abs(host));
        }),
        { numRuns: 150, seed: 1 },
      );
    });
  }

  it('tells neighbouring steps apart where float32 cannot', () => {
    const schedule = new PiecewiseConstantDecay({ boundaries: [20_000_001], values: [1, 0.5] });
    expect([20_000_000, 20_000_001, 20_000_002].map((s) => inGraph(schedule, s))).toEqual([1, 1, 0.5]);
  });
});

describe('a schedule', () => {
  it('holds its last value after the last boundary of a step cosine', () => {
    const schedule = new StepCosineDecayWithOffset({ boundaries: [0, 100, 200], values: [1, 0.5, 0.1] });
    for (const step of [200, 201, 10_000]) {
      expect(schedule.valueAt(step)).toBe(0.1);
      expect(inGraph(schedule, step)).toBeCloseTo(0.1, 7);
    }
  });

  it('is a bare number only for a constant without warm-up', () => {
    expect(build({ learning_rate: { type: 'constant', constant: { learning_rate: 0.3 } } })).toBe(0.3);
    expect(build({ learning_rate: { type: 'constant' }, warmup: { type: 'linear', linear: { warmup_steps: 2 } } })).toBeTypeOf('object');
  });

  it.each([
    [{ learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.1 } } }, 'learning_rate.cosine.decay_steps'],
    [{ learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.1, decay_steps: 1.5 } } }, 'learning_rate.cosine.decay_steps'],
    [{ learning_rate: { type: 'constant' }, warmup: { type: 'linear' } }, 'warmup.linear.warmup_steps'],
    [
      { learning_rate: { type: 'exponential', exponential: { initial_learning_rate: 1, decay_steps: 5, decay_rate: -1 } } },
      'learning_rate.exponential.decay_rate',
    ],
  ])('names the config path of a missing or wrong field: %j', (config, path) => {
    const error = (() => {
      try {
        build(config);
      } catch (e) {
        return e;
      }
    })();
    expect(error).toBeInstanceOf(ConfigError);
    expect((error as ConfigError).path).toBe(path);
  });
});
