/** What the pipeline refuses: passes without a batch, positions that cannot be restored exactly, arguments that make no sense. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';

import { afterAll, describe, expect, it } from 'vitest';

import {
  dataConfig,
  fromCsv,
  fromGenerator,
  fromItems,
  fromIterable,
  InputReader,
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

describe('Functions and sources that fail', () => {
  it('are named with the element, also where they are asynchronous', async () => {
    const d = positioned(4);
    const bad = (x: number): never => {
      throw new Error(`bad ${x}`);
    };
    const place = 'failed on the element at 0 of numbers(4): bad 0';
    await expect(d.filter(async (x) => bad(x)).toArray()).rejects.toThrow(`filter ${place}`);
    const buckets = { boundaries: [1], batchSizes: [1, 1] };
    await expect(d.bucketBySequenceLength(bad, buckets).toArray()).rejects.toThrow(`bucketBySequenceLength ${place}`);
    await expect(d.flatMap(() => 3 as never).toArray()).rejects.toThrow(/flatMap\(…\): the function must return something iterable/);
    const failing = function* (): Generator<number> {
      yield 1;
      bad(1);
    };
    await expect(d.flatMap(failing).toArray()).rejects.toThrow('flatMap(…) failed after 1 element: bad 1');
    const error: unknown = await fromGenerator(failing)
      .prefetch(2)
      .toArray()
      .catch((e: unknown) => e);
    expect(error).toMatchObject({ name: 'DataError', message: 'generator failed after 1 element: bad 1', cause: { message: 'bad 1' } });
  });

  it('are told apart from ended ones: an iterator that can be gone through once is no empty data set', async () => {
    const once = fromIterable((function* () { yield* [1, 2]; })()); // prettier-ignore
    expect(await once.toArray()).toEqual([1, 2]);
    await expect(once.toArray()).rejects.toThrow(/iterable can be gone through only once, and that has happened/);
    expect(await fromIterable([][Symbol.iterator]()).toArray()).toEqual([]);
  });

  it('and endless data sets are refused where all elements are asked for, also of unknown length', async () => {
    expect(streamed(3).repeat().length).toBe(Infinity);
    expect(await streamed(3).repeat(0).toArray()).toEqual([]);
    await expect(streamed(3).repeat().toArray()).rejects.toThrow(/toArray was called on an endless data set/);
    expect(() => streamed(3).repeat().cache()).toThrow(/cache was called on an endless data set/);
  });

  it('and empty streams, repeated for ever, are an error of an InputReader', async () => {
    const reader = new InputReader({ params: dataConfig({ input_path: 'absent', is_training: true, global_batch_size: 2 }) });
    await expect(
      reader
        .read(
          null,
          streamed(0)
            .map((n) => new Uint8Array(n))
            .repeat(),
        )
        .iterator()
        .next(),
    ).rejects.toThrow(/no examples|fewer examples/);
  });

  it('a batch that rounds whole numbers says so, once', async () => {
    const lines: string[] = [];
    setNoticeHandler((line) => lines.push(line));
    try {
      await range(2 ** 24 - 1, 2 ** 24 + 4)
        .batch(2)
        .toArray();
    } finally {
      setNoticeHandler(() => undefined);
    }
    expect(lines).toEqual([
      expect.stringMatching(/is 16777217, which a batch of numbers \(float32\) rounds to 16777216; map it to Int32Array/),
    ]);
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
    expect(() => d.bucketBySequenceLength(() => 1, { boundaries: [NaN], batchSizes: [1, 1] })).toThrow(/ascending boundaries \(numbers\)/);
    expect(() => d.mix([d], ['1', 1] as never)).toThrow(/numbers from 0 as weights, not all 0; \["1", 1\]/);
    expect(() => d.mix([d], [NaN, 1])).toThrow(/\[NaN, 1\]/);
    expect(() => d.iterator(-1)).toThrow(/iterator: pass is -1/);
    expect(() => fromIterable(3 as never)).toThrow(/fromIterable needs something iterable .*, but a number was given/);
    expect(() => d.iterator().loadStateDict(null as never)).toThrow(/null was given as a data position/);
    expect(() => d.iterator().loadStateDict({ ...d.iterator().stateDict(), position: 4 })).toThrow(/is 4, but the data have 3 elements/);
  });

  it('are refused as options too, with the likely name; null is no options', () => {
    const d = range(0, 3);
    const odd = (options: unknown): never => options as never;
    expect(() => d.shuffle(odd(1000))).toThrow(/shuffle: a number was given in place of options: \{ bufferSize, seed, reshuffleEach/);
    expect(() => d.shuffle(odd({ buffer_size: 10 }))).toThrow(/shuffle has no option buffer_size. Did you mean "bufferSize"\?/);
    expect(() => d.shuffle(odd({ reshuffleEachIteration: 'no' }))).toThrow(/reshuffleEachIteration is "no", expected true or false/);
    expect(() => d.batch(2, odd(true))).toThrow(/batch: a boolean was given in place of options: \{ dropRemainder: true or false \}/);
    expect(() => d.batch(2, odd({ drop_remainder: true }))).toThrow(/Did you mean "dropRemainder"/);
    expect(() => d.paddedBatch(2, odd({ padded_shapes: [1] }))).toThrow(/Did you mean "paddedShapes"/);
    expect(() => d.window(2, odd({ step: 1 }))).toThrow(/window has no option step/);
    expect(() => d.map((x) => x, odd({ numParallelCalls: 2 }))).toThrow(/map has no option numParallelCalls.* parallel, workers/);
    expect(() => d.filter(() => true, odd({ parallel: 2 }))).toThrow(/filter has no option parallel/);
    expect(() => d.interleave(() => d, odd({ cycleLength: 1, block_length: 2 }))).toThrow(/Did you mean "blockLength"/);
    expect(() => fromGenerator(() => [], odd({ exact: true }))).toThrow(/fromGenerator has no option exact/);
    const none = odd(null);
    for (const same of [d.shuffle(none), d.batch(2, none).unbatch(), d.window(1, none), d.map((x) => x, none), d.mix([], [1], none)])
      expect(same.length ?? 3).toBe(3);
  });
});
