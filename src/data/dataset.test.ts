import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { fromArrays, fromGenerator, fromItems, mixDatasets, NDArray, range, setNoticeHandler } from './index.js';
import { positioned, sources, streamed } from './numbers.testing.js';

setNoticeHandler(() => undefined);

const small = fc.integer({ min: 1, max: 5 });
const seed = fc.integer({ min: 0, max: 5 });

describe('Dataset.shuffle', () => {
  it('gives a permutation, the same for the same seed and another in the next pass', async () => {
    await fc.assert(
      fc.asyncProperty(
        fc.constantFrom(...Object.values(sources)),
        fc.nat(40),
        seed,
        fc.integer({ min: 2, max: 50 }),
        async (source, n, s, bufferSize) => {
          const shuffled = source(n).shuffle({ seed: s, bufferSize });
          const [first, second] = [await shuffled.toArray(), await shuffled.toArray()];
          expect(first.slice().sort((a, b) => a - b)).toEqual(await range(0, n).toArray());
          expect(second.slice().sort((a, b) => a - b)).toEqual(first.slice().sort((a, b) => a - b));
          expect(await source(n).shuffle({ seed: s, bufferSize }).toArray()).toEqual(first);
          if (n > 12) expect(second).not.toEqual(first);
        },
      ),
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
        const parts = await Promise.all(
          Array.from({ length: shards }, (_, i) => source(n).shuffle({ seed: 1, bufferSize: 6 }).shard(shards, i).toArray()),
        );
        expect(whole.map((_, i) => parts[i % shards]![Math.floor(i / shards)])).toEqual(whole);
      }),
    );
  });

  it('batch gives or drops the last short batch, and unbatch undoes it', async () => {
    const d = fromArrays({
      x: new NDArray(
        Float32Array.from({ length: 14 }, (_, i) => i),
        [7, 2],
        'float32',
      ),
      y: Int32Array.from([0, 1, 2, 3, 4, 5, 6]),
    });
    const batches = await d.batch(3).toArray();
    expect(batches.map(({ x, y }) => [x.shape, [...y.data], x.dtype, y.dtype])).toEqual([
      [[3, 2], [0, 1, 2], 'float32', 'int32'],
      [[3, 2], [3, 4, 5], 'float32', 'int32'],
      [[1, 2], [6], 'float32', 'int32'],
    ]);
    expect((await d.batch(3, { dropRemainder: true }).toArray()).length).toBe(2);
    expect(await d.batch(3).unbatch().toArray()).toEqual(await d.toArray());
    expect(
      await d
        .map((e) => e)
        .batch(3)
        .toArray(),
    ).toEqual(batches);
    expect(d.batch(3).length).toBe(3);
    expect(d.repeat().batch(3).length).toBe(Infinity);
  });

  it('repeat before batch fills batches over the border of two passes', async () => {
    const batches = await range(0, 3).repeat(2).batch(2).toArray();
    expect(batches.map(({ data }) => [...data])).toEqual([
      [0, 1],
      [2, 0],
      [1, 2],
    ]);
  });

  it('repeating an empty data set ends instead of running for ever', async () => {
    expect(await fromItems<number>([]).repeat().take(3).toArray()).toEqual([]);
    expect(await streamed(0).repeat().take(3).toArray()).toEqual([]);
    expect(
      await range(0, 3)
        .filter(() => false)
        .repeat()
        .take(1)
        .toArray(),
    ).toEqual([]);
  });

  it('window gives overlapping lists', async () => {
    for (const source of Object.values(sources)) {
      expect(await source(6).window(3, { shift: 2 }).toArray()).toEqual([
        [0, 1, 2],
        [2, 3, 4],
        [4, 5],
      ]);
      expect(await source(6).window(3, { shift: 1, stride: 2, dropRemainder: true }).toArray()).toEqual([
        [0, 2, 4],
        [1, 3, 5],
      ]);
    }
  });

  it('cache calls what comes before it once an element', async () => {
    for (const source of Object.values(sources)) {
      let calls = 0;
      const d = source(5)
        .map((x) => (calls++, x))
        .cache()
        .repeat(3);
      expect((await d.toArray()).length).toBe(15);
      expect(calls).toBe(5);
    }
  });

  it('cache loses no element to an error that passes', async () => {
    for (const source of Object.values(sources)) {
      let calls = 0;
      const d = source(6)
        .map((x) => {
          if (x === 3 && calls++ === 0) throw new Error('once');
          return x;
        })
        .cache();
      await expect(d.toArray()).rejects.toThrow(/once/);
      expect(await d.toArray()).toEqual([0, 1, 2, 3, 4, 5]);
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
      const d = source(12).map(
        async (x) => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setTimeout(resolve, (x * 7) % 5));
          running--;
          return x;
        },
        { parallel: 3 },
      );
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
    await expect(range(0, 5).map(fail).toArray()).rejects.toMatchObject({
      name: 'DataError',
      message: expect.stringMatching(/map failed on the element at 3: no digit/) as string,
      cause,
    });
    await expect(
      streamed(5)
        .map(async (x) => fail(x))
        .toArray(),
    ).rejects.toThrow(/map failed on an element: no digit/);
  });

  it('refuse elements of different shapes in one batch, with the place', async () => {
    const ragged = fromItems([{ x: Float32Array.of(1, 2) }, { x: Float32Array.of(1) }]).batch(2);
    await expect(ragged.toArray()).rejects.toThrow(
      /Part x of the element is float32\[2\] in the first element of the batch but float32\[1\] in element 1/,
    );
  });

  it('refuse bad arguments', () => {
    const d = range(0, 3);
    expect(() => d.batch(0)).toThrow(/batch: size .*is 0/);
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

  it('tries again after an error, and closes what the error left open', async () => {
    let opened = 0;
    let closed = 0;
    let calls = 0;
    const d = fromGenerator(function* () {
      opened++;
      try {
        yield* [0, 1, 2, 3];
      } finally {
        closed++;
      }
    }).map((x) => {
      if (x === 2 && calls++ < 3) throw new Error(`call ${calls}`);
      return x;
    });
    const walk = d.iterator();
    await walk.next();
    await walk.next();
    await expect(walk.next()).rejects.toThrow(/call 1/);
    expect([opened, closed]).toEqual([1, 1]);
    expect(() => walk.nextSync()).toThrow(/call 2/);
    const [third, fourth] = await Promise.allSettled([walk.next(), walk.next()]);
    expect(third).toMatchObject({ status: 'rejected', reason: { message: expect.stringMatching(/call 3/) as string } });
    expect(fourth).toMatchObject({ status: 'fulfilled', value: { value: 2 } });
    expect(await walk.next()).toMatchObject({ value: 3 });
    expect(await walk.next()).toMatchObject({ done: true });
    expect(closed).toBe(opened);
    calls = 0;
    const left = d.iterator();
    await expect(left.next().then(() => left.next().then(() => left.next()))).rejects.toThrow(/call 1/);
    await left.return();
    expect(await left.next()).toEqual({ done: true, value: undefined });
    expect(left.stateDict().taken).toBe(2);
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
