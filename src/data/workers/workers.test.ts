import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import {
  Dataset,
  fromArrays,
  fromCsv,
  importInWorkers,
  inWorker,
  NDArray,
  range,
  tfRecords,
  writeTfRecords,
  type WorkerOptions,
} from '../index.js';
import { positioned, streamed } from '../numbers.testing.js';
import { useBuiltWorker } from './built-worker.testing.js';
import { decode, encode, viewsOf } from './index.js';

const functions = new URL('./functions.testing.mjs', import.meta.url).href;
const named = <A = number, B = number>(name: string) => inWorker<(element: A) => B>(functions, name);
const directory = mkdtempSync(join(tmpdir(), 'orbit-workers-'));
let removeWorker: () => void;
beforeAll(async () => {
  removeWorker = await useBuiltWorker();
});
afterAll(() => {
  removeWorker();
  rmSync(directory, { recursive: true });
});

async function collect<T>(elements: AsyncIterable<T>): Promise<T[]> {
  const list: T[] = [];
  for await (const element of elements) list.push(element);
  return list;
}

/** Worker threads of this process that are alive: their ports and the workers themselves are resources. */
const threads = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Worker' || name === 'MessagePort').length;

describe('encode and decode', () => {
  it('give back every kind of value', () => {
    const value = {
      list: [1, -0, NaN, -Infinity, 'é', '', true, null, undefined, 12n],
      arrays: [Float32Array.of(1.5), new Uint8Array(0), BigInt64Array.of(-3n), Float64Array.of(Math.PI)],
      bytes: [Uint8Array.of(1, 2, 3), new Uint8Array(0), Uint8Array.of(4)],
      tensor: new NDArray(Int32Array.of(1, 2), [2, 1], 'int32'),
      map: new Map([['key', [Int16Array.of(9)]]]),
      r: { n: [1], t: { b: [], o: 1 } },
    };
    const { text, size, write } = encode(value);
    const memory = new ArrayBuffer(size);
    write(new Uint8Array(memory));
    expect(decode(text, viewsOf(memory))).toEqual(value);
  });
});

