import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { hashKey, permutation, RandomStream } from './random.js';

describe('permutation', () => {
  it('contains every index once, by table and by computation', () => {
    for (const length of [0, 1, 2, 3, 1000, 262_144, 262_145, 300_001]) {
      const order = permutation(length, hashKey(1, 2));
      const seen = new Uint8Array(length);
      for (let i = 0; i < length; i++) seen[order(i)]!++;
      expect(seen.every((n) => n === 1)).toBe(true);
    }
  });

  it('gives each of the six orders of three equally often', () => {
    const counts = new Map<string, number>();
    for (let key = 0; key < 6000; key++) {
      const order = permutation(3, hashKey(key));
      const name = [0, 1, 2].map(order).join('');
      counts.set(name, (counts.get(name) ?? 0) + 1);
    }
    // Chi-squared with five degrees of freedom: 20.5 is passed once in a thousand.
    const chi = [...counts.values()].reduce((sum, n) => sum + (n - 1000) ** 2 / 1000, 0);
    expect(counts.size).toBe(6);
    expect(chi).toBeLessThan(20.5);
  });

  it('leaves no trace of the old order when it is computed', () => {
    const length = 500_000;
    const order = permutation(length, 7);
    let product = 0;
    for (let i = 0; i < 50_000; i++) product += (i / 50_000 - 0.5) * (order(i) / length - 0.5);
    // Correlation of independent uniform numbers: standard deviation 1 / sqrt(n).
    expect(Math.abs((product / 50_000) * 12)).toBeLessThan(5 / Math.sqrt(50_000));
  });
});

describe('RandomStream', () => {
  it('is a function of key and count', () => {
    const a = new RandomStream(5);
    const first = Array.from({ length: 10 }, () => a.uint32());
    const b = new RandomStream(5);
    b.count = 4;
    expect(Array.from({ length: 6 }, () => b.uint32())).toEqual(first.slice(4));
  });

  it('draws whole numbers below any bound', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 2 ** 32 }), fc.nat(), (bound, key) => {
        const value = new RandomStream(key).below(bound);
        return Number.isInteger(value) && value >= 0 && value < bound;
      }),
    );
  });
});
