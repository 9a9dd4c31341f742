import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ConfigError, UsageError } from '../../errors.js';
import { overrideParams } from '../../config/index.js';
import { AnnealingTaskSampler, getTaskSampler, ProportionalTaskSampler, TaskSampler, UniformTaskSampler } from './index.js';
import { taskSamplingConfig } from './config.js';
import { taskOfStep } from './task-sampler.js';
import { recorded } from './toy-tasks.testing.js';

describe('cumulative distributions', () => {
  it.each(recorded.samplers)('equal the reference: $config', ({ config, weights, steps, cumulative }) => {
    const sampler = getTaskSampler(overrideParams(taskSamplingConfig(), config as never), weights);
    steps.forEach((step, i) => {
      [...sampler.taskCumulativeDistribution(step)].forEach((c, k) => expect(c).toBeCloseTo(cumulative[i]![k]!, 6));
    });
  });

  it('rise to 1 for any weights', () => {
    const weights = fc.dictionary(fc.string({ minLength: 1 }), fc.double({ min: 1e-3, max: 1e3, noNaN: true }), { minKeys: 1, maxKeys: 8 });
    fc.assert(
      fc.property(weights, fc.double({ min: -2, max: 2, noNaN: true }), fc.nat(1e6), (w, alpha, step) => {
        for (const sampler of [new UniformTaskSampler(w), new ProportionalTaskSampler(w, alpha), new AnnealingTaskSampler(w, 7, 100)]) {
          const sums = [...sampler.taskCumulativeDistribution(step)];
          expect(sums).toHaveLength(Object.keys(w).length);
          sums.forEach((sum, i) => expect(sum).toBeGreaterThanOrEqual(sums[i - 1] ?? 0));
          expect(sums.at(-1)).toBeCloseTo(1, 5);
        }
      }),
      { numRuns: 50 },
    );
  });
});

describe('the task of a step', () => {
  it('is drawn as often as its weight says, by step and seed alone', () => {
    const sampler = new ProportionalTaskSampler({ a: 1, b: 2, c: 5 });
    const n = 20_000;
    const draws = Array.from({ length: n }, (_, step) => taskOfStep(sampler, step, 3));
    [1 / 8, 2 / 8, 5 / 8].forEach((p, task) => {
      const share = draws.filter((t) => t === task).length / n;
      expect(Math.abs(share - p)).toBeLessThan(5 * Math.sqrt((p * (1 - p)) / n));
    });
    const pairs = draws.slice(1).filter((t, i) => t === 2 && draws[i] === 2).length / n; // independent of the step before
    expect(Math.abs(pairs - 25 / 64)).toBeLessThan(5 * Math.sqrt(0.25 / n));
    expect(taskOfStep(sampler, 12_345, 3)).toBe(draws[12_345]);
    const other = Array.from({ length: 200 }, (_, step) => taskOfStep(sampler, step, 4));
    expect(other).not.toEqual(draws.slice(0, 200));
  });

  it('is the last one with a chance where rounding leaves the sum below 1', () => {
    class Short extends TaskSampler {
      override taskCumulativeDistribution(): Float32Array {
        return Float32Array.from([0.0001, 0.9991, 0.9991]);
      }
    }
    const draws = Array.from({ length: 5000 }, (_, step) => taskOfStep(new Short({ a: 1, b: 1, c: 0 }), step));
    expect(new Set(draws).has(2)).toBe(false);
  });

  it('cannot be drawn where all weights are 0', () => {
    expect(() => taskOfStep(new ProportionalTaskSampler({ a: 0, b: 0 }), 0)).toThrow(UsageError);
    expect(() => taskOfStep(new ProportionalTaskSampler({ a: 0, b: 0 }), 0)).toThrow(/Are all task weights 0/);
  });
});

describe('a config of sampling', () => {
  it('needs a type', () => {
    expect(() => getTaskSampler(taskSamplingConfig(), { a: 1 })).toThrow(/trainer\.task_sampler\.type must be set/);
    expect(() => taskSamplingConfig({ type: 'often' as never })).toThrow(ConfigError);
  });

  it('cannot anneal over a single epoch', () => {
    const annealing = { steps_per_epoch: 10, total_steps: 10 };
    expect(() => getTaskSampler(taskSamplingConfig({ type: 'annealing', annealing }), { a: 1, b: 2 })).toThrow(
      /should be greater than steps_per_epoch/,
    );
  });
});
