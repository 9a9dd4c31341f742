import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../src/function/index.js';

const at = [0.5, -0.25, 2];
const cases: readonly [string, (w: tf.Tensor) => tf.Tensor, (w: number) => number][] = [
  ['where', (w) => tf.where(tf.lessEqual(tf.abs(w), 1), tf.square(w), tf.abs(w)), (w) => (Math.abs(w) <= 1 ? 2 * w : Math.sign(w))],
  ['a mask that is multiplied', (w) => tf.mul(tf.cast(tf.greater(w, 0), 'float32'), tf.square(w)), (w) => (w > 0 ? 2 * w : 0)],
  ['and', (w) => tf.where(tf.logicalAnd(tf.greaterEqual(w, 0), tf.less(w, 1)), w, tf.mul(w, 3)), (w) => (w >= 0 && w < 1 ? 1 : 3)],
  [
    'or, not',
    (w) => tf.where(tf.logicalNot(tf.logicalOr(tf.less(w, 0), tf.greater(w, 1))), w, tf.mul(w, 3)),
    (w) => (w < 0 || w > 1 ? 3 : 1),
  ],
  ['equal to the largest', (w) => tf.mul(tf.cast(tf.equal(w, tf.max(w)), 'float32'), w), (w) => (w === 2 ? 1 : 0)],
  ['not equal', (w) => tf.where(tf.notEqual(w, 2), tf.square(w), w), (w) => (w === 2 ? 1 : 2 * w)],
];

describe('gradients of losses that choose by their own values', () => {
  it.each(cases)('%s: eager and compiled', async (_name, f, slope) => {
    const w = tf.variable(tf.tensor1d(at));
    const gradient = (): tf.Tensor => tf.variableGrads(() => tf.sum(f(w)), [w]).grads[w.name]!;
    const expected = at.map((x) => expect.closeTo(slope(x), 6));
    expect([...gradient().dataSync()]).toEqual(expected);
    expect([...(await compile(gradient)()).dataSync()]).toEqual(expected);
  });

  it('there is none where nothing but a comparison depends on the variables', () => {
    const w = tf.variable(tf.tensor1d(at));
    const accuracy = (): tf.Scalar => tf.mean(tf.cast(tf.equal(tf.less(w, 1), tf.tensor1d([1, 1, 0], 'bool')), 'float32'));
    expect(() => tf.variableGrads(accuracy, [w])).toThrow('Cannot find a connection between any variable and the result');
  });
});
