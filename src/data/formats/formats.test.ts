import { mkdtempSync, readFileSync, rmSync, truncateSync, copyFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';

import {
  fromArrow, fromCsv, fromImageFolder, fromImages, fromJsonLines, fromNpy, fromParquet, fromSafetensors, fromTextLines, fromTfExamples, fromWav,
  inspectData, iris, loadTokenizer, NDArray, readNpy, readNpz, readSafetensors, setNoticeHandler, tokenBlocks, fromItems, byteTokenizer, charTokenizer,
  TfExampleBuilder, writeSmallDataset, sonnets, type Dataset,
} from '../index.js'; // prettier-ignore

const fixtures = resolve(import.meta.dirname, '../../../tests/fixtures/data');
const at = (name: string): string => join(fixtures, name);
interface Row {
  id: number;
  weight: number;
  tiny: number;
  name: string;
  ok: boolean;
}
const expected = JSON.parse(readFileSync(at('expected.json'), 'utf8')) as {
  table: Row[];
  ramp: number[][];
  tokens: { text: string; ids: number[] }[];
  vocabulary_size: number;
  centre: Record<string, number[]>;
};

let directory: string;
let notices: string[];
beforeAll(() => void (directory = mkdtempSync(join(tmpdir(), 'orbit-formats-'))));
afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  setNoticeHandler();
});
beforeEach(() => {
  notices = [];
  setNoticeHandler((message) => void notices.push(message));
});
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};

const columns = { id: 'int32', weight: 'float64', tiny: 'float64', name: 'string', ok: 'bool' } as const;
const plain = (row: Record<string, unknown>): unknown =>
  Object.fromEntries(
    Object.entries(row).map(([key, v]) => [key, v instanceof NDArray ? (v.dtype === 'bool' ? v.data[0] === 1 : v.data[0]) : v]),
  );

const tables: Record<string, () => Dataset<Record<string, unknown>>> = {
  'table.csv': () => fromCsv(at('table.csv'), { columns }),
  'table.tsv': () => fromCsv(at('table.tsv'), { columns }),
  'table.csv.gz': () => fromCsv(at('table.csv.gz'), { columns }),
  'table.csv.zst': () => fromCsv(at('table.csv.zst'), { columns }),
  'table.jsonl': () => fromJsonLines(at('table.jsonl'), { columns }),
  'table.arrow': () => fromArrow(at('table.arrow'), { columns }),
  'table.arrows': () => fromArrow(at('table.arrows'), { columns }),
  ...Object.fromEntries(
    ['none', 'snappy', 'gzip', 'zstd'].map((codec) => [`${codec}.parquet`, () => fromParquet(at(`table-${codec}.parquet`), { columns })]),
  ),
};

