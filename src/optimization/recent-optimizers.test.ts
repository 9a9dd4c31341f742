import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { ConfigError, UsageError } from '../errors.js';
import { Adam, Muon, OptimizerFactory, orthogonalized, PaperAdafactor, ScheduleFreeAdamW } from './index.js';

interface Case {
  name: string;
  config: { optimizer: { type: string } };
  expected: { averages?: number[][][] };
}
const { data, cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/torch-optimizers.json', import.meta.url), 'utf8')) as {
  data: { torch: { variables: { name: string; shape: number[]; initial: number[] }[]; gradients: number[][][] } };
  cases: Case[];
};

beforeEach(() => tf.engine().startScope());
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

describe('Muon', () => {
  it.each([
    [6, 6],
    [4, 9],
    [9, 4],
    [1, 5],
  ])('brings all singular values of a %i × %i matrix near 1 and keeps the singular vectors', (rows, columns) => {
    const matrix = tf.randomNormal<tf.Rank.R2>([rows, columns], 0, 1, 'float32', 3) as tf.Tensor2D;
    const unit = orthogonalized(matrix, 8);
    const [gram, product] =
      rows <= columns
        ? [tf.matMul(unit, unit, false, true), tf.matMul(matrix, unit, false, true)]
        : [tf.matMul(unit, unit, true), tf.matMul(matrix, unit, true)];
    // The same singular vectors: M·Uᵀ is symmetric. Singular values s of U: those of UUᵀ are s², their mean is trace/n.
    expect(tf.max(tf.abs(tf.sub(product, tf.transpose(product)))).dataSync()[0]).toBeLessThan(2e-5);
    const squares = tf.sum(tf.square(unit)).dataSync()[0]! / Math.min(rows, columns);
    expect(Math.sqrt(squares)).toBeGreaterThan(0.7);
    expect(Math.sqrt(squares)).toBeLessThan(1.2);
    expect(tf.max(tf.abs(tf.sub(gram, tf.eye(Math.min(rows, columns))))).dataSync()[0]).toBeLessThan(0.6);
  });

  it('leaves a matrix without gradient where it is, and counts a convolution kernel as one matrix', () => {
    const muon = new Muon({ learningRate: 0.1 });
    const [still, kernel] = [tf.variable(tf.ones([2, 2])), tf.variable(tf.zeros([2, 2, 3, 4]))];
    muon.applyGradients([
      [tf.zeros([2, 2]), still],
      [tf.randomNormal([2, 2, 3, 4], 0, 1, 'float32', 1), kernel],
    ]);
    expect([...still.dataSync()]).toEqual([1, 1, 1, 1]);
    const size = tf.norm(kernel).dataSync()[0]! / (0.1 * 0.2 * Math.sqrt(12)); // of 4 singular values from 0.68 to 1.2
    expect(size).toBeGreaterThan(2 * 0.68);
    expect(size).toBeLessThan(2 * 1.2);
  });

  it('updates vectors, and matrices that it is told to, as Adam does', () => {
    const [muon, adam] = [new Muon({ learningRate: 0.1, useAdamFor: ['embed'] }), new Adam({ learningRate: 0.1 })];
    for (const optimizer of [muon, adam]) {
      const variables = [tf.variable(tf.ones([2, 3])), tf.variable(tf.ones([3]))];
      optimizer.setVariablePaths(new Map(variables.map((v, i) => [v, ['embedding/table', 'dense/bias'][i]!])));
      for (let i = 0; i < 3; i++) optimizer.applyGradients(variables.map((v) => [tf.mul(v, 0.3 + i), v]));
    }
    expect(muon.stateDict()).toEqual(adam.stateDict());
  });
});

