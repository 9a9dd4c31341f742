import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { InverseSqrt, type LearningRateSchedule, OneCycle, optimizationConfig, OptimizerFactory, WarmupStableDecay } from './index.js';

function inGraph(schedule: LearningRateSchedule, step: number): number {
  return tf.tidy(() => schedule.at(tf.scalar(step, 'int32')).dataSync()[0]!);
}

function build(learning_rate: object): LearningRateSchedule {
  const config = optimizationConfig({ optimizer: { type: 'sgd' }, learning_rate });
  return new OptimizerFactory(config).buildLearningRate() as LearningRateSchedule;
}

beforeEach(() => tf.engine().startScope());
afterEach(() => tf.engine().endScope());

const stable = { max_learning_rate: 0.4, warmup_steps: 100, stable_steps: 300, decay_steps: 200, end_learning_rate: 0.04 };

describe('schedules take these values, on the host and in the graph', () => {
  it.each([
    [
      { type: 'one_cycle', one_cycle: { max_learning_rate: 0.5, total_steps: 1000 } },
      [
        [-5, 0.02],
        [0, 0.02],
        [150, 0.26],
        [300, 0.5],
        [650, 0.250001],
        [1000, 2e-6],
        [5000, 2e-6],
      ],
    ],
    [
      {
        type: 'one_cycle',
        one_cycle: { max_learning_rate: 1, total_steps: 10, warmup_fraction: 0.5, initial_divisor: 10, final_divisor: 1, offset: 100 },
      },
      [
        [100, 0.1],
        [105, 1],
        [110, 0.1],
      ],
    ],
    [
      { type: 'inverse_sqrt', inverse_sqrt: { max_learning_rate: 0.2, warmup_steps: 100 } },
      [
        [0, 0],
        [25, 0.05],
        [100, 0.2],
        [400, 0.1],
        [10_000, 0.02],
        [1_000_000, 0.002],
      ],
    ],
    [
      { type: 'warmup_stable_decay', warmup_stable_decay: stable },
      [
        [0, 0],
        [50, 0.2],
        [100, 0.4],
        [399, 0.4],
        [400, 0.4],
        [500, 0.22],
        [600, 0.04],
        [9000, 0.04],
      ],
    ],
    [
      { type: 'warmup_stable_decay', warmup_stable_decay: { ...stable, decay_shape: 'cosine' } },
      [
        [400, 0.4],
        [500, 0.22],
        [600, 0.04],
      ],
    ],
    [
      { type: 'warmup_stable_decay', warmup_stable_decay: { ...stable, decay_shape: 'sqrt' } },
      [
        [400, 0.4],
        [450, 0.22],
        [600, 0.04],
      ],
    ],
    [
      { type: 'warmup_stable_decay', warmup_stable_decay: { max_learning_rate: 1, stable_steps: 0, decay_steps: 4 } },
      [
        [0, 1],
        [1, 0.75],
        [4, 0],
      ],
    ],
  ] as [object, [number, number][]][])('%j', (config, values) => {
    const schedule = build(config);
    for (const [step, wanted] of values)
      for (const value of [schedule.valueAt(step), inGraph(schedule, step)])
        expect(Math.abs(value - wanted), `step ${step}: ${value}, expected ${wanted}`).toBeLessThanOrEqual(1e-6 * wanted);
  });
});

describe('the value in the graph and the value on the host agree', () => {
  const long = { maxLearningRate: 0.1, warmupSteps: 10_000, stableSteps: 9_990_000, decaySteps: 10_000_050 };
  const schedules: Record<string, LearningRateSchedule> = {
    'one cycle': new OneCycle({ maxLearningRate: 1, totalSteps: 20_000_050 }),
    'short one cycle': new OneCycle({ maxLearningRate: 1, totalSteps: 1_000_000, offset: 19_500_000 }),
    'inverse root': new InverseSqrt({ maxLearningRate: 1e-3, warmupSteps: 4000 }),
    'linear fall': new WarmupStableDecay(long),
    'cosine fall': new WarmupStableDecay({ ...long, decayShape: 'cosine' }),
    'root fall': new WarmupStableDecay({ ...long, decayShape: 'sqrt' }),
  };
  for (const [name, schedule] of Object.entries(schedules)) {
    it(`${name}: to 1e-6 relative, at step 20 million too`, () => {
      const step = fc.oneof(
        fc.integer({ min: 0, max: 1_000_000 }),
        fc.integer({ min: 19_999_900, max: 20_000_100 }),
        fc.integer({ min: 0, max: 21_000_000 }),
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
});

it.each([
  [{ type: 'one_cycle', one_cycle: { max_learning_rate: 1 } }, 'learning_rate.one_cycle.total_steps'],
  [
    { type: 'one_cycle', one_cycle: { max_learning_rate: 1, total_steps: 10, initial_divisor: 0 } },
    'learning_rate.one_cycle.initial_divisor',
  ],
  [{ type: 'inverse_sqrt', inverse_sqrt: { max_learning_rate: 1, warmup_steps: 0 } }, 'learning_rate.inverse_sqrt.warmup_steps'],
  [
    { type: 'warmup_stable_decay', warmup_stable_decay: { max_learning_rate: 1, decay_steps: 3 } },
    'learning_rate.warmup_stable_decay.stable_steps',
  ],
])('names the config path of a missing or wrong field: %j', (config, path) => {
  expect(() => build(config)).toThrow(ConfigError);
  expect(() => build(config)).toThrow(expect.objectContaining({ path }));
});
