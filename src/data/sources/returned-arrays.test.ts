import { describe, expect, it } from 'vitest';

import { fromArrays } from '../index.js';

describe('Batches of arrays', () => {
  const images = Float32Array.from({ length: 40 }, (_, i) => i);

  it('are made in the memory of those that were given back a while ago, and in no other', () => {
    const iterator = fromArrays([images]).repeat().batch(8).iterator();
    const take = () => iterator.nextSync()!.value![0];
    const kept = take();
    const back = Array.from({ length: 8 }, take);
    for (const batch of back.slice(0, 7)) iterator.release([batch]);
    expect(back.map(({ data }) => data)).not.toContain(take().data); // they still rest
    iterator.release([back[7]!]);
    const next = take();
    expect(next.data).toBe(back[0]!.data);
    expect([...next.data]).toEqual(Array.from({ length: 8 }, (_, i) => i)); // batch 10 of batches of 5
    iterator.release([back[0]!]); // once more: nothing, the memory is the other batch's
    expect(take().data).not.toBe(next.data);
    expect([...kept.data]).toEqual([0, 1, 2, 3, 4, 5, 6, 7]);
  });

  it('that are large rest no longer than it takes to fill the caches', () => {
    const iterator = fromArrays([new Float32Array(800_000)])
      .repeat()
      .batch(800_000)
      .iterator();
    const first = iterator.nextSync()!.value!;
    const { data } = first[0];
    iterator.release(first);
    expect(iterator.nextSync()!.value![0].data).toBe(data);
  });

  it('of another length get memory of their own', () => {
    const iterator = fromArrays([images.subarray(0, 11)])
      .repeat(30)
      .batch(8)
      .iterator();
    for (let taken = 0; taken < 330;) {
      const { value } = iterator.nextSync()!;
      expect([...value![0].data]).toEqual(Array.from({ length: value![0].size }, (_, i) => (taken + i) % 11));
      taken += value![0].size;
      iterator.release(value!);
    }
  });
});
