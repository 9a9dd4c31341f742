import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Dataset, range } from '../index.js';
import { positioned } from '../numbers.testing.js';
import { named, withBuiltWorker } from './workers.testing.js';

withBuiltWorker();

describe('filter and flatMap in workers', () => {
  const make = (workers: number, n = 40): Dataset<number> =>
    positioned(n)
      .shuffle({ seed: 1, bufferSize: 9 })
      .map(named('double'), { workers })
      .filter(named('likely'), { workers, seed: 4 })
      .flatMap(named<number, number[]>('several'), { workers, seed: 5 })
      .repeat(2)
      .prefetch(2);

  it('give the same elements for any number of workers, and what the functions of this thread would', async () => {
    const expected = await make(0).toArray();
    expect(expected.length).toBeGreaterThan(20);
    for (const workers of [1, 2]) expect(await make(workers).toArray()).toEqual(expected);
    const even = range(0, 30).filter(named('even'), { workers: 1 });
    expect(await even.toArray()).toEqual(
      await range(0, 30)
        .filter((x) => x % 2 === 0)
        .toArray(),
    );
    expect(await even.take(3).toArray()).toEqual([0, 2, 4]);
    const rows = await even.flatMap(named<number, number[]>('thrice'), { workers: 1 }).batch(4).toArray();
    expect([...rows[0]!.data, ...rows[1]!.data]).toEqual([0, 0, 0, 2, 2, 2, 4, 4]);
    expect(await range(0, 0).filter(named('likely'), { workers: 1 }).toArray()).toEqual([]);
  });

  it('continue exactly after saving at any element, with another number of workers', async () => {
    const whole = await make(0, 20).toArray();
    await fc.assert(
      fc.asyncProperty(fc.nat(whole.length), fc.nat(2), fc.nat(2), async (stop, before, after) => {
        const first = make(before, 20).iterator();
        const elements: unknown[] = [];
        for (let i = 0; i < stop; i++) elements.push((await first.next()).value);
        const second = make(after, 20).iterator();
        second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
        await first.return();
        const third = make(0, 20).iterator();
        third.loadStateDict(second.stateDict());
        await second.return();
        for await (const element of third) elements.push(element);
        expect(elements).toEqual(whole);
      }),
      { numRuns: 12 },
    );
  });

  it('can be shuffled afterwards and restored by reading single results again', async () => {
    const shuffled = (workers: number) => make(workers, 25).shuffle({ bufferSize: 7, seed: 3 });
    const first = shuffled(1).iterator();
    for (let i = 0; i < 11; i++) await first.next();
    const second = shuffled(0).iterator();
    second.loadStateDict(first.stateDict());
    for (let i = 0; i < 8; i++) expect(await second.next()).toEqual(await first.next());
    await Promise.all([first.return(), second.return()]);
  });

  it('interleave lists that workers make as those of this thread, at any saved position', async () => {
    const turns = { cycleLength: 3, blockLength: 2 };
    const interleaved = (workers: number): Dataset<number> =>
      positioned(30)
        .map(named('double'), { workers })
        .interleave(named<number, number[]>('several'), { ...turns, workers, seed: 2 });
    const lists = await positioned(30)
      .map(named('double'), { workers: 0 })
      .map(named<number, number[]>('several'), { workers: 0, seed: 2 })
      .toArray();
    const whole = await range(0, 30)
      .interleave((i) => lists[i]!, turns)
      .toArray();
    expect(whole.length).toBeGreaterThan(30);
    for (const workers of [0, 2]) expect(await interleaved(workers).toArray()).toEqual(whole);
    const first = interleaved(1).iterator();
    for (let i = 0; i < 17; i++) await first.next();
    const second = interleaved(0).iterator();
    second.loadStateDict(first.stateDict());
    await first.return();
    for (let i = 17; i < 30; i++) expect((await second.next()).value).toBe(whole[i]);
    expect(() => range(0, 3).interleave(() => [], { ...turns, workers: 1 as 0 })).toThrow(/interleave was given a function together with/);
  });

  it('refuse what is no list, and name the element', async () => {
    for (const workers of [0, 1]) {
      await expect(range(7, 9).flatMap(named<number, number[]>('double'), { workers }).toArray()).rejects.toThrow(
        /flatMap \(double of .*, in a worker\) failed on the element at 0: it returned a number, but .* must return a list/,
      );
      await expect(range(7, 9).interleave(named<number, number[]>('double'), { cycleLength: 2, workers }).toArray()).rejects.toThrow(
        /interleave \(double of .*, in a worker\) failed on the element at 0: it returned a number, but .* must return a list/,
      );
    }
    expect(() => range(0, 3).filter(() => true, { workers: 1 as 0 })).toThrow(
      /filter was given a function together with workers: 1, .*: filter: inWorker/,
    );
    expect(() => range(0, 3).flatMap(() => [], { timeoutSeconds: 1 } as object)).toThrow(/timeoutSeconds is for functions in workers/);
  });
});
