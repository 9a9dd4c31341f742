import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

import {
  fromArrow, fromCsv, fromDocuments, fromImages, fromJsonLines, fromNpz, fromParquet, fromTextLines, fromTfExamples, inspectData, readIdx, readNpy, readSafetensors, readWav, tfRecords,
  writeTfRecords, type Dataset,
} from '../index.js'; // prettier-ignore
import { at, testFolder } from './checked-in.testing.js';
import { zip } from './written-files.testing.js';

const { write } = testFolder();
const specs = { x: { dtype: 'float32', shape: [] } } as const;
const all = (dataset: Dataset<unknown>) => dataset.toArray();
const texts: Readonly<Record<string, (path: string) => unknown>> = {
  CSV: (path) => all(fromCsv(path)),
  'CSV with columns': (path) => all(fromCsv(path, { columns: { x: 'float32' } })),
  'JSON lines': (path) => all(fromJsonLines(path)),
  lines: (path) => all(fromTextLines(path)),
  documents: (path) => all(fromDocuments(path)),
};
const binaries: Readonly<Record<string, (path: string) => unknown>> = {
  Parquet: (path) => fromParquet(path),
  Arrow: (path) => fromArrow(path),
  npy: (path) => readNpy(path),
  npz: (path) => fromNpz(path),
  safetensors: (path) => readSafetensors(path),
  WAV: (path) => readWav(path),
  records: (path) => all(tfRecords(path)),
  Examples: (path) => all(fromTfExamples(path, specs)),
  images: (path) => all(fromImages(path)),
  idx: (path) => readIdx(path),
};
const everything = { ...texts, ...binaries };
const sayOf = async (read: (path: string) => unknown, path: string): Promise<string> => {
  try {
    await read(path);
  } catch (error) {
    expect((error as Error).name).toBe('DataError');
    expect((error as Error).message).toContain(path);
    return (error as Error).message;
  }
  return 'nothing';
};

describe('a file of another format', () => {
  it('is told by its first bytes, with the reader for it', async () => {
    await writeTfRecords(write('x.tfrecord', ''), [Uint8Array.of(1, 2, 3)]);
    const png = Buffer.from('iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==', 'base64');
    const files: readonly (readonly [path: string, own: readonly string[], says: RegExp])[] = [
      [at('table-none.parquet'), ['Parquet'], /It looks like a Parquet file: read it with fromParquet\./],
      [at('table.arrow'), ['Arrow'], /It looks like an Arrow file: read it with fromArrow\./],
      [at('grid.npy'), ['npy'], /It looks like a \.npy array: read it with fromNpy or readNpy\./],
      [at('arrays.npz'), ['npz'], /It looks like a \.npz file: read it with fromNpz or readNpz\./],
      [at('arrays.safetensors'), ['safetensors'], /It looks like a safetensors file: read it with fromSafetensors/],
      [at('sound-float.wav'), ['WAV'], /It looks like a WAV sound: read it with fromWav\./],
      [at('examples.tfrecord'), ['records', 'Examples'], /It looks like a TFRecord file: read it with fromTfExamples or tfRecords\./],
      [write('pixel.png', png), ['images'], /It looks like a PNG image: read it with fromImages\./],
      [write('book.xlsx', zip({ '[Content_Types].xml': Buffer.from('<x/>') })), [], /It looks like an Excel workbook .*: save it as CSV\./],
      [write('part.zip', zip({ 'part.csv': Buffer.from('x\n1\n') })), [], /It looks like a zip archive: unpack it first\./],
      [write('old.pkl', Buffer.from('\x80\x04\x95\0\0\0\0'.padEnd(64), 'latin1')), [], /It looks like a Python pickle: save the arrays with numpy\.savez/],
      [write('table.csv', 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a\nsize 12345\n'), [], /It looks like a pointer of Git LFS: fetch .* `git lfs pull`/],
    ]; // prettier-ignore
    for (const [path, own, says] of files)
      for (const [name, read] of Object.entries(everything))
        if (!own.includes(name)) expect([name, path, await sayOf(read, path)]).toEqual([name, path, expect.stringMatching(says)]);
  });

  it('of text is told to readers of other formats', async () => {
    const csv = write('small.csv', 'x,label\n1,0\n');
    const lines = write('lines.jsonl', '{"x": 1}\n{"x": 2}\n');
    const page = write('page.csv', '<!DOCTYPE html>\n<html><body>Sign in</body></html>\n');
    for (const [name, read] of Object.entries(binaries)) {
      expect([name, await sayOf(read, csv)]).toEqual([name, expect.stringMatching(/looks like text: read it with fromCsv, fromJsonLines or fromTextLines\./)]);
      expect([name, await sayOf(read, lines)]).toEqual([name, expect.stringMatching(/looks like JSON: read it with fromJsonLines/)]);
      expect([name, await sayOf(read, page)]).toEqual([name, expect.stringMatching(/looks like a web page: the download gave a page/)]);
    }
    expect(await sayOf(texts['CSV']!, lines)).toMatch(/is not CSV\. It looks like JSON: read it with fromJsonLines/);
    expect(await sayOf(texts['CSV with columns']!, page)).toMatch(/is not CSV\. It looks like a web page/);
    expect(await sayOf(texts['JSON lines']!, csv)).toMatch(/line 1 is no valid record: .*Is the file CSV\? fromCsv reads that\./);
    expect(await fromTextLines(page).toArray()).toHaveLength(2); // a text all the same
  }); // prettier-ignore

  it('is told by inspection', async () => {
    expect((await inspectData(at('examples.tfrecord'))).format).toBe('TFRecord');
    await expect(inspectData(write('small.dat', 'x,y\n1,2\n'))).rejects.toThrow(/cannot be told .* It looks like text/);
    await expect(inspectData(write('book', readFileSync(at('arrays.npz'))))).rejects.toThrow(/It looks like a \.npz file/);
    await expect(inspectData(write('renamed.csv', readFileSync(at('table-none.parquet'))))).rejects.toThrow(/renamed\.csv .*fromParquet/);
  });

  it('is none where a text begins like one', async () => {
    for (const line of ['PAR1 of the course', 'ARROW1', 'RIFF', 'GIF8', '%PDF', 'PK', 'ORC and goblin', '{"a"', 'a\0b'])
      expect(await fromTextLines(write('text.txt', `${line}\n`)).toArray()).toEqual([line]);
  });
});
