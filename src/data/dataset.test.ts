import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromArrays, fromGenerator, fromItems, mixDatasets, NDArray, range, setNoticeHandler, type Dataset } from './index.js';
import { positionedStage } from './sources/positioned.js';
import { Dataset as DatasetClass } from './dataset.js';

setNoticeHandler(() => undefined);

/** Numbers from a generator: a source without positions. */
const streamed = (n: number, asynchronous = false): Dataset<number> =>
  fromGenerator(() => (asynchronous ? asynchronously(n) : synchronously(n)));

function* synchronously(n: number): Generator<number> {
  for (let i = 0; i < n; i++) yield i;
}

async function* asynchronously(n: number): AsyncGenerator<number> {
  for (let i = 0; i < n; i++) yield i;
}

/** Numbers from a source that is read in order but has positions, as a record file has. */
const positioned = (n: number): Dataset<number> =>
  new DatasetClass(
    positionedStage(`numbers(${n})`, () => {
      let at = 0;
      return {
        next: async () => (at < n ? { element: at, position: at++ } : undefined),
        position: () => at,
        seek: (position) => void (at = position as number),
        read: (position) => position as number,
        close: () => undefined,
      };
    }),
  );

const sources = {
  range: (n: number) => range(0, n),
  streamed: (n: number) => streamed(n),
  asynchronous: (n: number) => streamed(n, true),
  positioned,
};

const seed = fc.integer({ min: 0, max: 5 });
const small = fc.integer({ min: 1, max: 5 });

/** Operators that keep the elements numbers. */
const operator: fc.Arbitrary<(d: Dataset<number>) => Dataset<number>> = fc.oneof(
  fc.constant((d: Dataset<number>) => d.map((x) => x + 1)),
  small.map((parallel) => (d: Dataset<number>) => d.map(async (x) => x * 2, { parallel })),
  fc.constant((d: Dataset<number>) => d.filter((x) => x % 3 !== 0)),
  fc.constant((d: Dataset<number>) => d.flatMap((x) => Array.from({ length: x % 3 }, (_, i) => x * 10 + i))),
  fc.constant((d: Dataset<number>) => d.flatMap((x) => synchronously(x % 4))),
  fc.tuple(seed, fc.integer({ min: 1, max: 12 })).map(([s, bufferSize]) => (d: Dataset<number>) => d.shuffle({ seed: s, bufferSize })),
  fc.integer({ min: 1, max: 3 }).map((times) => (d: Dataset<number>) => d.repeat(times)),
  small.map((n) => (d: Dataset<number>) => d.batch(n).unbatch().map((x) => x.data[0]!)),
  fc.tuple(small, small).map(([n, i]) => (d: Dataset<number>) => d.shard(n, i % n)),
  fc.tuple(small, small).map(
    ([cycleLength, blockLength]) => (d: Dataset<number>) => d.interleave((x) => range(x, x + 3), { cycleLength, blockLength }),
  ),
  fc.constant((d: Dataset<number>) => d.zip(streamed(9)).map(([a, b]) => a + b)),
  fc.constant((d: Dataset<number>) => d.zip(range(0, 20)).map(([a, b]) => a + b)),
  fc.constant((d: Dataset<number>) => d.concatenate(range(100, 103))),
  fc.constant((d: Dataset<number>) => d.cache()),
  small.map((n) => (d: Dataset<number>) => d.prefetch(n)),
  small.map((n) => (d: Dataset<number>) => d.take(n * 3)),
  small.map((n) => (d: Dataset<number>) => d.skip(n)),
  fc.tuple(small, small, small, fc.boolean()).map(
    ([size, shift, stride, dropRemainder]) => (d: Dataset<number>) =>
      d.window(size, { shift, stride, dropRemainder }).map((xs) => xs.reduce((sum, x, i) => sum + x * (i + 1), 0)),
  ),
  seed.map((s) => (d: Dataset<number>) => mixDatasets([d, range(0, 10)], [2, 1], { seed: s })),
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
  while (elements.length < limit) {
    const { done, value } = await iterator.next();
    if (done) break;
    elements.push(value);
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
    for (const [a, b] of [[0, 5], [5, 0], [20, 2], [undefined, 3], [3, undefined]] as const) {
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

  it('of another pipeline are refused with both pipelines in the message', () => {
    const saved = range(0, 10).batch(2).iterator().stateDict();
    expect(() => range(0, 10).batch(3).iterator().loadStateDict(saved)).toThrow(/batch\(2\)[^]*batch\(3\)/);
  });

  it('of a plain iterable are refused where exact resumption is required', async () => {
    const d = fromGenerator(() => synchronously(3), { name: 'numbers', requireExactResume: true });
    await expect(d.iterator().next()).rejects.toThrow(/numbers can be resumed only by reading and dropping/);
  });

  it('are taken from iterators that can save their own', async () => {
    const d = fromGenerator(() => {
      let at = 0;
      const iterator = {
        next: () => (at < 5 ? { done: false as const, value: at++ } : { done: true as const, value: undefined }),
        stateDict: () => ({ at }),
        loadStateDict: (state: { readonly at?: number }) => void (at = state.at!),
        [Symbol.iterator]: () => iterator,
      };
      return iterator;
    }, { requireExactResume: true });
    const first = d.iterator();
    await pullAll(first, 2);
    const second = d.iterator();
    second.loadStateDict(first.stateDict());
    expect(await pullAll(second)).toEqual([2, 3, 4]);
  });
});

describe('Dataset.shuffle', () => {
  it('gives a permutation, the same for the same seed and another in the next pass', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(sources)), fc.nat(40), seed, fc.integer({ min: 2, max: 50 }), async (source, n, s, bufferSize) => {
        const shuffled = source(n).shuffle({ seed: s, bufferSize });
        const [first, second] = [await shuffled.toArray(), await shuffled.toArray()];
        expect(first.slice().sort((a, b) => a - b)).toEqual(await range(0, n).toArray());
        expect(second.slice().sort((a, b) => a - b)).toEqual(first.slice().sort((a, b) => a - b));
        expect(await source(n).shuffle({ seed: s, bufferSize }).toArray()).toEqual(first);
        if (n > 12) expect(second).not.toEqual(first);
      }),
    );
  });

  it('keeps the order of every pass with reshuffleEachIteration false', async () => {
    for (const source of Object.values(sources)) {
      const d = source(20).shuffle({ seed: 1, reshuffleEachIteration: false });
      expect(await d.toArray()).toEqual(await d.toArray());
    }
  });

  it('never gives an element of a stream earlier than its buffer can hold it', async () => {
    const bufferSize = 5;
    const order = await streamed(200).shuffle({ seed: 2, bufferSize }).toArray();
    order.forEach((element, place) => expect(element).toBeLessThan(place + bufferSize));
  });

  it('puts every element of an endless repetition once into each repetition', async () => {
    const order = await range(0, 10).repeat().shuffle({ seed: 4, bufferSize: 100 }).take(30).toArray();
    for (const from of [0, 10, 20]) expect(order.slice(from, from + 10).sort((a, b) => a - b)).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8, 9]);
    expect(order.slice(0, 10)).not.toEqual(order.slice(10, 20));
  });

  it('leaves the order alone with a buffer of one', async () => {
    expect(await range(0, 9).shuffle({ bufferSize: 1 }).toArray()).toEqual([0, 1, 2, 3, 4, 5, 6, 7, 8]);
  });
});

