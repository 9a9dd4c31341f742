import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';

import { type Dataset, fromArrays, importInWorkers, NDArray, range } from '../index.js';
import { positioned, streamed } from '../numbers.testing.js';
import { collect, named, temporaryFolder, withBuiltWorker } from './workers.testing.js';

withBuiltWorker();
const directory = temporaryFolder();

/** Worker threads of this process that are alive: their ports and the workers themselves are resources. */
const threads = (): number => process.getActiveResourcesInfo().filter((name) => name === 'Worker' || name === 'MessagePort').length;

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

  it('waits for asynchronous functions and keeps the order', async () => {
    expect(await range(0, 40).map(named('slowly'), { workers: 2 }).toArray()).toEqual(await range(0, 40).toArray());
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
