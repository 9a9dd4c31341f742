import { describe, expect, it } from 'vitest';

import { fromArrays } from '../index.js';

describe('Batches of arrays', () => {
  const images = Float32Array.from({ length: 40 }, (_, i) => i);

  it('are made in the memory of those that were given back, and in no other', () => {
    const iterator = fromArrays([images]).repeat().batch(8).iterator();
    const take = () => iterator.nextSync()!.value![0];
    const kept = take();
    const back = take();
    iterator.release([back]);
    const third = take();
    expect(third.data).toBe(back.data);
    expect([...third.data]).toEqual(Array.from({ length: 8 }, (_, i) => 16 + i));
    iterator.release([back]); // once more: nothing, the memory is the third batch's
    expect(take().data).not.toBe(back.data);
    expect([...kept.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('of another length get memory of their own', () => {
    const iterator = fromArrays([images.subarray(0, 11)])
      .repeat(3)
      .batch(8)
      .iterator();
    for (let taken = 0; taken < 33;) {
      const { value } = iterator.nextSync()!;
      expect([...value![0].data]).toEqual(Array.from({ length: value![0].size }, (_, i) => (taken + i) % 11));
      taken += value![0].size;
      iterator.release(value!);
    }
  });
});