describe('Dataset operators', () => {
  it('interleave takes turns as tf.data documents it', async () => {
    const d = range(1, 6).interleave((x) => fromItems(Array<number>(6).fill(x)), { cycleLength: 2, blockLength: 4 });
    expect((await d.toArray()).join('')).toBe('111122221122333344443344555555');
  });

  it('shards together are the whole, for any number of them', async () => {
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(...Object.values(sources)), fc.nat(30), small, async (source, n, shards) => {
        const whole = await source(n).shuffle({ seed: 1, bufferSize: 6 }).toArray();
        const parts = await Promise.all(Array.from({ length: shards }, (_, i) => source(n).shuffle({ seed: 1, bufferSize: 6 }).shard(shards, i).toArray()));
        expect(whole.map((_, i) => parts[i % shards]![Math.floor(i / shards)])).toEqual(whole);
      }),
    );
  });

  it('batch gives or drops the last short batch, and unbatch undoes it', async () => {
    const d = fromArrays({ x: new NDArray(Float32Array.from({ length: 14 }, (_, i) => i), [7, 2], 'float32'), y: Int32Array.from([0, 1, 2, 3, 4, 5, 6]) });
    const batches = await d.batch(3).toArray();
    expect(batches.map(({ x, y }) => [x.shape, [...y.data], x.dtype, y.dtype])).toEqual([
      [[3, 2], [0, 1, 2], 'float32', 'int32'],
      [[3, 2], [3, 4, 5], 'float32', 'int32'],
      [[1, 2], [6], 'float32', 'int32'],
    ]);
    expect((await d.batch(3, { dropRemainder: true }).toArray()).length).toBe(2);
    expect(await d.batch(3).unbatch().toArray()).toEqual(await d.toArray());
    expect(await d.map((e) => e).batch(3).toArray()).toEqual(batches);
    expect(d.batch(3).length).toBe(3);
    expect(d.repeat().batch(3).length).toBe(Infinity);
  });

  it('repeat before batch fills batches over the border of two passes', async () => {
    const batches = await range(0, 3).repeat(2).batch(2).toArray();
    expect(batches.map(({ data }) => [...data])).toEqual([[0, 1], [2, 0], [1, 2]]);
  });

  it('repeating an empty data set ends instead of running for ever', async () => {
    expect(await fromItems<number>([]).repeat().take(3).toArray()).toEqual([]);
    expect(await streamed(0).repeat().take(3).toArray()).toEqual([]);
    expect(await range(0, 3).filter(() => false).repeat().take(1).toArray()).toEqual([]);
  });

  it('window gives overlapping lists', async () => {
    for (const source of Object.values(sources)) {
      expect(await source(6).window(3, { shift: 2 }).toArray()).toEqual([[0, 1, 2], [2, 3, 4], [4, 5]]);
      expect(await source(6).window(3, { shift: 1, stride: 2, dropRemainder: true }).toArray()).toEqual([[0, 2, 4], [1, 3, 5]]);
    }
  });

  it('cache calls what comes before it once an element', async () => {
    for (const source of Object.values(sources)) {
      let calls = 0;
      const d = source(5).map((x) => (calls++, x)).cache().repeat(3);
      expect((await d.toArray()).length).toBe(15);
      expect(calls).toBe(5);
    }
  });

  it('mixDatasets draws with the weights and stops when a chosen one is empty', async () => {
    const d = mixDatasets([fromItems(['a']).repeat(), fromItems(['b']).repeat()], [3, 1], { seed: 1 });
    const drawn = await d.take(4000).toArray();
    // 3000 expected, standard deviation 27.
    expect(Math.abs(drawn.filter((x) => x === 'a').length - 3000)).toBeLessThan(140);
    expect(await mixDatasets([range(0, 2), range(10, 1000)], [1, 0]).toArray()).toEqual([0, 1]);
  });

  it('parallel maps keep the order and run no more calls than asked for', async () => {
    let running = 0;
    let most = 0;
    for (const source of Object.values(sources)) {
      const d = source(12).map(async (x) => {
        most = Math.max(most, ++running);
        await new Promise((resolve) => setTimeout(resolve, (x * 7) % 5));
        running--;
        return x;
      }, { parallel: 3 });
      expect(await d.toArray()).toEqual(await range(0, 12).toArray());
    }
    expect(most).toBeGreaterThan(1);
    expect(most).toBeLessThanOrEqual(4);
  });

  it('name operator and element where a function fails, and keep the cause', async () => {
    const cause = new Error('no digit');
    const fail = (x: number): number => {
      if (x === 3) throw cause;
      return x;
    };
    await expect(range(0, 5).map(fail).toArray()).rejects.toMatchObject({ name: 'DataError', message: expect.stringMatching(/map failed on the element at 3: no digit/) as string, cause });
    await expect(streamed(5).map(async (x) => fail(x)).toArray()).rejects.toThrow(/map failed on an element: no digit/);
  });

  it('refuse elements of different shapes in one batch, with the place', async () => {
    const ragged = fromItems([{ x: Float32Array.of(1, 2) }, { x: Float32Array.of(1) }]).batch(2);
    await expect(ragged.toArray()).rejects.toThrow(/Part x of the element is float32\[2\] in the first element of the batch but float32\[1\] in element 1/);
  });

  it('refuse bad arguments', () => {
    const d = range(0, 3);
    expect(() => d.batch(0)).toThrow(/batch: size is 0/);
    expect(() => d.shard(2, 2)).toThrow(/index is 2/);
    expect(() => d.shuffle({ bufferSize: 0 })).toThrow(/bufferSize is 0/);
    expect(() => d.repeat().cache()).toThrow(/endless/);
    expect(() => fromArrays([Float32Array.of(1), Float32Array.of(1, 2)])).toThrow(/\[1\] has 2, \[0\] has 1/);
    expect(() => mixDatasets([d], [0])).toThrow(/not all 0/);
  });
});

