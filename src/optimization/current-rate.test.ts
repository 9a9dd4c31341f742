import { expect, it } from 'vitest';
import * as tf from '#tf';
import { compile } from '../function/index.js';
import { CurrentRate } from './current-rate.js';

const count = (n: number): tf.Scalar => tf.scalar(n, 'int32');

it('lets a compiled function see a new number without tracing it again', () => {
  const rate = new CurrentRate(0.5, 'SGD', 0);
  rate.build();
  let traces = 0;
  const read = compile((n: tf.Scalar) => {
    traces++;
    return rate.at(n);
  });
  expect(read.runSync(count(0)).dataSync()[0]).toBe(0.5);
  const traced = traces;
  rate.value = 0.25;
  expect(read.runSync(count(0)).dataSync()[0]).toBe(0.25);
  expect(traces).toBe(traced);
});

it('divides by 1 + decay · iterations', () => {
  const rate = new CurrentRate(0.5, 'SGD', 0.25);
  expect(rate.decayed(tf.scalar(0.5), count(4)).dataSync()[0]).toBeCloseTo(0.25, 6);
  expect(new CurrentRate(0.5, 'SGD', 0).decayed(tf.scalar(0.5), count(4)).dataSync()[0]).toBe(0.5);
});

it('refuses what is no rate, and keeps the one before', () => {
  const rate = new CurrentRate(0.5, 'SGD', 0);
  expect(() => (rate.value = NaN)).toThrow(/SGD/);
  expect(rate.value).toBe(0.5);
});
