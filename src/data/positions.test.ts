import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll, describe, expect, it } from 'vitest';

import { fromGenerator, inWorker, mixDatasets, range, setNoticeHandler, type Dataset } from './index.js';
import { positioned, sources, streamed, synchronously } from './numbers.testing.js';

setNoticeHandler(() => undefined);

const directory = mkdtempSync(join(tmpdir(), 'orbit-positions-'));
afterAll(() => rmSync(directory, { recursive: true }));
let caches = 0;
const functions = new URL('./workers/functions.testing.mjs', import.meta.url).href;

const seed = fc.integer({ min: 0, max: 5 });
const small = fc.integer({ min: 1, max: 5 });

/** Operators that keep the elements numbers. */
const operator: fc.Arbitrary<(d: Dataset<number>) => Dataset<number>> = fc.oneof(
  fc.constant((d: Dataset<number>) => d.map((x) => x + 1)),
  small.map((parallel) => (d: Dataset<number>) => d.map(async (x) => x * 2, { parallel })),
  fc.constant((d: Dataset<number>) => d.filter((x) => x % 3 !== 0)),
  fc.constant((d: Dataset<number>) => d.flatMap((x) => Array.from({ length: x % 3 }, (_, i) => x * 10 + i))),
  fc.constant((d: Dataset<number>) => d.flatMap((x) => synchronously(x % 4))),
  fc.tuple(seed, fc.integer({ min: 1, max: 12 })).map(
    ([s, bufferSize]) =>
      (d: Dataset<number>) =>
        d.shuffle({ seed: s, bufferSize }),
  ),
  fc.integer({ min: 1, max: 3 }).map((times) => (d: Dataset<number>) => d.repeat(times)),
  small.map(
    (n) => (d: Dataset<number>) =>
      d
        .batch(n)
        .unbatch()
        .map((x) => x.data[0]!),
  ),
  fc.tuple(small, small).map(
    ([n, i]) =>
      (d: Dataset<number>) =>
        d.shard(n, i % n),
  ),
  fc.tuple(small, small).map(
    ([cycleLength, blockLength]) =>
      (d: Dataset<number>) =>
        d.interleave((x) => range(x, x + 3), { cycleLength, blockLength }),
  ),
  fc.constant((d: Dataset<number>) => d.zip(streamed(9)).map(([a, b]) => a + b)),
  fc.constant((d: Dataset<number>) => d.zip(range(0, 20)).map(([a, b]) => a + b)),
  fc.constant((d: Dataset<number>) => d.concatenate(range(100, 103))),
  fc.constant((d: Dataset<number>) => d.cache()),
  small.map((n) => (d: Dataset<number>) => d.prefetch(n)),
  small.map((n) => (d: Dataset<number>) => d.take(n * 3)),
  small.map((n) => (d: Dataset<number>) => d.skip(n)),
  fc.tuple(small, small, small, fc.boolean()).map(
    ([size, shift, stride, dropRemainder]) =>
      (d: Dataset<number>) =>
        d.window(size, { shift, stride, dropRemainder }).map((xs) => xs.reduce((sum, x, i) => sum + x * (i + 1), 0)),
  ),
  seed.map((s) => (d: Dataset<number>) => mixDatasets([d, range(0, 10)], [2, 1], { seed: s })),
  seed.map(
    (s) => (d: Dataset<number>) => d.map(inWorker<(x: number) => number>(functions, 'noisy'), { workers: 0, seed: s }).map(Math.floor),
  ),
  seed.map((s) => (d: Dataset<number>) => d.filter(inWorker<(x: number) => boolean>(functions, 'likely'), { workers: 0, seed: s })),
  seed.map((s) => (d: Dataset<number>) => d.flatMap(inWorker<(x: number) => number[]>(functions, 'several'), { workers: 0, seed: s })),
  seed.map(() => {
    const id = caches++;
    // The same file in a resumed run, another one for every pipeline.
    return (d: Dataset<number>) => d.cache(join(directory, `${id}-${createHash('md5').update(d.stage.label).digest('hex')}`));
  }),
  fc.tuple(small, small, fc.boolean()).map(
    ([a, b, dropRemainder]) =>
      (d: Dataset<number>) =>
        d
          .bucketBySequenceLength((x) => x % 7, { boundaries: [3, 5], batchSizes: [a, b, 2], dropRemainder })
          .unbatch()
          .map((x) => x.data[0]!),
  ),
);

const pipeline = fc.tuple(
  fc.constantFrom(...(Object.keys(sources) as (keyof typeof sources)[])),
  fc.integer({ min: 0, max: 14 }),
  fc.array(operator, { maxLength: 4 }),
);

const build = ([source, n, operators]: [keyof typeof sources, number, ((d: Dataset<number>) => Dataset<number>)[]]): Dataset<number> =>
  operators.reduce((d, apply) => apply(d), sources[source](n));

async function pullAll<T>(iterator: AsyncIterator<T>, limit = 300): Promise<T[]> {
  const elements: T[] = [];
  try {
    while (elements.length < limit) {
      const { done, value } = await iterator.next();
      if (done) break;
      elements.push(value);
    }
  } catch (error) {
    // Buckets that are too short for a batch: there are no elements then.
    if (!(error instanceof Error && /dropRemainder drops|out of order/.test(error.message))) throw error;
  }
  return elements;
}

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
      expect(calls).toBeLessThanOrEqual(most);
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
