import * as tf from '#tf';
import { afterEach, describe, expect, it } from 'vitest';
import { TraceError } from '../errors.js';
import { compile, randomState, setRandomSeed } from './index.js';

const l = tf.layers;
const COUNT = 20_000;
const ones = tf.ones([4, 6, 5]);
afterEach(() => setRandomSeed(0));

/** Every way to draw numbers. */
const draws: Record<string, () => tf.Tensor> = {
  randomUniform: () => tf.randomUniform([40], -1, 3),
  'randomUniform of integers': () => tf.randomUniform([40], 0, 50, 'int32'),
  'randomUniform of truth values': () => tf.randomUniform([40], 0, 2, 'bool'),
  randomUniformInt: () => tf.randomUniformInt([40], -5, 50),
  randomNormal: () => tf.randomNormal([40], 1, 2),
  randomStandardNormal: () => tf.randomStandardNormal([40]),
  truncatedNormal: () => tf.truncatedNormal([40], -1, 3),
  'with a seed of its own': () => tf.randomNormal([40], 0, 1, 'float32', 5),
  multinomial: () => tf.multinomial(tf.tensor1d([0.1, 0.7, 0.2]), 40),
  'tf.dropout': () => tf.dropout(ones, 0.4),
  'dropout layer': () => l.dropout({ rate: 0.4 }).apply(ones, { training: true }) as tf.Tensor,
  'dropout layer with a noise shape': () => l.dropout({ rate: 0.4, noiseShape: [4, 1, 5] }).apply(ones, { training: true }) as tf.Tensor,
  spatialDropout1d: () => l.spatialDropout1d({ rate: 0.4 }).apply(ones, { training: true }) as tf.Tensor,
  gaussianNoise: () => l.gaussianNoise({ stddev: 0.5 }).apply(ones, { training: true }) as tf.Tensor,
  gaussianDropout: () => l.gaussianDropout({ rate: 0.3 }).apply(ones, { training: true }) as tf.Tensor,
  alphaDropout: () => l.alphaDropout({ rate: 0.3 }).apply(ones, { training: true }) as tf.Tensor,
};

/** The values of three steps that draw twice each. */
function threeSteps(draw: () => tf.Tensor, eager: boolean, before: () => void = () => {}): number[][] {
  setRandomSeed(3);
  before();
  const step = compile(() => [draw(), draw()], { eager });
  return [1, 2, 3].flatMap(() => step.runSync().map((t) => [...t.dataSync()]));
}

describe('random numbers', () => {
  for (const [name, draw] of Object.entries(draws)) {
    it(`are the same eagerly and compiled, and others in each step and call: ${name}`, () => {
      const [expected, got] = [threeSteps(draw, true), threeSteps(draw, false)];
      got.forEach((values, i) => values.forEach((v, k) => expect(v).toBeCloseTo(expected[i]![k]!, 5)));
      expect(new Set(got.map((values) => values.join())).size).toBe(6);
    });
  }

  it('come again from a saved state, wherever the run goes on', () => {
    for (const eager of [true, false]) {
      setRandomSeed(9);
      const step = compile(() => tf.randomNormal([5]), { eager });
      step.runSync();
      const state = randomState.stateDict();
      const next = [...step.runSync().dataSync()];
      setRandomSeed(1);
      randomState.loadStateDict(state);
      expect([...compile(() => tf.randomNormal([5]), { eager: !eager }).runSync().dataSync()].map((v) => v.toFixed(4))).toEqual(next.map((v) => v.toFixed(4))); // prettier-ignore
      expect(randomState.stateDict().counter).toBe(state.counter + 1);
    }
  });

  it('do not depend on how many were drawn before, in the batch or the step', () => {
    const dropped = (batch: number): string => {
      setRandomSeed(4);
      const step = compile((x: tf.Tensor) => {
        const y = tf.dropout(x, 0.5); // as many numbers as the batch has
        return [y, tf.randomUniform([6])];
      });
      step.runSync(tf.ones([batch, 3]));
      return [...step.runSync(tf.ones([2, 3]))[1]!.dataSync()].join();
    };
    expect(dropped(7)).toBe(dropped(2));
    expect(dropped(1)).toBe(dropped(64));
  });

  it('leave the generator where it was when a step draws none', () => {
    setRandomSeed(2);
    compile((x: tf.Tensor) => x.add(1)).runSync(tf.scalar(1));
    expect(randomState.stateDict()).toEqual({ seed: 2, counter: 0 });
  });

  it('differ from seed to seed, and between two draws of one step', () => {
    const first = new Set<string>();
    for (let seed = 0; seed < 20; seed++) {
      setRandomSeed(seed);
      for (const t of compile(() => [tf.randomUniform([4]), tf.randomUniform([4])]).runSync()) first.add([...t.dataSync()].join());
    }
    expect(first.size).toBe(40);
  });

  it('train the same model from the same seed, compiled and eagerly', () => {
    const weights = (eager: boolean): number[] => {
      setRandomSeed(6);
      const model = tf.sequential({
        layers: [l.gaussianNoise({ stddev: 0.1, inputShape: [5] }), l.dense({ units: 8, activation: 'relu' }), l.dropout({ rate: 0.5 }), l.dense({ units: 1 })],
      }); // prettier-ignore
      const optimizer = tf.train.sgd(0.05);
      const x = tf.randomNormal([6, 5]);
      const step = compile(() => optimizer.minimize(() => (model.apply(x, { training: true }) as tf.Tensor).square().mean() as tf.Scalar, true), { eager }); // prettier-ignore
      for (let i = 0; i < 5; i++) step.runSync();
      return model.getWeights().flatMap((w) => [...w.dataSync()]);
    };
    const expected = weights(true);
    weights(false).forEach((w, i) => expect(w).toBeCloseTo(expected[i]!, 5));
  });
});