describe('map in workers', () => {
  it('gives the same elements for any number of workers, none included, whatever is around it', async () => {
    const source = fc.constantFrom<(n: number) => Dataset<number>>((n) => range(0, n), streamed, positioned);
    await fc.assert(
      fc.asyncProperty(
        source,
        fc.integer({ min: 6, max: 60 }),
        fc.integer({ min: 1, max: 3 }),
        fc.boolean(),
        fc.nat(3),
        async (make, n, workers, batches, prefetch) => {
          const run = async (count: number): Promise<unknown> => {
            const d = make(n).shuffle({ seed: 3, bufferSize: 8 }).map(named('noisy'), { workers: count, seed: 5 }).repeat(2).skip(3);
            return (batches ? d.batch(4, { dropRemainder: true }) : d).prefetch(prefetch).toArray();
          };
          expect(await run(workers)).toEqual(await run(0));
        },
      ),
      { numRuns: 12 },
    );
  });

  it('continues exactly after saving at any element, with another number of workers', async () => {
    const make = (workers: number, size: number): Dataset<unknown> => {
      const d = positioned(50).shuffle({ seed: 1, bufferSize: 9 }).repeat(2).map(named('noisy'), { workers }).prefetch(2);
      return size === 0 ? d : d.batch(size);
    };
    const whole = new Map(await Promise.all([0, 7].map(async (size) => [size, await make(0, size).toArray()] as const)));
    await fc.assert(
      fc.asyncProperty(fc.constantFrom(0, 7), fc.nat(70), fc.nat(2), fc.nat(2), async (size, stop, before, after) => {
        const first = make(before, size).iterator();
        const elements: unknown[] = [];
        for (let i = 0; i < stop; i++) elements.push((await first.next()).value);
        const second = make(after, size).iterator();
        second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
        await first.return();
        for await (const element of second) elements.push(element);
        expect(elements.filter((element) => element !== undefined)).toEqual(whole.get(size));
      }),
      { numRuns: 12 },
    );
  });

  it('gives elements that are rows of columns like any other elements', async () => {
    const columns = {
      x: new NDArray(
        Float32Array.from({ length: 60 }, (_, i) => i),
        [20, 3],
        'float32',
      ),
      y: Int32Array.from({ length: 20 }, (_, i) => -i),
    };
    const rows = fromArrays({ ...columns, name: Array.from({ length: 20 }, (_, i) => `row ${i}`) })
      .shuffle({ seed: 1 })
      .repeat(2);
    for (const workers of [0, 2]) {
      const expected = (await collect(rows.iterator(3))).map(({ x, y, name }) => [x.data[0], y.data[0], 1, 0, name]);
      expect(await collect(rows.map(named<object, unknown>('labelled'), { workers }).iterator(3))).toEqual(expected);
    }
  });

  it('takes batches, and more maps after a batch', async () => {
    for (const workers of [0, 2]) {
      const d = range(0, 50)
        .map(named('double'), { workers })
        .batch(8)
        .map(named<NDArray, { sum: number; rows: number }>('sums'), { workers });
      const expected = [56, 184, 312, 440, 568, 696, 194].map((sum, i) => ({ sum, rows: i < 6 ? 8 : 2 }));
      expect(await d.toArray()).toEqual(expected);
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

  it('can be shuffled, filtered and cached afterwards', async () => {
    const d = (workers: number) =>
      positioned(40)
        .map(named('noisy'), { workers })
        .filter((x) => x > 5)
        .shuffle({ bufferSize: 6, seed: 2 });
    expect(await d(2).toArray()).toEqual(await d(0).toArray());
    const first = d(1).iterator();
    for (let i = 0; i < 9; i++) await first.next();
    const second = d(2).iterator();
    second.loadStateDict(first.stateDict());
    expect(await second.next()).toEqual(await first.next());
    await Promise.all([first.return(), second.return()]);
  });

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

  it('waits for asynchronous functions and keeps the order', async () => {
    expect(await range(0, 40).map(named('slowly'), { workers: 2 }).toArray()).toEqual(await range(0, 40).toArray());
  });

  it('makes batches in shared memory that is used again once they are given back, and copies where they are kept', async () => {
    const d = range(0, 40).map(named<number, { x: Float32Array; y: NDArray<'int32'> }>('image'), { workers: 1 }).batch(4);
    const kept = await d.toArray();
    kept.forEach(({ x, y }, i) => {
      expect([x.shape, x.dtype, y.shape, y.dtype]).toEqual([[4, 6], 'float32', [4], 'int32']);
      expect([...x.data.subarray(18)]).toEqual([0, 1, 2, 3, 4, 5].map((j) => 4 * i + 3 + j));
    });
    expect(kept.filter(({ x }) => x.data.buffer instanceof SharedArrayBuffer).length).toBeLessThanOrEqual(3);
    const iterator = d.prefetch(1).iterator();
    const memory = new Set<ArrayBufferLike>();
    for (let result = await iterator.next(); !result.done; result = await iterator.next()) {
      memory.add(result.value.x.data.buffer);
      expect(result.value.x.data.buffer).toBeInstanceOf(SharedArrayBuffer);
      iterator.release(result.value);
      iterator.release(result.value); // twice is once
    }
    expect(memory.size).toBeLessThanOrEqual(6);
  });

  it('hands over what is ready without a turn of the event loop', async () => {
    const iterator = range(0, 1000).map(named('double'), { workers: 1 }).batch(10).iterator();
    await iterator.next(); // the thread has started
    for (let i = 1; i < 20; i++) {
      let result = iterator.nextSync();
      if (result === undefined) {
        await iterator.next();
        Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 100); // this thread sleeps; the worker does not
        i++;
        result = iterator.nextSync();
      }
      expect(result?.value?.data[0]).toBe(20 * i);
    }
    await iterator.return();
  });

  it('gives functions copies, in workers and without', async () => {
    for (const workers of [0, 1]) {
      const original = Float32Array.of(1, 2);
      const d = range(0, 1).map(() => original);
      expect(await d.map(named<Float32Array, Float32Array>('overwrite'), { workers }).toArray()).toEqual([Float32Array.of(7, 7)]);
      expect([...original]).toEqual([1, 2]);
    }
  });

  it('passes records as bytes that the platform takes', async () => {
    const d = range(0, 20)
      .map((n) => new Uint8Array(n))
      .map(named<Uint8Array, number>('size'), { workers: 1 });
    expect(await d.toArray()).toEqual(await range(0, 20).toArray());
  });

  it('imports the modules that the command line was given', async () => {
    const file = join(directory, 'imported.mjs');
    writeFileSync(file, 'globalThis.importedForWorkers = 17;');
    importInWorkers(pathToFileURL(file).href);
    expect(await range(0, 1).map(named('imported'), { workers: 1 }).toArray()).toEqual([17]);
  });

  it('ends its threads at the end of the data, and when a walk is left', async () => {
    const before = threads();
    const d = range(0, 100).map(named('double'), { workers: 2 });
    await d.repeat(2).toArray();
    for await (const element of d) if (element === 10) break;
    await expect(
      d
        .map((x) => {
          if (x === 40) throw new Error('here');
          return x;
        })
        .toArray(),
    ).rejects.toThrow(/here/);
    expect(threads()).toBeLessThanOrEqual(before);
  });
});

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

describe('errors of workers', () => {
  const run = (name: string, options: WorkerOptions = { workers: 1 }) => range(0, 50).map(named(name), options).toArray();

  it('name function and element and have the stack of the worker as cause', async () => {
    for (const workers of [0, 2]) {
      const error = (await run('thrower', { workers }).catch((e: unknown) => e)) as Error;
      expect(error).toMatchObject({
        name: 'DataError',
        message: expect.stringMatching(/thrower of .*functions.testing.mjs.* failed on the element at 21: no 21 please/) as string,
      });
      expect(error.cause).toMatchObject({ name: 'RangeError', stack: expect.stringMatching(/functions\.testing\.mjs/) as string });
    }
  });

  it('name file and record', async () => {
    const path = join(directory, 'records');
    await writeTfRecords(
      path,
      Array.from({ length: 9 }, (_, i) => Uint8Array.of(i, i)),
    );
    const d = tfRecords([path]).shuffle({ bufferSize: 4 }).map(named<Uint8Array, number>('throwOnRecord'), { workers: 1 });
    await expect(d.toArray()).rejects.toThrow(`failed on the record at byte ${5 * 18} of ${path}: five`);
    const table = join(directory, 'table.csv');
    writeFileSync(table, 'x\n1\n5\n');
    const rows = fromCsv(table)
      .shuffle({ bufferSize: 2 })
      .map((row) => {
        if ((row as { x: NDArray }).x.data[0] === 5) throw new Error('five');
      });
    await expect(rows.toArray()).rejects.toThrow(/map failed on record 2 of the block at .* of .*table\.csv: five/);
    const here = tfRecords([path]).map((bytes) => {
      if (bytes[0] === 5) throw new Error('five');
    });
    await expect(here.toArray()).rejects.toThrow(`map failed on the record at byte ${5 * 18} of ${path}: five`);
  });

  it('are given for a worker that exits, crashes or runs out of memory, with the element: no hang', async () => {
    const at = (name: string) => `${name} of .*, in a worker\\) failed on the element at 21: A worker thread for ${name} of .*`;
    await expect(run('exits')).rejects.toThrow(new RegExp(`${at('exits')} was ended with status 3, perhaps by process.exit`));
    await expect(run('crashes')).rejects.toThrow(new RegExp(`${at('crashes')} failed outside the call of its function: later`));
    await expect(run('hoards', { workers: 1, heapMegabytes: 30 })).rejects.toThrow(new RegExp(`${at('hoards')} ran out of memory`));
    const walk = range(0, 50).map(named('exits'), { workers: 2 }).iterator();
    const before: number[] = [];
    for (let i = 0; i < 2; i++) {
      // Threads of its own for each try: what the other threads had to do is not lost.
      const failure = await (async () => {
        for (;;) before.push((await walk.next()).value as number);
      })().catch((error: unknown) => error);
      expect(failure).toMatchObject({ message: expect.stringMatching(/failed on the element at 21/) as string });
      expect(walk.taken).toBe(16); // elements go to workers in groups of 16
    }
    expect(before).toEqual(await range(0, 16).toArray());
    await walk.return();
  }, 20_000);

  it('are given for a call that does not return: an endless loop is no hang', async () => {
    const options = { workers: 2, timeoutSeconds: 0.8 };
    for (const name of ['spins', 'never']) {
      await expect(run(name, options)).rejects.toThrow(
        new RegExp(
          `${name} of .*, in a worker\\) failed on the element at 21: it has not returned within 0.8 seconds; .* raise timeoutSeconds`,
        ),
      );
    }
    const path = join(directory, 'spinning');
    await writeTfRecords(
      path,
      Array.from({ length: 9 }, (_, i) => Uint8Array.of(i, i)),
    );
    await expect(tfRecords([path]).map(named<Uint8Array, number>('spinsOnRecord'), options).batch(3).toArray()).rejects.toThrow(
      `failed on the record at byte ${5 * 18} of ${path}: it has not returned`,
    );
    expect(() => range(0, 2).map(named('double'), { timeoutSeconds: 0 })).toThrow(/timeoutSeconds is 0, expected more than 0/);
    expect(await range(0, 60).map(named('slowly'), { workers: 1, timeoutSeconds: 0.8 }).toArray()).toHaveLength(60);
  }, 20_000);

  it('are given for modules, functions and results that do not work', async () => {
    for (const workers of [0, 1]) {
      await expect(run('nothing', { workers })).rejects.toThrow(/exports no function nothing; it exports .*double/);
      await expect(range(0, 2).map(inWorker('file:///absent.mjs', 'f'), { workers }).toArray()).rejects.toThrow(
        /absent.mjs cannot be imported/,
      );
      await expect(run('unsendable', { workers })).rejects.toThrow(
        /unsendable of .* failed on the element at 3: Part deep\[0\] of the element is a function, which cannot be passed/,
      );
      await expect(range(1, 9).map(named('ragged'), { workers }).batch(4).toArray()).rejects.toThrow(
        /float32\[1\] in the first element of the batch but float32\[2\] in element 1/,
      );
    }
  });

  it('show how to name a function where a closure is given', () => {
    const closure = (x: number): number => x;
    expect(() => range(0, 2).map(closure, { workers: 2 as 0 })).toThrow(
      /inWorker\(import\.meta\.resolve\('\.\/augment\.js'\), 'parse'\), \{ workers: 2 \}/,
    );
    expect(() => inWorker('./augment.js', 'parse')).toThrow(/import\.meta\.resolve/);
    expect(() => range(0, 2).map(named('double'), { workers: -1 })).toThrow(/workers is -1/);
  });
});