describe('schedule-free AdamW', () => {
  for (const { name, config, expected } of cases.filter((c) => c.expected.averages)) {
    it(`averages as recorded, and compiled swaps between updates change nothing: ${name}`, async () => {
      const factory = new OptimizerFactory(config);
      const optimizer = factory.buildOptimizer(factory.buildLearningRate()) as ScheduleFreeAdamW;
      const variables = data.torch.variables.map((v) => tf.variable(tf.tensor(v.initial, v.shape)));
      optimizer.setVariablePaths(new Map(variables.map((v, i) => [v, data.torch.variables[i]!.name])));
      optimizer.shadowCopy(variables);
      const swap = compile(() => optimizer.swapWeights());
      await swap();
      expect(Math.abs(variables[0]!.dataSync()[0]! - data.torch.variables[0]!.initial[0]!)).toBe(0);
      await swap();
      for (const [update, gradients] of data.torch.gradients.entries()) {
        optimizer.applyGradients(variables.map((v, i) => [tf.tensor(gradients[i]!, v.shape), v]));
        const before = variables.map((v) => v.dataSync().slice());
        await swap();
        variables.forEach((v, i) =>
          v.dataSync().forEach((x, j) => expect(Math.abs(x - expected.averages![update]![i]![j]!), `update ${update}`).toBeLessThan(2e-6)),
        );
        await swap();
        expect(variables.map((v) => v.dataSync())).toEqual(before);
      }
      swap.dispose();
    });
  }

  it('refuses to be averaged once more, and to swap what it does not have', () => {
    const factory = new OptimizerFactory({ optimizer: { type: 'schedule_free_adamw' }, learning_rate: { type: 'constant' }, ema: {} });
    expect(() => factory.buildOptimizer(0.1)).toThrow(ConfigError);
    expect(() => new ScheduleFreeAdamW().swapWeights()).toThrow(UsageError);
  });
});

describe('Adafactor of the paper', () => {
  /** One update of a variable of ones by gradients of ones: u = 1. */
  function once(options: object, path = 'dense/kernel', updates = 1): number {
    const optimizer = new PaperAdafactor({ learningRate: 0.1, ...options });
    const variable = tf.variable(tf.fill([2, 2], 2));
    optimizer.setVariablePaths(new Map([[variable, path]]));
    for (let i = 0; i < updates; i++) optimizer.applyGradients([[tf.ones([2, 2]), variable]]);
    return variable.dataSync()[0]!;
  }

  it('scales by the size of the variable, averages updates, decays by name, and clips, in closed form', () => {
    expect(once({})).toBeCloseTo(2 - 0.1 * 2, 6);
    expect(once({ multiplyByParameterScale: false })).toBeCloseTo(1.9, 6);
    expect(once({ beta1: 0.75 })).toBeCloseTo(2 - 0.25 * 0.2, 6);
    expect(once({ clippingThreshold: 0.5 })).toBeCloseTo(2 - 0.5 * 0.2, 6);
    expect(once({ weightDecay: 0.01, includeInWeightDecay: 'kernel' })).toBeCloseTo(2 * 0.99 - 0.2, 6);
    expect(once({ weightDecay: 0.01, includeInWeightDecay: 'kernel' }, 'dense/bias')).toBeCloseTo(1.8, 6);
    // A clock that is behind stays at its first tick, where the old second moment is forgotten.
    expect(once({ stepOffset: 5, multiplyByParameterScale: false }, 'dense/kernel', 3)).toBeCloseTo(1.7, 6);
  });

  it('keeps rows and columns only of matrices that are large enough', () => {
    const optimizer = new PaperAdafactor({ minDimSizeToFactor: 3 });
    const variables = [tf.variable(tf.ones([3, 4]), true, 'large'), tf.variable(tf.ones([2, 4]), true, 'small')];
    optimizer.build(variables);
    expect(Object.entries(optimizer.variables()).map(([path, v]) => `${path} ${v.shape}`)).toEqual([
      'iterations ',
      'row/large 3',
      'column/large 4',
      'v/small 2,4',
    ]);
  });
});