describe('tables', () => {
  it.each(Object.keys(tables))('reads %s as its writer wrote it, and goes on from any position', async (name) => {
    const dataset = tables[name]!();
    const rows = (await dataset.toArray()).map(plain);
    expect(rows).toEqual(expected.table);
    for (const taken of [0, 1, 9, 10, 24, 25]) {
      const first = dataset.iterator();
      for (let i = 0; i < taken; i++) await first.next();
      const second = tables[name]!().iterator();
      second.loadStateDict(JSON.parse(JSON.stringify(first.stateDict())) as Record<string, unknown>);
      const rest: unknown[] = [];
      for await (const row of second) rest.push(plain(row));
      expect(rest).toEqual(expected.table.slice(taken));
      await first.return();
    }
  });

  it('makes batches across files and blocks, and resumes between them', async () => {
    const files = [at('table.csv'), at('table.csv.gz'), at('table.csv')];
    const open = () => fromCsv(files, { columns: { id: 'int32', name: 'string' }, batchSize: 8, dropRemainder: true });
    const batches = await open().toArray();
    expect(batches.length).toBe(9);
    const ids = expected.table.map(({ id }) => id);
    expect(batches.flatMap(({ id }) => [...id.data])).toEqual([...ids, ...ids, ...ids].slice(0, 72));
    const first = open().iterator();
    for (let i = 0; i < 4; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(first.stateDict());
    expect((await second.next()).value).toEqual(batches[4]);
    await Promise.all([first.return(), second.return()]);
  });

  it('restores a shuffle buffer over a table from its positions', async () => {
    const open = () => fromCsv(at('table.csv'), { columns: { id: 'int32' } }).shuffle({ bufferSize: 7, seed: 3 });
    const all = (await open().toArray()).map(({ id }) => id.data[0]);
    expect([...all].sort((a, b) => a! - b!)).toEqual(expected.table.map(({ id }) => id));
    const first = open().iterator(0);
    for (let i = 0; i < 11; i++) await first.next();
    const second = open().iterator();
    second.loadStateDict(first.stateDict());
    const rest: unknown[] = [];
    for await (const { id } of second) rest.push(id.data[0]);
    expect(rest).toEqual(all.slice(11));
    await first.return();
  });

  it('infers types', async () => {
    const [row] = await fromCsv(at('table.csv')).take(1).toArray();
    expect(Object.fromEntries(Object.entries(row!).map(([key, v]) => [key, v instanceof NDArray ? v.dtype : 'string']))).toEqual({
      id: 'int32', weight: 'float32', tiny: 'float32', name: 'string', ok: 'bool',
    }); // prettier-ignore
    const [parquet] = await fromParquet(at('vectors.parquet')).take(1).toArray();
    expect(parquet).toMatchObject({ v: { shape: [3], dtype: 'float32' }, label: { dtype: 'int32' } });
  });

  it('reads lists of numbers as arrays', async () => {
    for (const open of [fromParquet, fromArrow]) {
      const file = at(open === fromArrow ? 'vectors.arrow' : 'vectors.parquet');
      const [, last] = await open(file, { columns: { v: 'float32', label: 'int32' }, batchSize: 20 }).toArray();
      expect(last!.v.shape).toEqual([5, 3]);
      expect([...last!.v.data.slice(0, 3)]).toEqual([20, 20.5, -20]);
    }
  });
});

describe('bad records', () => {
  const spec = { x: 'float32', label: { dtype: 'int32', min: 0, max: 9 } } as const;
  const cases: [string, string, RegExp][] = [
    ['a cell that is no number', 'x,label\n1,2\nabc,3\n', /bad\.csv, line 3, column x: the value is "abc"; a number was expected/],
    ['an empty cell', 'x,label\n1,2\n,3\n', /line 3, column x: the value is missing; give the column a default/],
    ['NaN', 'x,label\n1,2\nnan,3\n', /line 3, column x: the value is NaN; a finite number was expected/],
    ['a label out of range', 'x,label\n1,2\n1,10\n', /line 3, column label: the value is 10; a number from 0 to 9 was expected/],
    ['a label that is not whole', 'x,label\n1,2\n1,1.5\n', /line 3, column label: the value is 1.5; a whole number was expected/],
    ['a record with too few cells', 'x,label\n1,2\n1\n', /line 3: the record has 1 cell, but 2 were expected/],
    ['a record with too many cells', 'x,label\n1,2\n1,2,3\n', /line 3: the record has 3 cells, but 2 were expected/],
    ['text after a quote', 'x,label\n1,2\n"1"2,3\n', /line 3: there is text after the closing quote of cell 1/],
  ];
  it.each(cases)('names file, line and column of %s, or leaves the record out', async (_, content, message) => {
    const path = write('bad.csv', content);
    await expect(fromCsv(path, { columns: spec }).toArray()).rejects.toThrow(message);
    const rows = await fromCsv(path, { columns: spec, onBadRecord: { skip: 1 } }).toArray();
    expect(rows.map(({ label }) => label.data[0])).toEqual([2]);
    expect(notices.at(-1)).toMatch(/1 bad record was left out, 1 read\. The first: .*line 3/);
    await expect(fromCsv(path, { columns: spec, onBadRecord: { skip: 0 } }).toArray()).rejects.toThrow(
      /bad record 1 of this pass; onBadRecord leaves out 0/,
    );
  });

  it('says what is wrong with files as a whole', async () => {
    expect(() => fromCsv(join(directory, 'none.csv'))).toThrow(/none\.csv cannot be read: there is no such file/);
    expect(() => fromCsv(join(directory, '*.nothing'))).toThrow(/No file matches the pattern/);
    await expect(fromCsv(write('empty.csv', '')).toArray()).rejects.toThrow(/empty\.csv is empty; a first line/);
    await expect(fromCsv(write('head.csv', 'a,b\n')).toArray()).rejects.toThrow(/head\.csv has no records/);
    await expect(fromCsv(write('open.csv', 'a,b\n1,"2\n3,4\n')).toArray()).rejects.toThrow(
      /line 2: a quote that opens on this line is never closed/,
    );
    await expect(fromCsv(at('table.csv'), { columns: { wieght: 'float32' } }).toArray()).rejects.toThrow(
      /has no column wieght; its columns are id, weight/,
    );
    await expect(fromCsv(at('table.csv'), { columns, batchSize: 100, dropRemainder: true }).toArray()).rejects.toThrow(
      /25 records, less than one batch of 100/,
    );
    await expect(fromParquet(at('nulls.parquet')).toArray()).rejects.toThrow(/nulls\.parquet, record 2, column x: the value is missing/);
    expect(
      (await fromParquet(at('nulls.parquet'), { columns: { x: { dtype: 'float32', default: 7 } }, batchSize: 3 }).toArray())[0]!.x.data,
    ).toEqual(Float32Array.of(1, 7, 3));
    await expect(fromJsonLines(write('bad.jsonl', '{"v":[1,2]}\n{"v":[1]}\n'), { columns: { v: 'float32' } }).toArray()).rejects.toThrow(
      /bad\.jsonl, line 2, column v: .*shape \[1\], but earlier values have \[2\]/,
    );
    await expect(fromJsonLines(write('broken.jsonl', '{"a":1}\n{"a":\n')).toArray()).rejects.toThrow(
      /broken\.jsonl, line 2 is no valid record/,
    );
  });

  it.each([
    'table.csv.gz',
    'table-snappy.parquet',
    'table.arrow',
    'grid.npy',
    'arrays.npz',
    'arrays.safetensors',
    'sound-pcm_16.wav',
    'images/red/b.jpg',
  ])('says that a truncated %s is truncated or damaged, with its name', async (name) => {
    const path = join(directory, `cut-${name.replaceAll('/', '-')}`);
    copyFileSync(at(name), path);
    truncateSync(path, Math.floor(readFileSync(path).length * 0.6));
    const read: Record<string, () => Promise<unknown>> = {
      gz: () => fromCsv(path).toArray(),
      parquet: async () => fromParquet(path).toArray(),
      arrow: async () => fromArrow(path).toArray(),
      npy: async () => readNpy(path),
      npz: () => readNpz(path),
      safetensors: async () => readSafetensors(path),
      wav: () => fromWav(path).toArray(),
      jpg: () => fromImages(path).toArray(),
    };
    await expect(read[name.split('.').at(-1)!]!()).rejects.toThrow(
      expect.objectContaining({ name: 'DataError', message: expect.stringMatching(/cut-.*(truncated|damaged)/s) as string }),
    );
  });
});

describe('arrays', () => {
  const grid = Array.from({ length: 24 }, (_, i) => i / 8);
  it('reads npy in either order, byte order and precision, and rows of it from the file', async () => {
    for (const name of ['grid.npy', 'fortran.npy', 'big-endian.npy', 'half.npy']) {
      const array = readNpy(at(name));
      expect([name, array.shape, [...array.data]]).toEqual([name, [4, 3, 2], grid]);
    }
    const batches = await fromNpy({ x: at('grid.npy'), y: at('labels.npy') })
      .batch(3)
      .toArray();
    expect(batches.map(({ x, y }) => [x.shape, [...y.data]])).toEqual([
      [
        [3, 3, 2],
        [3, 1, 4],
      ],
      [[1, 3, 2], [1]],
    ]);
    expect(batches.flatMap(({ x }) => [...x.data])).toEqual(grid);
  });

  it('reads npz and safetensors', async () => {
    for (const arrays of [
      await readNpz(at('arrays.npz')),
      await readNpz(at('arrays-deflated.npz')),
      readSafetensors(at('arrays.safetensors')),
    ]) {
      expect([...arrays['grid']!.data]).toEqual(grid);
      expect(arrays['labels']).toMatchObject({ dtype: 'int32', data: Int32Array.of(3, 1, 4, 1) });
    }
    const rows = await fromSafetensors(at('arrays.safetensors'), ['half', 'flags']).toArray();
    expect(rows.map(({ flags }) => flags.data[0])).toEqual([1, 0, 1, 0]);
    expect(rows.flatMap(({ half }) => [...half.data])).toEqual(grid);
    expect(() => fromSafetensors(at('arrays.safetensors'), ['gird'])).toThrow(/has no array gird; it has/);
  });
});

describe('images', () => {
  it('decodes JPEG, PNG and WebP with labels by folder', async () => {
    const rows = await fromImageFolder(at('images'), { dtype: 'uint8' }).toArray();
    expect(rows.map(([, label]) => label.data[0])).toEqual([0, 0, 0, 1, 1, 1]);
    for (const [image, label] of rows) {
      expect(image.shape).toEqual([40, 60, 3]);
      const pixel = image.data.subarray((20 * 60 + 30) * 3, (20 * 60 + 30) * 3 + 3);
      expected.centre[label.data[0] === 0 ? 'blue' : 'red']!.forEach((value, channel) =>
        expect(Math.abs(pixel[channel]! - value)).toBeLessThanOrEqual(2),
      );
    }
  });
});

describe('sound and text', () => {
  it.each([
    ['pcm_u8', 1 / 128],
    ['pcm_16', 2 ** -15],
    ['pcm_24', 2 ** -23],
    ['pcm_32', 2 ** -24],
    ['float', 2 ** -24],
    ['double', 2 ** -24],
  ])('reads WAV of %s', async (kind, step) => {
    const [sound] = await fromWav(at(`sound-${kind}.wav`), { sampleRate: 8000 }).toArray();
    expect(sound!.shape).toEqual([20, 2]);
    expected.ramp.flat().forEach((value, i) => expect(Math.abs(sound!.data[i]! - value)).toBeLessThanOrEqual(step));
    expect((await fromWav(at(`sound-${kind}.wav`), { frames: 30 }).toArray())[0]!.shape).toEqual([30, 2]);
    await expect(fromWav(at(`sound-${kind}.wav`), { sampleRate: 16000 }).toArray()).rejects.toThrow(/8000 frames per second, but 16000/);
  });

  it('gives the tokens of the library that learnt a tokenizer.json', async () => {
    const tokenizer = await loadTokenizer(at('tokenizer.json'));
    expect(tokenizer.vocabularySize).toBe(expected.vocabulary_size);
    for (const { text, ids } of expected.tokens) {
      expect([...tokenizer.encode(text)]).toEqual(ids);
      expect(tokenizer.decode(ids)).toBe(text);
    }
    for (const one of [byteTokenizer(), charTokenizer(sonnets.join(''))]) expect(one.decode(one.encode(sonnets[0]!))).toBe(sonnets[0]);
    expect(() => charTokenizer('abc').encode('abd')).toThrow(/"d" is not in the tokenizer's alphabet of 3/);
    expect(() => byteTokenizer().decode([256])).toThrow(/256 is no token/);
  });

  it('cuts texts into inputs and targets', async () => {
    const rows = await tokenBlocks(fromItems(['abc', 'defg']), byteTokenizer(), { length: 3, separator: 0 }).toArray();
    expect(rows.map(([inputs, targets]) => [[...inputs.data], [...targets.data]])).toEqual([
      [
        [97, 98, 99],
        [98, 99, 0],
      ],
      [
        [0, 100, 101],
        [100, 101, 102],
      ],
    ]);
  });

  it('reads lines with either line end and without a last one', async () => {
    expect(await fromTextLines(write('a.txt', 'one\r\n\ntwo\nthree')).toArray()).toEqual(['one', 'two', 'three']);
    expect(await fromTextLines(join(directory, 'a.txt'), { keepEmpty: true }).toArray()).toEqual(['one', '', 'two', 'three']);
  });

  it('has iris', async () => {
    const rows = await iris().toArray();
    expect(rows.length).toBe(150);
    expect([...rows[0]![0].data]).toEqual([5.1, 3.5, 1.4, 0.2].map(Math.fround));
  });
});

describe('examples in record files', () => {
  it('parses features to columns, the unusual ones too, and leaves out what does not fit', async () => {
    const path = join(directory, 'examples.tfrecord');
    const example = (i: number) =>
      new TfExampleBuilder()
        .addFloatsFeature('x', [i, i / 2])
        .addIntsFeature('label', i - 3)
        .addBytesFeature('name', `n${i}`)
        .addIntsFeature('other', 5);
    await writeSmallDataset([...Array.from({ length: 40 }, (_, i) => example(i)), example(1).addFloatsFeature('x', [1])], path);
    const specs = {
      x: { dtype: 'float32', shape: [2] },
      label: { dtype: 'int32', shape: [] },
      name: { dtype: 'string', shape: [] },
    } as const;
    await expect(fromTfExamples(path, specs).toArray()).rejects.toThrow(/examples\.tfrecord, record at byte \d+: Feature x has 1 values/);
    const batches = await fromTfExamples(path, specs, { batchSize: 16, onBadRecord: { skip: 1 } }).toArray();
    expect(batches.flatMap(({ label }) => [...label.data])).toEqual(Array.from({ length: 40 }, (_, i) => i - 3));
    expect(batches.flatMap(({ x }) => [...x.data])).toEqual(Array.from({ length: 40 }, (_, i) => [i, i / 2]).flat());
    expect(batches[1]!.name[0]).toBe('n16');
    const bytes = readFileSync(path);
    bytes[30]! ^= 1; // in the first payload
    writeFileSync(path, bytes);
    const rows = await fromTfExamples(path, specs, { onBadRecord: { skip: 2 } }).toArray();
    expect(rows.length).toBe(39);
  });
});

describe('inspectData', () => {
  it.each([
    ['table.csv.gz', 'CSV', 25], ['table.jsonl', 'JSON lines', 25], ['table-zstd.parquet', 'Parquet', 25], ['table.arrow', 'Arrow', 25], ['grid.npy', 'npy', 4],
    ['arrays.npz', 'npz', undefined], ['arrays.safetensors', 'safetensors', undefined], ['sound-float.wav', 'WAV', 1], ['images', 'folder of classes', 6], ['images/red/c.webp', 'image', 1],
  ])('tells what %s is', async (name, format, records) => {
    const summary = await inspectData(at(name), { rows: 2 });
    expect(summary).toMatchObject({ format, records });
    expect(summary.schema.length).toBeGreaterThan(0);
    expect(summary.first.length).toBeGreaterThan(0);
  }); // prettier-ignore
});
