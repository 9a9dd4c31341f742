import * as tf from '#tf';
import { afterEach, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { compile, setSummaryRecorder, summary } from './index.js';

afterEach(() => setSummaryRecorder(null));

function recordEvery(interval: number): { seen: [string, number[]][]; asked: number } {
  const log = { seen: [] as [string, number[]][], asked: 0 };
  setSummaryRecorder({
    due: () => log.asked++ % interval === 0,
    scalar: (name, value) => void log.seen.push([name, [value]]),
    histogram: (name, values) => void log.seen.push([name, [...values]]),
  });
  return log;
}

for (const eager of [false, true]) {
  it(`summaries of a step are written only when due (${eager ? 'eager' : 'compiled'})`, () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const step = compile(
      (x: tf.Tensor1D) => {
        v.assign(v.add(x) as tf.Tensor1D);
        summary.histogram('v', v);
        return v.sum();
      },
      { eager },
    );
    const log = recordEvery(2);
    const sums = Array.from({ length: 3 }, () => step.runSync(tf.tensor1d([1, 1])).dataSync()[0]);
    expect(sums).toEqual([5, 7, 9]);
    expect(log.seen).toEqual([
      ['v', [2, 3]],
      ['v', [4, 5]],
    ]);
  });
}

it('a step without summaries never asks whether they are due', () => {
  const log = recordEvery(1);
  compile((x: tf.Tensor) => x.add(1)).runSync(tf.scalar(1));
  expect(log.asked).toBe(0);
});

it('summaries cost no output while nobody records', () => {
  const f = compile((x: tf.Tensor) => {
    summary.scalar('sum of squares', x.square().sum());
    return x.neg();
  });
  expect(f.graph(tf.zeros([2]))).not.toContain('Square');
  expect([...f.runSync(tf.ones([2])).dataSync()]).toEqual([-1, -1]);
});

it('summary.scalar refuses a tensor of many elements', () => {
  expect(() => summary.scalar('x', tf.zeros([2]))).toThrow(UsageError);
});
