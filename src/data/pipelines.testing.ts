/** Pipelines of any operators, for tests that hold for all of them. */
import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import fc from 'fast-check';
import { afterAll } from 'vitest';

import { inWorker, mixDatasets, range, type Dataset } from './index.js';
import { sources, streamed, synchronously } from './numbers.testing.js';

/** A folder that is removed after the tests of this file. */
export const directory = mkdtempSync(join(tmpdir(), 'orbit-positions-'));
afterAll(() => rmSync(directory, { recursive: true }));
let caches = 0;
/** Module of functions for workers. */
export const functions = new URL('./workers/functions.testing.mjs', import.meta.url).href;

const seed = fc.integer({ min: 0, max: 5 });
const small = fc.integer({ min: 1, max: 5 });

/** Operators that keep the elements numbers. */
export const operator: fc.Arbitrary<(d: Dataset<number>) => Dataset<number>> = fc.oneof(
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

/** A source, its length, and operators. */
export const pipeline = fc.tuple(
  fc.constantFrom(...(Object.keys(sources) as (keyof typeof sources)[])),
  fc.integer({ min: 0, max: 14 }),
  fc.array(operator, { maxLength: 4 }),
);

/** The data set of a {@link pipeline}. */
export const build = ([source, n, operators]: [
  keyof typeof sources,
  number,
  ((d: Dataset<number>) => Dataset<number>)[],
]): Dataset<number> => operators.reduce((d, apply) => apply(d), sources[source](n));

/** Elements up to the end, `limit`, or an error that a test expects. */
export async function pullAll<T>(iterator: AsyncIterator<T>, limit = 300): Promise<T[]> {
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
