import { copyFileSync, readFileSync, truncateSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';

import {
  fromArrow, fromCsv, fromImages, fromJsonLines, fromParquet, fromWav, readNpy, readNpz, readSafetensors, 
} from '../index.js'; // prettier-ignore
import { at, testFolder } from './checked-in.testing.js';

const { directory, notices, write } = testFolder();

const columns = { id: 'int32', weight: 'float64', tiny: 'float64', name: 'string', ok: 'bool' } as const;

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
