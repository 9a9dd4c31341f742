import { describe, expect, it } from 'vitest';

import { range } from '../index.js';
import { positioned, streamed } from '../numbers.testing.js';
import { named, withBuiltWorker } from './workers.testing.js';

withBuiltWorker();

describe('What functions in workers are told', () => {
  it('tells the function pass and number of the element', async () => {
    const d = streamed(3).map(named<number, number[]>('where'), { workers: 1 });
    expect(await d.toArray()).toEqual([
      [0, 0, 0],
      [1, 0, 1],
      [2, 0, 2],
    ]);
    expect((await d.toArray())[2]).toEqual([2, 1, 2]);
  });

  it('counts elements where the function stands, whatever is done with them afterwards, and over all shards', async () => {
    for (const source of [(n: number) => range(0, n), streamed, positioned]) {
      const d = source(6).map(named<number, number[]>('where'), { workers: 0 });
      const all = await d.toArray();
      expect(all).toEqual([0, 1, 2, 3, 4, 5].map((x) => [x, 0, x]));
      expect(await Promise.all([0, 1].map((i) => d.shard(2, i).iterator(0).next()))).toMatchObject(
        all.slice(0, 2).map((value) => ({ value })),
      );
      expect((await d.skip(2).take(3).shuffle({ seed: 1 }).toArray()).sort()).toEqual(all.slice(2, 5));
      expect((await d.repeat(2).shuffle({ seed: 1 }).toArray()).sort()).toEqual([0, 1, 2, 3, 4, 5].flatMap((x) => [[x, 0, x], [x, 1, x]])); // prettier-ignore
      const sharded = (i: number) => source(6).shard(2, i).shuffle({ seed: 1 }).map(named<number, number[]>('where'), { workers: 0 });
      const indices = (await Promise.all([0, 1].map((i) => sharded(i).toArray()))).flat().map(([, , index]) => index);
      expect(indices.sort()).toEqual([0, 1, 2, 3, 4, 5]); // of no two elements the same
    }
    const endless = range(0, 3).repeat().map(named<number, number[]>('where'), { workers: 0 }).shuffle({ seed: 2 }).take(6);
    expect((await endless.toArray()).sort()).toEqual([0, 1, 2, 0, 1, 2].map((x, i) => [x, 0, i]).sort());
    const kept = range(0, 4).filter(named('even'), { workers: 0 }).map(named<number, number[]>('where'), { workers: 0 }); // prettier-ignore
    expect(await kept.toArray()).toEqual([[0, 0, 0], [2, 0, 1]]); // prettier-ignore
  });

  it('draws for an element what it draws without shards, at any saved position', async () => {
    for (const source of [(n: number) => range(0, n), streamed, positioned]) {
      const make = (workers: number) => source(20).map(named('noisy'), { workers, seed: 7 });
      const whole = await make(0).repeat(2).toArray();
      for (const i of [0, 1, 2]) {
        const part = make(0).repeat(2).shard(3, i);
        expect(await part.toArray()).toEqual(whole.filter((_, k) => k % 3 === i));
        const first = make(1).repeat(2).shuffle({ seed: 1, bufferSize: 5 }).shard(3, i).iterator(0);
        for (let k = 0; k < 8; k++) await first.next();
        const second = make(0).repeat(2).shuffle({ seed: 1, bufferSize: 5 }).shard(3, i).iterator(0);
        second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
        for (let k = 0; k < 7; k++) expect(await second.next()).toEqual(await first.next());
        await first.return();
      }
    }
  });

  it('draws the same random numbers whether two maps run in the same workers or not', async () => {
    const run = (first: number, second: number, heapMegabytes?: number) =>
      range(0, 40)
        .map(named('noisy'), { workers: first, seed: 2 })
        .map(named('noisy'), { workers: second, seed: 3, heapMegabytes })
        .toArray();
    const expected = await run(0, 0);
    expect(await run(1, 2)).toEqual(expected);
    expect(await run(2, 0, 100)).toEqual(expected);
  });
});
