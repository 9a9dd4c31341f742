import { readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { compile, setRandomSeed } from '../function/index.js';
import { addNoise, clipL2Norm, OptimizerFactory, privacyTransformers, SGD } from './index.js';

interface Case {
  norm: number;
  gradients: number[][];
  clipped: number[][];
}
const { clip_l2_norm: cases } = JSON.parse(readFileSync(new URL('../../tests/fixtures/multitask.json', import.meta.url), 'utf8')) as {
  clip_l2_norm: Case[];
};

beforeEach(() => tf.engine().startScope());
afterEach(() => {
  tf.engine().endScope();
  tf.disposeVariables();
});

const zeros = (size: number): tf.Variable => tf.variable(tf.zeros([size]));
const moments = (x: ArrayLike<number>): { mean: number; deviation: number } => {
  const values = Array.from(x);
  const mean = values.reduce((a, b) => a + b) / values.length;
  return { mean, deviation: Math.sqrt(values.reduce((sum, v) => sum + (v - mean) ** 2, 0) / values.length) };
};

describe('clipL2Norm', () => {
  it.each(cases)('equals the reference with norm $norm', ({ norm, gradients, clipped }) => {
    const pairs = gradients.map((g) => [tf.tensor1d(g), zeros(g.length)] as const);
    clipL2Norm(pairs, norm).forEach(([g, v], i) => {
      expect(v).toBe(pairs[i]![1]);
      [...g.dataSync()].forEach((x, j) => expect(x).toBeCloseTo(clipped[i]![j]!, 6));
    });
  });

  it('divides (4, 3) and (12) by 13 with norm 1', () => {
    const [a, b] = clipL2Norm([[tf.tensor1d([4, 3]), zeros(2)], [tf.tensor2d([[12]]), tf.variable(tf.zeros([1, 1]))]], 1); // prettier-ignore
    [...a![0].dataSync(), ...b![0].dataSync()].forEach((x, i) => expect(x).toBeCloseTo([4, 3, 12][i]! / 13, 6));
  });
});

describe('addNoise', () => {
  it('adds independent normal numbers of the given deviation to each gradient', () => {
    setRandomSeed(3);
    const n = 40_000;
    const noisy = addNoise([[tf.fill([n], 5), zeros(n)], [tf.fill([n], -5), zeros(n)]], 2); // prettier-ignore
    const [a, b] = noisy.map(([g]) => Array.from(g.dataSync()));
    const five = 5 * (2 / Math.sqrt(n)); // five standard errors of the mean
    expect(Math.abs(moments(a!).mean - 5)).toBeLessThan(five);
    expect(Math.abs(moments(b!).mean + 5)).toBeLessThan(five);
    for (const values of [a!, b!]) expect(Math.abs(moments(values).deviation - 2)).toBeLessThan(0.05);
    const correlation = a!.reduce((sum, x, i) => sum + (x - 5) * (b![i]! + 5), 0) / n / 4;
    expect(Math.abs(correlation)).toBeLessThan(5 / Math.sqrt(n));
  });
});

describe('privacyTransformers', () => {
  const update = (gradient: number[], options: { clipping_norm: number; noise_multiplier: number }): number[] => {
    const variable = zeros(gradient.length);
    const sgd = new SGD({ learningRate: 1, gradientTransformers: privacyTransformers(options) });
    sgd.applyGradients([[tf.tensor1d(gradient), variable]]);
    return [...variable.dataSync()];
  };

  it('clip first and add noise of clipping_norm · noise_multiplier then', () => {
    setRandomSeed(7);
    const values = update(
      Array.from({ length: 10_000 }, () => 1000),
      { clipping_norm: 3, noise_multiplier: 0.5 },
    );
    const { mean, deviation } = moments(values);
    expect(Math.abs(deviation - 1.5)).toBeLessThan(0.06); // noise that came before the clipping would be gone
    expect(Math.abs(mean + 3 / 100)).toBeLessThan(0.075); // 10,000 equal elements of norm 3 are 0.03 each
  });

  it('only clip without noise', () => {
    update([4, 3, 12], { clipping_norm: 1, noise_multiplier: 0 }).forEach((x, i) => expect(x).toBeCloseTo(-[4, 3, 12][i]! / 13, 6));
  });

  it('give the same numbers compiled as eagerly, other ones in each step, and the same ones from the same seed', async () => {
    const steps = async (eager: boolean): Promise<number[][]> => {
      setRandomSeed(11);
      const variable = zeros(6);
      const sgd = new SGD({ learningRate: 1, gradientTransformers: privacyTransformers({ clipping_norm: 1, noise_multiplier: 1 }) });
      const step = compile(() => void sgd.applyGradients([[tf.zeros([6]), variable]]), { eager });
      const seen: number[][] = [];
      for (let i = 0; i < 3; i++) {
        await step();
        seen.push([...variable.dataSync()]);
      }
      return seen;
    };
    const compiled = await steps(false);
    const eager = await steps(true);
    compiled.flat().forEach((x, i) => expect(x).toBeCloseTo(eager.flat()[i]!, 5));
    expect(await steps(false)).toEqual(compiled);
    const first = compiled[0]!;
    const second = compiled[1]!.map((x, i) => x - first[i]!);
    expect(second.every((x, i) => Math.abs(x - first[i]!) > 1e-6)).toBe(true);
  });

  it.each([
    [{ clipping_norm: 0, noise_multiplier: 0 }, /clipping_norm: expected a positive number, got 0/],
    [{ clipping_norm: 1, noise_multiplier: -1 }, /noise_multiplier: expected a number that is not negative, got -1/],
  ])('refuse %j', (options, message) => {
    expect(() => privacyTransformers(options)).toThrow(ConfigError);
    expect(() => privacyTransformers(options)).toThrow(message);
  });

  it("exclude the optimizer's own clipping", () => {
    const factory = new OptimizerFactory({
      optimizer: { type: 'sgd', sgd: { clipnorm: 1 } } as never,
      learning_rate: { type: 'constant' },
    });
    const gradientTransformers = privacyTransformers({ clipping_norm: 1, noise_multiplier: 1 });
    expect(() => factory.buildOptimizer(0.1, { gradientTransformers })).toThrow(/cannot be used together/);
  });
});
