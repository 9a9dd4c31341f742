import { describe, expect, it } from 'vitest';
import { DataError } from '../errors.js';
import { EndOfData, isArrayOfDatasets, isDataset, isDatasets } from './dataset.js';
import { LiveData } from './live-data.js';
import { openDataset } from './live-iterator.js';

async function* late(): AsyncGenerator<number> {
  yield 1;
}

describe('datasets', () => {
  it('are iterables, async iterables and functions', () => {
    expect([[1], [], new Set([1]), late(), late, () => [1]].every(isDataset)).toBe(true);
    expect([5, null, 'text', {}, new Float32Array(3), { shape: [2] }].some(isDataset)).toBe(false);
  });

  it('in an array are told from batches in an array', () => {
    expect(isArrayOfDatasets([new Set(), late])).toBe(true);
    expect([[], [1], ['ab'], [[1, 2]], [new Float32Array(2)], [{ x: 1 }], [new Set(), 3]].some(isArrayOfDatasets)).toBe(false);
  });

  it('may be nested in records and arrays', () => {
    expect(isDatasets({ a: [1], b: { c: late, d: [late, new Set()] } })).toBe(true);
    expect(isDatasets({ a: [1], b: 5 })).toBe(false);
    expect(isDatasets({})).toBe(false);
  });
});

describe('iterators of datasets', () => {
  it('yield without a promise from synchronous datasets, and throw at the end', async () => {
    const iterator = await openDataset([1, 2]);
    expect([iterator.next(), iterator.next()]).toMatchObject([{ value: 1 }, { value: 2 }]);
    expect(() => iterator.next()).toThrow(EndOfData);
    expect(() => iterator.next()).toThrow(EndOfData);
  });

  it('reject at the end of asynchronous ones', async () => {
    const iterator = await openDataset(late);
    expect(await iterator.next()).toMatchObject({ value: 1 });
    await expect(iterator.next()).rejects.toThrow(EndOfData);
  });

  it('take what is there without waiting', async () => {
    const source = {
      nextSync: () => ({ done: false, value: 'at once' }),
      next: () => Promise.reject(new Error('must not be called')),
    };
    const iterator = await openDataset({ [Symbol.asyncIterator]: () => source } as unknown as AsyncIterable<string>);
    expect(iterator.next()).toMatchObject({ value: 'at once' });
  });

  it('are refused by a function that returns none', async () => {
    await expect(openDataset((() => 5) as unknown as () => number[])).rejects.toThrow(DataError);
    await expect(openDataset((() => null) as unknown as () => number[])).rejects.toThrow(/null/);
  });

  it('skip to a saved position, which may lie beyond the end', async () => {
    const iterator = await openDataset([1, 2, 3]);
    iterator.loadStateDict({ batches_taken: 2 });
    expect(iterator.next()).toMatchObject({ value: 3 });
    expect(() => iterator.loadStateDict({ batches_taken: 1 })).toThrow(/cannot go back/);
    iterator.loadStateDict({ batches_taken: 9 });
    expect(() => iterator.next()).toThrow(EndOfData);
  });

  it('save one position for each dataset of a structure', async () => {
    const live = new LiveData({ a: [1, 2], b: [new Set([3]), new Set([4])] as const });
    expect(live.stateDict()).toEqual({});
    const iterators = (await live.open()) as unknown as { a: { next(): unknown }; b: { next(): unknown }[] };
    iterators.a.next();
    iterators.b[1]!.next();
    expect(live.stateDict()).toEqual({ a: { batches_taken: 1 }, 'b/0': { batches_taken: 0 }, 'b/1': { batches_taken: 1 } });
    await live.close();
    expect(live.iterators).toBeNull();
  });
});
