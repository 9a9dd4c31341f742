import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError, UsageError } from '../errors.js';
import { compile } from '../function/index.js';
import { ExponentialMovingAverage, OptimizerFactory, SGD } from './index.js';

interface Case {
  name: string;
  config: object;
  inputs: {
    variables: { name: string; shape: number[]; trainable: boolean; initial: number[] }[];
    gradients: number[][][];
    non_trainable: number[][];
  };
  expected: {
    averaged: string[];
    averages_at_start: number[][];
    steps: { iterations: number; variables: number[][]; averages: number[][] }[];
    [after: string]: unknown;
  };
}
const { cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/ema.json', import.meta.url), 'utf8')) as { cases: Case[] };

function expectClose(variables: tf.Variable[], expected: number[][]): void {
  variables.forEach((v, i) => [...v.dataSync()].forEach((x, j) => expect(Math.abs(x - expected[i]![j]!)).toBeLessThanOrEqual(5e-6)));
}

function build(config: object): ExponentialMovingAverage {
  const factory = new OptimizerFactory(config);
  const optimizer = factory.buildOptimizer(factory.buildLearningRate());
  expect(optimizer).toBeInstanceOf(ExponentialMovingAverage);
  return optimizer as ExponentialMovingAverage;
}

beforeEach(() => tf.engine().startScope());
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

describe('variables and averages are those recorded from the reference', () => {
  // swap_in_replica_context has no counterpart: there is no replica context here.
  const recorded = cases.filter((c) => c.expected.steps);
  for (const [{ name, config, inputs, expected }, how] of recorded.flatMap((c) => [[c, 'eagerly'] as const, [c, 'compiled'] as const])) {
    it(`${name}, ${how}`, () => {
      const ema = build(config);
      const variables = inputs.variables.map((v) => tf.variable(tf.tensor(v.initial, v.shape), v.trainable));
      ema.setVariablePaths(new Map(variables.map((v, i) => [v, inputs.variables[i]!.name])));
      ema.shadowCopy(variables);
      const averaged = variables.filter((_, i) => expected.averaged.includes(inputs.variables[i]!.name));
      const averages = averaged.map((v) => ema.averageOf(v)!);
      expect(Object.keys(ema.variables()).filter((path) => path.startsWith('average/'))).toEqual(
        expected.averaged.map((v) => `average/${v}`),
      );
      expectClose(averages, expected.averages_at_start);
      const eager = how === 'eagerly';
      const update = compile(
        (statistics: tf.Tensor, gradients: tf.Tensor[]) => {
          variables[variables.length - 1]!.assign(statistics);
          ema.applyGradients(gradients.map((g, j) => [g, variables[j]!]));
        },
        { eager },
      );
      const swap = compile(() => ema.swapWeights(), { eager });
      inputs.gradients.forEach((gradients, i) => {
        update.runSync(
          tf.tensor(inputs.non_trainable[i]!),
          gradients.map((g, j) => tf.tensor(g, variables[j]!.shape)),
        );
        const step = expected.steps[i]!;
        expect(ema.iterations.dataSync()[0]).toBe(step.iterations);
        expectClose(variables, step.variables);
        expectClose(averages, step.averages);
      });
      const last = expected.steps[expected.steps.length - 1]!;
      const before = [...variables, ...averages].map((v) => v.dataSync().slice());
      swap.runSync();
      expectClose(averaged, last.averages);
      expectClose(
        averages,
        averaged.map((v) => last.variables[variables.indexOf(v)]!),
      );
      swap.runSync();
      expect([...variables, ...averages].map((v) => v.dataSync())).toEqual(before);
      ema.assignAverageVars(averaged);
      expectClose(averaged, last.averages);
      for (const compiled of [update, swap]) compiled.dispose();
    });
  }
});

describe('ExponentialMovingAverage', () => {
  it('needs a shadow copy before the first update', () => {
    const ema = new ExponentialMovingAverage(new SGD());
    expect(ema.hasShadowCopy).toBe(false);
    expect(() => ema.applyGradients([[tf.scalar(1), tf.variable(tf.scalar(1))]])).toThrow(UsageError);
    expect(() => ema.swapWeights()).toThrow(/shadowCopy/);
    expect(() => new ExponentialMovingAverage(new SGD(), { averageDecay: 2 })).toThrow(ConfigError);
  });

  it('leaves no tensors behind, and continues bit for bit from a saved state', () => {
    const run = (ema: ExponentialMovingAverage, x: tf.Variable, updates: number) => {
      for (let i = 0; i < updates; i++) tf.tidy(() => ema.applyGradients([[tf.tensor1d([0.3 + i, -0.2]), x]]));
    };
    const make = () => {
      const ema = new ExponentialMovingAverage(new SGD({ momentum: 0.9 }));
      const x = tf.variable(tf.tensor1d([1, 2]));
      ema.setVariablePaths(new Map([[x, 'dense/bias']]));
      ema.shadowCopy([x]);
      return { ema, x };
    };
    const [first, second] = [make(), make()];
    run(first.ema, first.x, 1);
    const before = tf.memory().numTensors;
    run(first.ema, first.x, 20);
    first.ema.swapWeights();
    first.ema.swapWeights();
    first.ema.assignAverageVars([first.x]);
    expect(tf.memory().numTensors).toBe(before);
    second.ema.loadStateDict(first.ema.stateDict());
    tf.tidy(() => second.x.assign(tf.clone(first.x)));
    run(first.ema, first.x, 3);
    run(second.ema, second.x, 3);
    expect(second.ema.stateDict()).toEqual(first.ema.stateDict());
  });
});
