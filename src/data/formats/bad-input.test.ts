import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { afterAll, beforeEach, describe, expect, it } from 'vitest';

import {
  fromArrays, fromArrow, fromCsv, fromDocuments, fromImageFolder, fromImages, fromJsonLines, fromNpy, fromNpz, fromParquet, fromSafetensors, fromTextLines, fromTfExamples,
  fromTfSequenceExamples, fromWav, fromWavFolder, inspectData, NDArray, readIdx, readNpy, readNpz, setNoticeHandler, tfRecords, dataConfig, InputReader,
} from '../index.js'; // prettier-ignore
import { npy, wav } from './written-files.testing.js';

const fixtures = resolve(import.meta.dirname, '../../../tests/fixtures/data');
const at = (name: string): string => join(fixtures, name);
const directory = mkdtempSync(join(tmpdir(), 'orbit-bad-'));
let notices: string[] = [];
setNoticeHandler((message) => void notices.push(message));
beforeEach(() => void (notices = []));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setNoticeHandler();
});
const write = (name: string, content: string | Uint8Array): string => {
  mkdirSync(resolve(directory, name, '..'), { recursive: true });
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};

const floats = (...values: number[]): Float32Array => Float32Array.from(values);

describe('rules of arrays', () => {
  it('name file, row and value of NaN and of labels out of range in npy files', async () => {
    const x = write('x.npy', npy('<f4', '3, 2', floats(1, 2, 3, NaN, 5, 6)));
    const y = write('y.npy', npy('|u1', '3,', Uint8Array.of(1, 12, 3)));
    await expect(fromNpy({ x, y }).batch(3).toArray()).rejects.toThrow(
      /x\.npy, row 1 \(from 0\): the value 1 is NaN; a finite number was expected \(allowNaN: true allows it\)/,
    );
    const rules = { x: { allowNaN: true }, y: { min: 0, max: 9 } };
    await expect(fromNpy({ x, y }, { rules }).toArray()).rejects.toThrow(
      /y\.npy, row 1 \(from 0\): the value is 12; a number from 0 to 9 was expected/,
    );
    await expect(
      fromNpy(y, { rules: { max: 9 } })
        .shuffle({ seed: 3 })
        .batch(2)
        .toArray(),
    ).rejects.toThrow(/y\.npy, row 1/);
    const rows = await fromNpy({ x, y }, { rules: { x: { allowNaN: true } } }).toArray();
    expect(rows.map(({ x }) => x.data[1])).toEqual([2, NaN, 6]);
    expect(readNpy(x).data[3]).toBeNaN(); // whole arrays are given as they are
    expect(() => fromNpy({ x }, { rules: { z: {} } as object })).toThrow(/rules names z, which is not read; there are x/);
  });

  it('name the array in safetensors and npz files', async () => {
    const rules = { labels: { max: 3 } };
    await expect(fromSafetensors(at('arrays.safetensors'), ['labels'], { rules }).toArray()).rejects.toThrow(
      /arrays\.safetensors, array labels, row 2 \(from 0\): the value is 4; a number from -∞ to 3/,
    );
    await expect(fromNpz(at('arrays.npz'), ['labels'], { rules }).toArray()).rejects.toThrow(/arrays\.npz, array labels, row 2/);
    expect(() => fromNpz(at('arrays-deflated.npz'), ['labels'], { rules })).toThrow(/arrays-deflated\.npz, array labels: the value 2 is 4/);
  });
});

describe('npz', () => {
  it('gives rows of its arrays, compressed or not, and only the arrays asked for', async () => {
    for (const name of ['arrays.npz', 'arrays-deflated.npz']) {
      const rows = await fromNpz(at(name)).toArray();
      expect(rows.flatMap(({ grid }) => [...grid!.data])).toEqual(Array.from({ length: 24 }, (_, i) => i / 8));
      expect(rows.map(({ labels }) => labels!.data[0])).toEqual([3, 1, 4, 1]);
      expect(Object.keys(await readNpz(at(name), ['labels']))).toEqual(['labels']);
      await expect(readNpz(at(name), ['label'])).rejects.toThrow(/has no array label; it has grid, labels/);
    }
  });

  it('fails its checksum where a byte is changed', async () => {
    const plain = readFileSync(at('arrays.npz'));
    plain[plain.indexOf('NUMPY') + 150]! ^= 1; // among the values
    await expect(readNpz(write('arrays.npz', plain))).rejects.toThrow(/damaged: the checksum of member grid\.npy does not match/);
    const packed = readFileSync(at('arrays-deflated.npz'));
    const entry = packed.lastIndexOf(Buffer.from('PK\x01\x02', 'latin1'));
    packed[entry + 16]! ^= 1; // the stored checksum of the last member
    await expect(readNpz(write('deflated.npz', packed))).rejects.toThrow(/damaged: the checksum of member labels\.npy does not match/);
  });
});

