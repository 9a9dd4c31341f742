import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { compile } from '../function/index.js';
import { assertRank, getActivation, getActivationLayer, getShapeList, safeMean, squaredRelu } from './index.js';

const xs = [-7, -3, -1.5, -0.5, 0, 0.25, 1, 2.5, 3, 6, 8];
const sigmoid = (x: number): number => 1 / (1 + Math.exp(-x));
const clip6 = (x: number): number => Math.min(Math.max(x + 3, 0), 6);
/** ∫ of the normal density from −12 to x, by Simpson's rule. */
function normalDistribution(x: number): number {
  const [from, pieces] = [-12, 20_000];
  const h = (x - from) / pieces;
  let sum = 0;
  for (let i = 0; i <= pieces; i++) sum += Math.exp(-((from + i * h) ** 2) / 2) * (i === 0 || i === pieces ? 1 : i % 2 === 1 ? 4 : 2);
  return (sum * h) / 3 / Math.sqrt(2 * Math.PI);
}
const formulas: Record<string, (x: number) => number> = {
  gelu: (x) => 0.5 * x * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x ** 3))),
  simple_swish: (x) => x * sigmoid(x),
  swish: (x) => x * sigmoid(x),
  silu: (x) => x * sigmoid(x),
  hard_swish: (x) => (x * clip6(x)) / 6,
  hard_sigmoid: (x) => clip6(x) * 0.16667,
  mish: (x) => x * Math.tanh(Math.log(1 + Math.exp(x))),
  identity: (x) => x,
  linear: (x) => x,
  relu: (x) => Math.max(x, 0),
  relu6: (x) => Math.min(Math.max(x, 0), 6),
  elu: (x) => (x > 0 ? x : Math.exp(x) - 1),
  selu: (x) => 1.0507009873554805 * (x > 0 ? x : 1.6732632423543772 * (Math.exp(x) - 1)),
  sigmoid,
  tanh: Math.tanh,
  softplus: (x) => Math.log(1 + Math.exp(x)),
  softsign: (x) => x / (1 + Math.abs(x)),
  exponential: Math.exp,
  leaky_relu: (x) => (x > 0 ? x : 0.2 * x),
  softmax: (x) => Math.exp(x) / xs.reduce((sum, y) => sum + Math.exp(y), 0),
};
const expectValues = (found: tf.Tensor, formula: (x: number) => number): void =>
  found.dataSync().forEach((y, i) => {
    const wanted = formula(xs[i]!);
    expect(Math.abs(y - wanted), `at ${xs[i]}: ${y}, expected ${wanted}`).toBeLessThanOrEqual(2e-6 * Math.max(1, Math.abs(wanted)));
  });

describe('an activation by name', () => {
  it.each(Object.entries(formulas))('%s is what its formula says, eagerly and compiled', (name, formula) => {
    const compiled = compile(getActivation(name));
    expectValues(getActivation(name.toUpperCase())(tf.tensor1d(xs)), formula);
    expectValues(compiled.runSync(tf.tensor1d(xs)), formula);
    compiled.dispose();
  });

  it('is a function given as it is, and refused with the known ones where there is none', () => {
    expect(getActivation(squaredRelu)).toBe(squaredRelu);
    expectValues(squaredRelu(tf.tensor1d(xs)), (x) => Math.max(x, 0) ** 2);
    expect(() => getActivation('swich')).toThrow(UsageError);
    expect(() => getActivation('swich')).toThrow(/"swich" is no activation\. Did you mean "swish"\? Known: gelu, exact_gelu, simple_swish/);
  });
});

describe('an activation layer', () => {
  const exact = (x: number): number => x * normalDistribution(x);
  it.each([
    ...['relu', 'relu6', 'linear', 'identity', 'swish', 'sigmoid', 'hard_swish', 'hard_sigmoid', 'mish'].map((name) => [name, {}, formulas[name]!] as const), // prettier-ignore
    ['gelu', {}, exact],
    ['gelu', { approximate: true }, formulas['gelu']!],
    ['leaky_relu', {}, (x: number) => (x > 0 ? x : 0.3 * x)],
    ['leaky_relu', { alpha: 0.1 }, (x: number) => (x > 0 ? x : 0.1 * x)],
  ] as const)('%s %j computes it in a model, also in one that was saved and read', async (name, options, formula) => {
    const model = tf.sequential({ layers: [tf.layers.inputLayer({ inputShape: [xs.length] }), getActivationLayer(name, options)] });
    expectValues(model.predict(tf.tensor2d([xs])) as tf.Tensor, formula);
    const copy = await tf.models.modelFromJSON(model.toJSON(null, false) as never);
    expectValues(copy.predict(tf.tensor2d([xs])) as tf.Tensor, formula);
  });

  it('of a name that is none is refused', () => {
    expect(() => getActivationLayer('tanhh')).toThrow(/"tanhh" is no activation\. Known: relu, relu6/);
  });
});

describe('shapes', () => {
  it('are read and checked', () => {
    const x = tf.zeros([2, 3]);
    expect(getShapeList(x)).toEqual([2, 3]);
    expect(getShapeList(x, [1, 2])).toEqual([2, 3]);
    expect(() => getShapeList(x, 3, 'images')).toThrow(/^images: expected rank 3, got rank 2, of shape \[2, 3\]\.$/);
    expect(() => assertRank(x, [3, 4])).toThrow(UsageError);
  });

  it('of nothing have the mean 0', () => {
    expect(safeMean(tf.zeros([0, 3])).dataSync()[0]).toBe(0);
    expect(safeMean(tf.tensor1d([1, 2, 6], 'int32')).dataSync()[0]).toBe(3);
  });
});
