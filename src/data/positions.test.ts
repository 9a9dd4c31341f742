import { join } from 'node:path';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromGenerator, inWorker, mixDatasets, range, setNoticeHandler, type Dataset } from './index.js';
import { positioned, synchronously } from './numbers.testing.js';
import { build, directory, functions, operator, pipeline, pullAll } from './pipelines.testing.js';

setNoticeHandler(() => undefined);

describe('Dataset positions', () => {
  it('continue exactly after saving at any element and restoring into a new pipeline', async () => {
    await fc.assert(
      fc.asyncProperty(pipeline, fc.nat(30), async (parts, stop) => {
        const whole = await pullAll(build(parts).iterator());
        const first = build(parts).iterator();
        const before = await pullAll(first, stop);
        const saved = JSON.parse(JSON.stringify(first.stateDict())) as ReturnType<typeof first.stateDict>;
        const second = build(parts).iterator();
        second.loadStateDict(saved);
        expect([...before, ...(await pullAll(second, 300 - before.length))]).toEqual(whole);
        expect(await pullAll(first, 300 - before.length)).toEqual(whole.slice(before.length));
      }),
      { numRuns: 300 },
    );
  });

  it('after an error are those of the last element taken: a restored iterator, and the same one, meet the element that failed', async () => {
    let broken = false;
    const fragile = (d: Dataset<number>, at: number, asynchronous: boolean): Dataset<number> =>
      d.map((x) => {
        if (broken && Math.abs(x) % 11 === at) throw new Error('out of order');
        return asynchronous ? (Promise.resolve(x) as never) : x;
      });
    const following = fc.array(operator, { maxLength: 3 });
    await fc.assert(
      fc.asyncProperty(pipeline, following, fc.nat(10), fc.boolean(), fc.nat(20), async (parts, after, at, asynchronous, stop) => {
        const make = (): Dataset<number> => after.reduce((d, apply) => apply(d), fragile(build(parts), at, asynchronous));
        broken = false;
        const whole = await pullAll(make().iterator());
        const first = make().iterator();
        broken = true;
        const before = await pullAll(first, stop); // one more may have failed ahead
        const early = { state: JSON.parse(JSON.stringify(first.stateDict())) as ReturnType<typeof first.stateDict>, taken: before.length };
        before.push(...(await pullAll(first)));
        expect(await pullAll(first)).toEqual([]); // fails again
        const late = { state: JSON.parse(JSON.stringify(first.stateDict())) as ReturnType<typeof first.stateDict>, taken: before.length };
        for (const { state, taken } of [early, late]) {
          expect(state.taken).toBe(taken);
          const second = make().iterator();
          second.loadStateDict(state);
          broken = true;
          expect([...before.slice(0, taken), ...(await pullAll(second))]).toEqual(before);
          broken = false;
          expect([...before, ...(await pullAll(second, 300 - before.length))]).toEqual(whole);
        }
        expect([...before, ...(await pullAll(first, 300 - before.length))]).toEqual(whole);
      }),
      { numRuns: 200 },
    );
  });

  it('do not change when they are restored twice in a row', async () => {
    await fc.assert(
      fc.asyncProperty(pipeline, fc.nat(20), async (parts, stop) => {
        const first = build(parts).iterator();
        await pullAll(first, stop);
        const saved = first.stateDict();
        const second = build(parts).iterator();
        second.loadStateDict(saved);
        expect(second.taken).toBe(first.taken);
        const third = build(parts).iterator();
        third.loadStateDict(second.stateDict());
        expect(await pullAll(third)).toEqual(await pullAll(first));
      }),
      { numRuns: 100 },
    );
  });

  it('are the same whatever the prefetch depth, also between save and restore', async () => {
    const make = (depth: number | undefined): Dataset<unknown> => {
      const d = positioned(40).shuffle({ seed: 3, bufferSize: 7 }).repeat(2).batch(3);
      return depth === undefined ? d : d.prefetch(depth);
    };
    const expected = await pullAll(make(undefined).iterator());
    for (const [a, b] of [
      [0, 5],
      [5, 0],
      [20, 2],
      [undefined, 3],
      [3, undefined],
    ] as const) {
      const first = make(a).iterator();
      const before = await pullAll(first, 11);
      const second = make(b).iterator();
      second.loadStateDict(first.stateDict());
      expect([...before, ...(await pullAll(second))]).toEqual(expected);
    }
  });

  it('of a source with known positions are a few numbers, however far the run has come', async () => {
    const d = range(0, 10_000_000).shuffle({ seed: 1 }).repeat().batch(10);
    const iterator = d.iterator();
    for (let i = 0; i < 100; i++) iterator.nextSync();
    expect(JSON.stringify(iterator.stateDict()).length).toBeLessThan(200);
    const resumed = d.iterator();
    resumed.loadStateDict({ ...iterator.stateDict(), position: 999_999 });
    expect((await resumed.next()).value?.shape).toEqual([10]);
  });

  it('are restored without a replay: functions are called for what is held back and what comes next alone', async () => {
    let calls = 0;
    let files = 0;
    const counted = (x: number): number => (calls++, x);
    const pipelines = [
      { make: () => range(0, 50_000).shuffle({ seed: 2 }).map(counted).batch(8).repeat(), most: 2 * 8 },
      { make: () => positioned(20_000).map(counted).shuffle({ seed: 2, bufferSize: 30 }).batch(8), most: 30 + 2 * 8 },
      {
        make: () =>
          positioned(9000)
            .map(counted)
            .flatMap((x) => [x, x])
            .interleave((x) => range(0, x % 3), { cycleLength: 3 }),
        most: 12,
      },
      { make: () => positioned(9000).map(counted).map(inWorker<(x: number) => number>(functions, 'noisy'), { workers: 0 }), most: 8 },
      { make: () => positioned(9000).map(counted).window(7, { shift: 2, stride: 2 }), most: 16 },
      {
        make: () =>
          positioned(9000)
            .map(counted)
            .bucketBySequenceLength((x) => x % 30, { boundaries: [10, 20], batchSizes: [4, 5, 6] }),
        most: 2 * (3 + 4 + 5) + 6,
      },
      { make: () => mixDatasets([positioned(9000).map(counted), positioned(9000).map(counted)], [1, 2], { seed: 1 }), most: 2 },
      { make: () => positioned(4000).map(counted).zip(positioned(4000).map(counted)), most: 2 },
      { make: () => positioned(4000).map(counted).batch(5).unbatch(), most: 10 },
      { make: () => positioned(400).map(counted).repeat(8).shard(3, 1).skip(5).take(950), most: 3 },
      { make: () => positioned(300).map(counted).concatenate(positioned(4000).map(counted)), most: 1 },
      {
        make: () =>
          positioned(9000)
            .map(counted)
            .map(async (x) => x, { parallel: 4 })
            .prefetch(3),
        most: 16 + 8,
      },
      {
        make: () =>
          positioned(9000)
            .map(counted)
            .cache(join(directory, `counted-${files++}`)),
        most: 1,
      },
    ];
    for (const { make, most } of pipelines) {
      const first = make().iterator();
      await pullAll(first as AsyncIterator<unknown>, 900);
      const state = JSON.stringify(first.stateDict());
      expect(state.length).toBeLessThan(1000);
      const second = make().iterator() as AsyncIterator<unknown> & typeof first;
      calls = 0;
      second.loadStateDict(JSON.parse(state) as ReturnType<typeof first.stateDict>);
      const got = await second.next();
      expect(calls).toBeGreaterThan(0);
      expect(calls, first.stateDict().pipeline).toBeLessThanOrEqual(most);
      expect(got).toEqual(await first.next());
    }
  });

  it('of another pipeline are refused with both pipelines in the message', () => {
    const saved = range(0, 10).batch(2).iterator().stateDict();
    expect(() => range(0, 10).batch(3).iterator().loadStateDict(saved)).toThrow(/batch\(2\)[^]*batch\(3\)/);
  });

  it('of a plain iterable are refused where exact resumption is required', async () => {
    const d = fromGenerator(() => synchronously(3), { name: 'numbers', requireExactResume: true });
    await expect(d.iterator().next()).rejects.toThrow(/numbers can be resumed only by reading and dropping/);
  });

  it('are taken from iterators that can save their own', async () => {
    const d = fromGenerator(
      () => {
        let at = 0;
        const iterator = {
          next: () => (at < 5 ? { done: false as const, value: at++ } : { done: true as const, value: undefined }),
          stateDict: () => ({ at }),
          loadStateDict: (state: { readonly at?: number }) => void (at = state.at!),
          [Symbol.iterator]: () => iterator,
        };
        return iterator;
      },
      { requireExactResume: true },
    );
    const first = d.iterator();
    await pullAll(first, 2);
    const second = d.iterator();
    second.loadStateDict(first.stateDict());
    expect(await pullAll(second)).toEqual([2, 3, 4]);
  });
});
