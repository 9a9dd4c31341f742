import * as tf from '#tf';
import { expect, it } from 'vitest';
import { allReduceSum, compile, type Collective } from './index.js';

/** Replicas that all hold the same numbers: their sum is `size` times each. */
const identical = (size: number): Collective & { exchanges: number } => ({
  size,
  exchanges: 0,
  allReduce(arrays) {
    this.exchanges++;
    for (const a of arrays) a.forEach((x, i) => (a[i] = x * size));
  },
});

function step(v: tf.Variable, w: tf.Variable, replicas: number) {
  return (x: tf.Tensor): tf.Scalar => {
    const { value, grads } = tf.variableGrads(() => v.mul(x).add(w).square().sum() as tf.Scalar, [v, w]);
    const gradients = [grads[v.name]!, grads[w.name]!].map((g) => g.div(replicas));
    const [dv, dw] = allReduceSum(gradients) as [tf.Tensor, tf.Tensor];
    v.assign(v.sub(dv.mul(0.01)));
    w.assign(w.sub(dw.mul(0.01)));
    return value;
  };
}

it('two replicas that see the same batch train as one', async () => {
  const make = (): [tf.Variable, tf.Variable] => [tf.variable(tf.tensor1d([1, 2])), tf.variable(tf.tensor1d([3, 4]))];
  const [v1, w1] = make();
  const [v2, w2] = make();
  const collective = identical(2);
  const one = compile(step(v1, w1, 1));
  const two = compile(step(v2, w2, 2), { collective });
  const x = tf.tensor1d([0.5, -1]);
  for (let i = 0; i < 5; i++) {
    const [a, b] = [await one(x), await two(x)];
    expect(b.dataSync()[0]).toBeCloseTo(a.dataSync()[0]!, 5);
  }
  expect([...v2.dataSync()].map((y) => y.toFixed(5))).toEqual([...v1.dataSync()].map((y) => y.toFixed(5)));
  expect(collective.exchanges).toBe(5); // both gradients in one exchange per step
});

it('a sum over replicas can be returned and can feed another sum', () => {
  const f = compile(
    (x: tf.Tensor) => {
      const [a] = allReduceSum([x.add(1)]);
      const [b] = allReduceSum([a!.mul(2)]);
      return [a!, b!, x.add(5)];
    },
    { collective: identical(3) },
  );
  const out = f.runSync(tf.tensor1d([1, 2]));
  expect(out.map((t) => [...t.dataSync()])).toEqual([
    [6, 9],
    [36, 54],
    [6, 7],
  ]);
});

it('sums arguments and variables as they are', () => {
  const v = tf.variable(tf.tensor1d([3, 4]));
  const f = compile((x: tf.Tensor) => allReduceSum([x, v as tf.Tensor]), { collective: identical(2) });
  expect(f.runSync(tf.tensor1d([1, 2])).map((t) => [...t.dataSync()])).toEqual([
    [2, 4],
    [6, 8],
  ]);
});
