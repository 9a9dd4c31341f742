import { describe, expect, it } from 'vitest';

import { NDArray, range, type Dataset } from './index.js';
import { sources } from './numbers.testing.js';
import recorded from '../../tests/fixtures/tf-data-operators.json' with { type: 'json' };

const cases = Object.entries(recorded as Record<string, unknown>).map(([name, expected]) => {
  const [operator = '', ...numbers] = name.split(' ');
  return { operator, numbers: numbers.map(Number), expected };
});

/** Nested lists of an array's values. */
function nested(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(nested);
  if (!(value instanceof NDArray)) return value;
  return value.shape.length === 1 ? [...value.data] : Array.from({ length: value.rows }, (_, i) => nested(value.row(i)));
}

const repeated = (length: number, x: number): NDArray => NDArray.of(new Int32Array(length).fill(x));

/** The operators with the arguments that tf.data was given. */
const operators: Record<string, (d: Dataset<number>, ...numbers: number[]) => Promise<unknown> | Promise<unknown>[]> = {
  window: (d, size, shift, stride, drop) => d.window(size!, { shift, stride, dropRemainder: drop === 1 }).toArray(),
  interleave: (d, cycleLength, blockLength) =>
    d.interleave((x) => range(10 * x, 10 * x + (x % 4) + 1), { cycleLength: cycleLength!, blockLength }).toArray(),
  zip: (d) => d.zip(range(100, 106)).toArray(),
  concatenate: (d) => d.concatenate(range(20, 22)).toArray(),
  shard: (d) => [0, 1, 2].map((i) => d.shard(3, i).toArray()),
  flatMap: (d) => d.flatMap((x) => range(0, x % 3)).toArray(),
  paddedBatch: (d, drop) =>
    d
      .map((x) => repeated(x % 4, x))
      .paddedBatch(3, { dropRemainder: drop === 1 })
      .toArray(),
  bucket: (d, drop) =>
    d
      .map((x) => repeated((x * 5) % 9, x))
      .bucketBySequenceLength((x) => x.size, { boundaries: [3, 6], batchSizes: [4, 3, 2], dropRemainder: drop === 1 })
      .toArray(),
};

describe('Dataset operators give what tf.data gives', () => {
  for (const operator of Object.keys(operators)) {
    it(operator, async () => {
      const own = cases.filter((one) => one.operator === operator);
      expect(own.length).toBeGreaterThan(1);
      for (const { numbers, expected } of own) {
        const [n, ...rest] = numbers;
        for (const [kind, source] of Object.entries(sources)) {
          const made = operators[operator]!(source(n!), ...rest);
          const got = Array.isArray(made) ? await Promise.all(made) : await made;
          expect(nested(got), `${operator}(${numbers.join(', ')}) of ${kind}`).toEqual(expected);
        }
      }
    });
  }
});
