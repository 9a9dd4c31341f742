import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { createGlobalStep } from '../orbit/index.js';
import type { ActionContext, Output } from '../orbit/index.js';
import { OptimizerFactory } from '../optimization/index.js';
import { EarlyStopping, ReduceOnPlateau } from './index.js';
import type { EarlyStoppingOptions, ReduceOnPlateauOptions } from './index.js';

function context(): ActionContext & { reasons: string[] } {
  const reasons: string[] = [];
  return { globalStep: createGlobalStep(), checkpointManager: null, stop: (reason) => void reasons.push(reason), reasons };
}

/** Gives an action one evaluation per value, ten steps apart, and returns the number of those before it stopped. */
async function evaluationsUntilStop(values: readonly number[], options: Partial<EarlyStoppingOptions> = {}): Promise<number> {
  const action = new EarlyStopping({ metric: 'loss', ...options });
  const run = context();
  for (const [i, value] of values.entries()) {
    run.globalStep.assign(10 * (i + 1));
    await action.run({ loss: value }, run);
    if (run.reasons.length > 0) return i + 1;
  }
  return Infinity;
}

describe('EarlyStopping', () => {
  it.each([
    ['after three evaluations in a row that are not better', [5, 4, 4, 4.5, 4], {}, 5],
    ['never while the value gets better within the patience', [5, 4, 4.5, 4.5, 3, 3.5, 3.5, 2], {}, Infinity],
    ['with higher values as the better ones', [1, 2, 2], { metricComp: 'higher', patience: 1 }, 3],
    ['where a change is smaller than min_delta', [5, 4.95, 4.9, 4.85, 4.8], { minDelta: 0.5 }, 4],
    ['where small changes add up to min_delta', [5, 4.8, 4.4, 4.2, 3.8], { minDelta: 0.5, patience: 2 }, Infinity],
    ['with values that are not numbers, which are never better', [NaN, NaN, NaN], {}, 3],
    ['without counting a start that was not a number', [NaN, 5, 4], { patience: 2 }, Infinity],
    ['after an infinite start with the first finite value as the best', [Infinity, 5, 6, 6, 6], {}, 5],
    ['not before begin_steps', [5, 6, 6, 6, 6, 6], { beginSteps: 30 }, 6],
  ] as [string, number[], Partial<EarlyStoppingOptions>, number][])('ends training %s', async (_name, values, options, expected) => {
    expect(await evaluationsUntilStop(values, options)).toBe(expected);
  });

  it('says why, finds nested results, and reads tensors', async () => {
    const action = new EarlyStopping({ metric: 'dev|f1', metricComp: 'higher', patience: 1 });
    const run = context();
    await action.run({ dev: { f1: tf.scalar(0.5) } }, run);
    await action.run({ dev: { f1: 0.25 } }, run);
    expect(run.reasons).toEqual(['early stopping: dev|f1 has not been better than 0.5 for 1 evaluation']);
  });

  it('goes on counting after a restore, and stops a finished run again unless the patience was raised', async () => {
    const first = new EarlyStopping({ metric: 'loss', patience: 2 });
    for (const loss of [3, 4, 4]) await first.run({ loss }, context());
    const state = JSON.parse(JSON.stringify(first.stateDict())) as never;
    const [same, patient] = [new EarlyStopping({ metric: 'loss', patience: 2 }), new EarlyStopping({ metric: 'loss', patience: 3 })];
    const [again, longer] = [context(), context()];
    same.loadStateDict(state);
    same.trainBegin(again);
    expect(again.reasons).toHaveLength(1);
    patient.loadStateDict(state);
    patient.trainBegin(longer);
    expect(longer.reasons).toEqual([]);
    await patient.run({ loss: 3 }, longer);
    expect(longer.reasons).toHaveLength(1);
  });

  it('names a metric that is not there, with those that are, and options out of range', async () => {
    const action = new EarlyStopping({ metric: 'acuracy' });
    await expect(action.run({ accuracy: 1, loss: 2 }, context())).rejects.toThrow(
      /^trainer\.early_stopping\.metric: .*"acuracy".*accuracy, loss/,
    );
    expect(() => new EarlyStopping({ metric: '' })).toThrow(/trainer\.early_stopping\.metric/);
    expect(() => new EarlyStopping({ metric: 'loss', patience: 0 })).toThrow(/patience: must be .* at least 1, not 0/);
    expect(() => new EarlyStopping({ metric: 'loss', metricComp: 'max' as never })).toThrow(ConfigError);
    expect(() => new EarlyStopping({ metric: 'loss', minDelta: -1 })).toThrow(ConfigError);
  });
});