describe('the distributions', () => {
  /** Mean, variance, skewness and excess kurtosis. */
  function moments(values: ArrayLike<number>): [number, number, number, number] {
    const list = Array.from(values);
    const mean = list.reduce((a, b) => a + b, 0) / list.length;
    const central = (k: number): number => list.reduce((sum, v) => sum + (v - mean) ** k, 0) / list.length;
    const variance = central(2);
    return [mean, variance, central(3) / variance ** 1.5, central(4) / variance ** 2 - 3];
  }
  const sample = (draw: () => tf.Tensor): Float32Array => {
    setRandomSeed(12);
    return compile(draw).runSync().dataSync() as Float32Array;
  };
  // Bounds are five standard errors of each estimate, for 20,000 numbers.
  const near = (got: number, expected: number, error: number): void => expect(Math.abs(got - expected)).toBeLessThan(error);

  it('of uniform numbers have their moments and range', () => {
    const values = sample(() => tf.randomUniform([COUNT], -1, 3));
    const [mean, variance, skewness, kurtosis] = moments(values);
    near(mean, 1, 0.041);
    near(variance, 16 / 12, 0.043);
    near(skewness, 0, 0.06);
    near(kurtosis, -1.2, 0.06);
    expect(Math.min(...values)).toBeGreaterThanOrEqual(-1);
    expect(Math.max(...values)).toBeLessThan(3);
    const cells = new Array<number>(20).fill(0);
    values.forEach((v) => cells[Math.floor((v + 1) * 5)]!++);
    const chiSquare = cells.reduce((sum, n) => sum + (n - COUNT / 20) ** 2 / (COUNT / 20), 0);
    expect(chiSquare).toBeLessThan(44); // 19 degrees of freedom: exceeded once in a thousand
  });
  it('of whole numbers hit every one alike', () => {
    const counts = new Array<number>(8).fill(0);
    sample(() => tf.randomUniform([COUNT], 0, 8, 'int32')).forEach((v) => counts[v]!++);
    counts.forEach((n) => near(n, COUNT / 8, 5 * Math.sqrt(COUNT / 8)));
  });
  it('of normal numbers have their moments', () => {
    const [mean, variance, skewness, kurtosis] = moments(sample(() => tf.randomNormal([COUNT], 1, 2)));
    near(mean, 1, 0.071);
    near(variance, 4, 0.2);
    near(skewness, 0, 0.087);
    near(kurtosis, 0, 0.174);
  });
  it('of truncated normal numbers have their moments, and end after two deviations', () => {
    const values = sample(() => tf.truncatedNormal([COUNT], -1, 3));
    const [mean, variance, skewness] = moments(values);
    near(mean, -1, 0.094);
    near(variance, 9 * 0.7737, 0.26); // 1 − 4φ(2) / erf(√2)
    near(skewness, 0, 0.09);
    values.forEach((v) => expect(Math.abs(v + 1)).toBeLessThanOrEqual(6.0001));
  });
  it('of dropout keep the mean, and drop as many as they say', () => {
    const values = sample(() => tf.dropout(tf.ones([COUNT]), 0.3));
    near(values.filter((v) => v === 0).length / COUNT, 0.3, 0.0163);
    expect(new Set([...values].map((v) => v.toFixed(4)))).toEqual(new Set(['0.0000', '1.4286']));
  });
  it('of neighbours are independent, in a draw, between draws and between steps', () => {
    setRandomSeed(8);
    const step = compile(() => [tf.randomNormal([COUNT]), tf.randomNormal([COUNT])]);
    const [a, b] = step.runSync().map((t) => Array.from(t.dataSync())) as [number[], number[]];
    const c = Array.from(step.runSync()[0]!.dataSync());
    const correlation = (x: number[], y: number[]): number => x.reduce((sum, v, i) => sum + v * (y[i] ?? 0), 0) / x.length;
    for (const other of [a.slice(1), a.slice(7), b, c]) near(correlation(a, other), 0, 5 / Math.sqrt(COUNT));
  });
});

describe('what would be frozen into a step', () => {
  const frozen: Record<string, (x: tf.Tensor) => tf.Tensor> = {
    'a host number': (x) => x.add(Math.random()),
    'a host array': (x) => x.add(tf.tensor1d([Math.random(), 1])),
    'the time': (x) => x.mul(performance.now()),
    'tf.rand': (x) => x.add(tf.rand([2], Math.random)),
    'tf.randomGamma': (x) => x.add(tf.randomGamma([2], 2)),
    'a shuffled order': (x) => {
      const order = Array.from({ length: 64 }, (_, i) => i);
      tf.util.shuffle(order);
      return x.add(tf.tensor1d(order).sum().add(tf.tensor1d(order).slice(0, 2)));
    },
  };
  for (const [name, f] of Object.entries(frozen)) {
    it(`is refused when it differs between two traces: ${name}`, () => {
      expect(() => compile(f).runSync(tf.tensor1d([1, 2]))).toThrow(TraceError);
      expect(() => compile(f).runSync(tf.tensor1d([1, 2]))).toThrow(/traced twice.*tf\.randomUniform/s);
    });
  }
  it('is allowed when it stays', () => {
    expect([
      ...compile((x: tf.Tensor) => x.add(tf.tensor1d([1, 2])))
        .runSync(tf.tensor1d([1, 2]))
        .dataSync(),
    ]).toEqual([2, 4]);
  });
});