describe('DatasetIterator', () => {
  it('answers at once where it can and hands over to next() where it cannot', async () => {
    const now = range(0, 2).batch(1).iterator();
    expect(now.nextSync()).toMatchObject({ done: false });
    expect(now.nextSync()).toMatchObject({ done: false });
    expect(now.nextSync()).toEqual({ done: true, value: undefined });
    const later = positioned(2).iterator();
    expect(later.nextSync()).toBeUndefined();
    expect(await later.next()).toEqual({ done: false, value: 0 });
    expect(later.nextSync()).toBeUndefined();
    expect(await later.next()).toEqual({ done: false, value: 1 });
  });

  it('answers calls of next() in order when they are not awaited', async () => {
    const iterator = positioned(3).iterator();
    const results = await Promise.all([iterator.next(), iterator.next(), iterator.next(), iterator.next()]);
    expect(results.map(({ value }) => value)).toEqual([0, 1, 2, undefined]);
  });

  it('closes the source when a loop is left early', async () => {
    let closed = false;
    const d = fromGenerator(function* () {
      try {
        yield 1;
        yield 2;
      } finally {
        closed = true;
      }
    });
    for await (const element of d.map((x) => x).prefetch(2)) {
      expect(element).toBe(1);
      break;
    }
    expect(closed).toBe(true);
  });
});
