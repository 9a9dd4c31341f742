/** What the pipeline refuses: passes without a batch, positions that cannot be restored exactly, arguments that make no sense. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, describe, expect, it } from 'vitest';

import {
  fromCsv,
  fromItems,
  inWorker,
  mixDatasets,
  NDArray,
  range,
  setNoticeHandler,
  tfRecords,
  writeSmallDataset,
  zipDatasets,
  type Dataset,
} from './index.js';
import { positioned, sources, streamed } from './numbers.testing.js';

const directory = mkdtempSync(join(tmpdir(), 'orbit-refusals-'));
afterAll(() => rmSync(directory, { recursive: true }));
const functions = new URL('./workers/functions.testing.mjs', import.meta.url).href;

setNoticeHandler(() => undefined);

describe('A pass whose batches are all dropped', () => {
  it('is an error with the number of elements, of every kind of source', async () => {
    for (const source of Object.values(sources)) {
      const all = async (make: (d: Dataset<number>) => Dataset<unknown>): Promise<unknown> => make(source(3)).toArray();
      const expected = /atch\(4, drop remainder\): the data have 3 elements, less than one batch of 4, and dropRemainder drops the rest/;
      await expect(all((d) => d.batch(4, { dropRemainder: true }))).rejects.toThrow(expected);
      await expect(
        all((d) =>
          d
            .map((x) => x)
            .prefetch(2)
            .batch(4, { dropRemainder: true }),
        ),
      ).rejects.toThrow(expected);
      await expect(all((d) => d.map(inWorker(functions, 'same'), { workers: 0 }).batch(4, { dropRemainder: true }))).rejects.toThrow(
        expected,
      );
      const padded = all((d) => d.map(() => NDArray.of(Float32Array.of(1))).paddedBatch(4, { dropRemainder: true }));
      await expect(padded).rejects.toThrow(expected);
      const buckets = { boundaries: [9], batchSizes: [4, 5], dropRemainder: true };
      await expect(all((d) => d.map((x) => Float32Array.of(x)).bucketBySequenceLength((x) => x.length, buckets))).rejects.toThrow(
        /the data have 3 elements, less than the batch of any bucket \(of 4, 5\)/,
      );
      expect(await all((d) => d.batch(4))).toHaveLength(1);
      expect(await all((d) => d.window(4, { dropRemainder: true }))).toEqual([]);
    }
  });

  it('is none after a batch, nor at a restored position', async () => {
    for (const source of Object.values(sources)) {
      const d = source(6).batch(4, { dropRemainder: true });
      expect(await d.toArray()).toHaveLength(1);
      const first = d.iterator();
      await first.next();
      const second = d.iterator();
      second.loadStateDict(first.stateDict());
      expect(await second.next()).toEqual({ done: true, value: undefined });
    }
  });

  it('of one part alone is no error of the whole', async () => {
    for (const source of [range, (_: number, n: number) => streamed(n)]) {
      const parts = (lengths: number[]) => fromItems(lengths).flatMap((n) => source(0, n).batch(3, { dropRemainder: true }));
      expect((await parts([1, 3, 0, 7, 2]).toArray()).map(({ data }) => [...data])).toEqual([
        [0, 1, 2],
        [0, 1, 2],
        [3, 4, 5],
      ]);
      await expect(parts([1, 2]).toArray()).rejects.toThrow(/the data have 1 element, less than one batch of 3/);
      expect(await parts([0]).toArray()).toEqual([]);
    }
  });
});

describe('requireExactResume', () => {
  const first = async (d: Dataset<unknown>): Promise<unknown> => {
    const iterator = d.requireExactResume().iterator();
    try {
      return await iterator.next();
    } finally {
      await iterator.return();
    }
  };

  it('refuses everything that is resumed by reading and dropping, wherever it stands', async () => {
    const generator = /generator can be resumed only by reading and dropping/;
    await expect(first(streamed(9).prefetch(3))).rejects.toThrow(generator);
    await expect(first(streamed(9).repeat(2).window(3, { shift: 1 }))).rejects.toThrow(generator);
    await expect(first(positioned(3).flatMap(() => streamed(2)))).rejects.toThrow(generator);
    await expect(first(streamed(9).filter(inWorker(functions, 'even'), { workers: 0 }))).rejects.toThrow(generator);
    await expect(first(positioned(9).cache().batch(2))).rejects.toThrow(/cache can be resumed only by .*cache\(file\)/);
    await expect(first(streamed(9).cache(join(directory, 'cache')))).rejects.toThrow(generator);
  });

  it('refuses compressed files, and takes plain ones', async () => {
    const table = join(directory, 'table.csv');
    writeFileSync(table, 'x\n1\n2\n3\n');
    writeFileSync(`${table}.gz`, gzipSync('x\n1\n2\n3\n'));
    await expect(first(fromCsv(table).shuffle({ bufferSize: 1 }))).resolves.toMatchObject({ done: false });
    await expect(first(fromCsv(`${table}.gz`))).rejects.toThrow(/table\.csv\.gz can be resumed only .* it is compressed/);
    const records = join(directory, 'records');
    await writeSmallDataset([Uint8Array.of(1), Uint8Array.of(2)], records, 'tfrecord_compressed');
    await expect(first(tfRecords(records, { compression: 'gzip' }))).rejects.toThrow(/records.* can be resumed only .* it is compressed/);
  });

  it('takes what has positions', async () => {
    const exact = [
      range(0, 9).cache().batch(2),
      positioned(9)
        .shuffle({ bufferSize: 3 })
        .repeat(2)
        .map((x) => x, { parallel: 2 })
        .batch(2)
        .prefetch(2),
      positioned(9)
        .flatMap((x) => range(0, x))
        .window(3, { shift: 1 }),
      positioned(9).map(inWorker(functions, 'double'), { workers: 0 }).batch(2),
      positioned(9).cache(join(directory, 'exact')).repeat(2),
    ];
    for (const d of exact) await expect(first(d)).resolves.toMatchObject({ done: false });
  });
});

describe('Arguments that make no sense', () => {
  it('are refused with what was expected', () => {
    const d = range(0, 3);
    const bad = undefined as never;
    expect(() => range(100, bad)).toThrow(/range: end .* is undefined, expected a whole number/);
    expect(() => range(bad, 3)).toThrow(/range: start is undefined/);
    expect(() => range(0, 1.5)).toThrow(/range: end .* is 1.5/);
    expect(() => fromItems(bad)).toThrow(/fromItems: items is undefined, expected a list/);
    expect(() => d.take(bad)).toThrow(/take: count is undefined/);
    expect(() => d.zip([1] as never)).toThrow(/zip needs a data set, but a list of 1 was given; fromItems/);
    expect(() => d.concatenate(bad)).toThrow(/concatenate needs a data set/);
    expect(() => d.mix([bad], [1, 1])).toThrow(/mix needs a data set/);
    expect(() => mixDatasets([d], bad)).toThrow(/weights is undefined, expected a list/);
    expect(() => zipDatasets([{}] as never)).toThrow(/zipDatasets needs a data set, but a record/);
    expect(() => d.interleave(() => d, bad)).toThrow(/interleave: cycleLength is undefined/);
    expect(() => d.bucketBySequenceLength(() => 1, {} as never)).toThrow(/boundaries is undefined, expected a list/);
  });
});
