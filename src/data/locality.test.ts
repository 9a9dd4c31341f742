import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { groupedPermutation } from './locality.js';
import type { Dataset } from './dataset.js';
import { groupDataset, type CacheOptions } from './sources/groups.js';
import { listBlock } from './sources/list-block.js';

const startsOf = (sizes: readonly number[]): number[] => sizes.map((_, i) => sizes.slice(0, i).reduce((sum, n) => sum + n, 0));

describe('a permutation of groups', () => {
  it('has every position once, with at most `kept` groups open at a time', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(9), { minLength: 1, maxLength: 30 }), fc.integer({ min: 1, max: 5 }), fc.nat(), (sizes, kept, key) => {
        const starts = startsOf(sizes);
        const length = sizes.reduce((sum, n) => sum + n, 0);
        const order = groupedPermutation(length, { starts, kept, keep: () => undefined }, key);
        const positions = Array.from({ length }, (_, i) => order(i));
        expect([...positions].sort((a, b) => a - b)).toEqual(Array.from({ length }, (_, i) => i));
        const groupOf = (position: number): number => sizes.findIndex((n, g) => position >= starts[g]! && position < starts[g]! + n);
        // Where not all fit, runs of `kept` groups come one after the other.
        if (sizes.length <= kept) return;
        const touched = [...new Set(positions.map(groupOf))];
        const open = (group: number): [number, number] => {
          const visits = positions.flatMap((position, at) => (groupOf(position) === group ? [at] : []));
          return [visits[0]!, visits.at(-1)!];
        };
        const spans = touched.map(open);
        for (const [begin] of spans) expect(spans.filter(([from, to]) => from <= begin && to >= begin).length).toBeLessThanOrEqual(kept);
      }),
    );
  });

  it('takes `kept` groups after the other, each of them in one window', () => {
    const sizes = Array.from({ length: 12 }, () => 5);
    const order = groupedPermutation(60, { starts: startsOf(sizes), kept: 3, keep: () => undefined }, 7);
    const windows = Array.from({ length: 4 }, (_, w) => new Set(Array.from({ length: 15 }, (_, i) => Math.floor(order(15 * w + i) / 5))));
    expect(windows.map(({ size }) => size)).toEqual([3, 3, 3, 3]);
    expect(new Set(windows.flatMap((window) => [...window])).size).toBe(12);
  });
});

describe('a data set of groups', () => {
  const sizes = [3, 4, 1, 5, 2, 5, 4];
  const all = Array.from({ length: 24 }, (_, i) => i);
  const make = (options: CacheOptions & { batchSize?: number } = {}): { dataset: Dataset<number>; read: number[] } => {
    const read: number[] = [];
    const starts = startsOf(sizes);
    const dataset = groupDataset<number, number[]>(
      {
        name: 'numbers',
        groups: sizes.map((rows) => ({ rows, bytes: rows })),
        read: async (group) => {
          read.push(group);
          return listBlock(Array.from({ length: sizes[group]! }, (_, i) => starts[group]! + i));
        },
        locate: (group, row) => `row ${row} of group ${group}`,
      },
      options,
    );
    return { dataset: dataset as Dataset<number>, read };
  };

  it('reads each group once in a pass, in order and shuffled', async () => {
    const { dataset, read } = make({ cacheBytes: 10 });
    expect(dataset.length).toBe(24);
    expect(await dataset.toArray()).toEqual(all);
    expect(read.splice(0)).toEqual([0, 1, 2, 3, 4, 5, 6]);
    const shuffled = await dataset.shuffle({ seed: 3 }).toArray();
    expect(shuffled).not.toEqual(all);
    expect([...shuffled].sort((a, b) => a - b)).toEqual(all);
    expect(read.sort()).toEqual([0, 1, 2, 3, 4, 5, 6]);
  });

  it('keeps all of them where they fit, and is then shuffled as a whole', async () => {
    const { dataset, read } = make();
    const passes = await dataset.shuffle({ seed: 3 }).repeat(3).toArray();
    expect(passes.length).toBe(72);
    expect(passes.slice(0, 24)).not.toEqual(passes.slice(24, 48));
    expect(read.length).toBe(7);
  });

  it('goes on from a position that is one number, through map, shard, repeat, shuffle and batch', async () => {
    const open = () =>
      make({ cacheBytes: 10 })
        .dataset.map((n) => 2 * n)
        .shard(2, 1)
        .repeat(2)
        .shuffle({ seed: 5 })
        .batch(3);
    const batches = (await open().toArray()).map(({ data }) => [...data]);
    expect(batches.flat().sort((a, b) => a - b)).toEqual(all.filter((n) => n % 2 === 1).flatMap((n) => [2 * n, 2 * n]));
    for (let taken = 0; taken < batches.length; taken++) {
      const first = open().iterator(0);
      for (let i = 0; i < taken; i++) await first.next();
      const second = open().iterator();
      second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
      expect([...(await second.next()).value!.data]).toEqual(batches[taken]);
      expect(JSON.stringify(first.stateDict())).toMatch(new RegExp(`\\b${taken}\\b`));
    }
  });

  it('shuffles batches that were cut from the groups', async () => {
    const { dataset, read } = make({ cacheBytes: 10, batchSize: 4 });
    const batches = (await dataset.shuffle({ seed: 1 }).toArray()) as unknown as number[][];
    expect(batches.map(([first]) => first!).sort((a, b) => a - b)).toEqual([0, 4, 8, 12, 16, 20]);
    for (const batch of batches) expect(batch).toEqual(Array.from({ length: 4 }, (_, i) => batch[0]! + i));
    expect(read.length).toBeLessThan(12); // a group at the border of two batches may be read for both
  });

  it('tries a group again that could not be read', async () => {
    let broken = true;
    const dataset = groupDataset<number, number[]>(
      {
        name: 'numbers',
        groups: [{ rows: 2, bytes: 1 }],
        read: async () => {
          if (broken) throw new Error('not now');
          return listBlock([1, 2]);
        },
        locate: () => '',
      },
      {},
    );
    await expect(dataset.toArray()).rejects.toThrow('not now');
    broken = false;
    expect(await dataset.toArray()).toEqual([1, 2]);
  });
});