function reducing(options: Partial<ReduceOnPlateauOptions> = {}, rate: object = { type: 'constant', constant: { learning_rate: 0.5 } }) {
  const factory = new OptimizerFactory({ optimizer: { type: 'sgd' }, learning_rate: rate });
  const optimizer = factory.buildOptimizer(factory.buildLearningRate());
  const lines: string[] = [];
  const action = new ReduceOnPlateau({ optimizer, metric: 'loss', patience: 2, log: (line) => lines.push(line), ...options });
  const give = async (...values: number[]): Promise<number[]> => {
    const rates: number[] = [];
    for (const loss of values) {
      await action.run({ loss } as Output, context());
      rates.push(optimizer.currentLearningRate());
    }
    return rates;
  };
  return { optimizer, action, give, lines };
}

describe('ReduceOnPlateau', () => {
  it('lowers the rate each time the patience is over', async () => {
    const { give, lines } = reducing();
    const rates = await give(3, 3, 3, 3, 3, 2, 2);
    [0.5, 0.5, 0.05, 0.05, 0.005, 0.005, 0.005].forEach((rate, i) => expect(rates[i]).toBeCloseTo(rate, 12));
    expect(lines[0]).toBe('step 0: the learning rate is lowered from 0.5 to 0.05.');
  });

  it('waits for the cooldown, and stops at the smallest rate', async () => {
    const cooling = await reducing({ cooldown: 2 }).give(3, 3, 3, 3, 3, 3, 3);
    [0.5, 0.5, 0.05, 0.05, 0.05, 0.05, 0.005].forEach((rate, i) => expect(cooling[i]).toBeCloseTo(rate, 12));
    const limited = await reducing({ patience: 1, minLearningRate: 0.02 }).give(3, 3, 3, 3);
    [0.5, 0.05, 0.02, 0.02].forEach((rate, i) => expect(limited[i]).toBeCloseTo(rate, 12));
  });

  it('changes the update of a step and leaves a schedule its shape', async () => {
    const exponential = { type: 'exponential', exponential: { initial_learning_rate: 0.5, decay_rate: 0.5, decay_steps: 1 } };
    const { optimizer, give } = reducing({ patience: 1, factor: 0.5 }, exponential);
    const w = tf.variable(tf.scalar(10));
    const update = (): number => {
      const before = w.dataSync()[0]!;
      optimizer.applyGradients([[tf.scalar(1), w]]);
      return before - w.dataSync()[0]!;
    };
    expect(update()).toBeCloseTo(0.5, 5);
    await give(1, 1);
    expect(update()).toBeCloseTo(0.25 * 0.5, 5);
    expect(update()).toBeCloseTo(0.125 * 0.5, 5);
  });

  it('takes over rate and counts of a checkpoint', async () => {
    const before = reducing();
    await before.give(3, 3, 3, 3);
    const after = reducing();
    after.action.loadStateDict(JSON.parse(JSON.stringify(before.action.stateDict())) as never);
    expect(after.optimizer.currentLearningRate()).toBeCloseTo(0.05, 12);
    expect(await after.give(3)).toEqual(await before.give(3));
    expect(after.action.scale).toBeCloseTo(0.01, 12);
  });

  it.each([
    [{ factor: 1 }, /factor: must lie between 0 and 1/],
    [{ patience: 1.5 }, /patience/],
    [{ cooldown: -1 }, /cooldown/],
    [{ minLearningRate: NaN }, /min_learning_rate/],
  ])('refuses %o', (options, message) => {
    expect(() => reducing(options)).toThrow(message);
  });
});