describe('files that are left out', () => {
  it('are counted in each pass by itself', async () => {
    for (const name of ['a/1.png', 'a/2.png']) copyFileSync(at('images/red/a.png'), write(`images/${name}`, ''));
    write('images/b/1.png', 'no image');
    const images = fromImageFolder(join(directory, 'images'), { onBadRecord: { skip: 1 } });
    expect((await images.repeat(3).toArray()).length).toBe(6);
    expect(notices.length).toBe(1); // told once
    write('images/b/2.png', 'none either');
    await expect(fromImageFolder(join(directory, 'images'), { onBadRecord: { skip: 1 } }).toArray()).rejects.toThrow(
      /bad record 2 of this pass; onBadRecord leaves out 1/,
    );
  });

  it('may be sounds: damaged, of another rate, or with NaN', async () => {
    const good = write('sounds/a/good.wav', wav(0.5, -0.5));
    const nan = write('sounds/a/nan.wav', wav(0, NaN));
    const cut = write('sounds/b/cut.wav', readFileSync(good).subarray(0, 48));
    await expect(fromWav(nan).toArray()).rejects.toThrow(/nan\.wav: the value 1 is NaN; a finite number/);
    expect((await fromWav(nan, { allowNaN: true }).toArray())[0]!.data[1]).toBeNaN();
    await expect(fromWav(cut).toArray()).rejects.toThrow(/cut\.wav is truncated/);
    expect((await fromWav([good, nan, cut], { onBadRecord: { skip: 2 } }).toArray()).map(({ shape }) => shape)).toEqual([[2, 1]]);
    const folder = await fromWavFolder(join(directory, 'sounds'), { onBadRecord: { skip: 2 } }).toArray();
    expect(folder.map(([, label]) => label.data[0])).toEqual([0]);
    await expect(fromWav([good, nan, cut], { onBadRecord: { skip: 1 } }).toArray()).rejects.toThrow(/leaves out 1 at most/);
  });
});

describe('classes of a folder', () => {
  it('give their labels, also where a class has no files; others are refused', async () => {
    const labels = async (classes: string[]) =>
      (await fromImageFolder(at('images'), { size: 2, classes }).toArray()).map(([, label]) => label.data[0]);
    expect(await labels(['red', 'green', 'blue'])).toEqual([0, 0, 0, 2, 2, 2]);
    expect(() => fromImageFolder(at('images'), { classes: ['red'] })).toThrow(/sub-folder blue, which is none of the 1 classes red/);
    expect(() => fromImageFolder(at('images'), { classes: ['red', 'red'] })).toThrow(/at least one name, each once/);
  });
});

describe('empty input', () => {
  const cases: Record<string, [() => Promise<unknown>, RegExp]> = {
    csv: [() => fromCsv(write('e.csv', '')).toArray(), /e\.csv is empty/],
    'csv with a header alone': [() => fromCsv(write('h.csv', 'a\n')).toArray(), /h\.csv has no records/],
    'json lines': [() => fromJsonLines(write('e.jsonl', '\n')).toArray(), /e\.jsonl has no records/],
    text: [() => fromTextLines(write('e.txt', '')).toArray(), /e\.txt has no records/],
    parquet: [async () => fromParquet(write('e.parquet', '')).toArray(), /e\.parquet is not a Parquet file/],
    arrow: [async () => fromArrow(write('e.arrow', '')).toArray(), /e\.arrow is not an Arrow file/],
    examples: [() => fromTfExamples(write('e.tfrecord', ''), { x: { dtype: 'int32' } }).toArray(), /e\.tfrecord has no records/],
    sequences: [() => fromTfSequenceExamples(write('e.tfrecord', ''), {}).toArray(), /e\.tfrecord has no records/],
    npy: [async () => readNpy(write('e.npy', '')), /e\.npy is not a \.npy array/],
    npz: [() => readNpz(write('e.npz', '')), /e\.npz is not a \.npz file, or it is truncated/],
    safetensors: [async () => fromSafetensors(write('e.safetensors', '')), /e\.safetensors is not a safetensors file/],
    idx: [() => readIdx(write('e.idx', '')), /e\.idx is not an IDX file: it has only 0 bytes/],
    image: [() => fromImages(write('e.png', '')).toArray(), /e\.png cannot be decoded as an image/],
    wav: [() => fromWav(write('e.wav', '')).toArray(), /e\.wav is not a WAV file/],
    'a folder of classes': [
      async () => (mkdirSync(join(directory, 'none/a'), { recursive: true }), fromImageFolder(join(directory, 'none'))),
      /none has no sub-folders with files/,
    ],
    'a list of files': [async () => fromDocuments([]), /list of data files is empty/],
  };
  it.each(Object.keys(cases))('is an error that names the file: %s', async (name) => {
    const [read, message] = cases[name]!;
    await expect(read()).rejects.toThrow(expect.objectContaining({ name: 'DataError', message: expect.stringMatching(message) as string }));
  });

  it('is told by inspectData too', async () => {
    await expect(inspectData(write('e.npz', ''))).rejects.toThrow(/e\.npz is not a \.npz file/);
    await expect(inspectData(write('e.csv', ''))).rejects.toThrow(/e\.csv is empty/);
  });

  it('and batches that are all dropped end in an error with the number of records', async () => {
    const csv = write('three.csv', 'a\n1\n2\n3\n');
    await expect(fromCsv(csv, { columns: { a: 'int32' }, batchSize: 4, dropRemainder: true }).toArray()).rejects.toThrow(
      /three\.csv: there are 3 records, less than one batch of 4, and dropRemainder/,
    );
    const params = dataConfig({ input_path: csv, global_batch_size: 4, is_training: false });
    const datasetFn = () => fromArrays([NDArray.of(Int32Array.of(1, 2, 3))]);
    expect(() => new InputReader({ params, datasetFn }).read()).toThrow(/3 examples, less than one batch of 4, and drop_remainder/);
    const path = at('sequences.tfrecord');
    const batches = new InputReader({ params: dataConfig({ input_path: path, global_batch_size: 7, is_training: false }) }).read();
    await expect(batches.toArray()).rejects.toThrow(
      /sequences\.tfrecord"\) have fewer examples than one batch of 7, and drop_remainder drops the rest/,
    );
    const empty = new InputReader({
      params: dataConfig({ input_path: write('e.tfrecord', ''), global_batch_size: 1, is_training: false, drop_remainder: false }),
    });
    await expect(empty.read().toArray()).rejects.toThrow(/e\.tfrecord"\) have no examples/);
    expect((await tfRecords(path).toArray()).length).toBe(6);
  });
});
