import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as zlib from 'node:zlib';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

import { fromArrow, fromCsv, fromDocuments, fromJsonLines, fromParquet, fromTextLines, setNoticeHandler, type Dataset } from '../index.js';
import { at, expected, expectElements, plain } from './everyday.testing.js';

const directory = mkdtempSync(join(tmpdir(), 'orbit-everyday-'));
beforeAll(() => setNoticeHandler(() => undefined));
afterAll(() => {
  rmSync(directory, { recursive: true });
  setNoticeHandler();
});
const write = (name: string, content: string | Uint8Array): string => {
  writeFileSync(join(directory, name), content);
  return join(directory, name);
};
const columns = {
  n: 'int32',
  x: { dtype: 'float64', allowNaN: true },
  text: 'string',
  day: 'string',
  ok: 'bool',
  large: 'float64',
} as const;

describe('CSV of pandas', () => {
  const options: Record<string, object> = {
    'semicolon.csv': { delimiter: ';' },
    'pipe.csv': { delimiter: '|' },
    'no-header.csv': { header: false },
  };
  it.each([
    'comma.csv', 'quoted.csv', 'semicolon.csv', 'pipe.csv', 'tab.tsv', 'mark-crlf.csv', 'no-header.csv', 'gzip.csv.gz', 'zstd.csv.zst',
  ])('gives what was written, from any position: %s', async (name) => {
    await expectElements(() => fromCsv(at(name), { columns, ...options[name] }), expected.frame);
  }); // prettier-ignore

  it('gives types by itself: whole numbers beyond int32 keep all digits', async () => {
    const rows = fromCsv(at('comma.csv'), { columns: undefined as never, onBadRecord: { skip: 1 } }); // infinity is in the second
    const [row] = await rows.take(1).toArray();
    expect(Object.entries(row!).map(([name, value]) => [name, typeof value === 'string' ? 'string' : (value as { dtype: string }).dtype])).toEqual([
      ['n', 'int32'], ['x', 'float32'], ['text', 'string'], ['day', 'string'], ['ok', 'bool'], ['large', 'float64'],
    ]); // prettier-ignore
    const digits = await fromCsv(write('digits.csv', 'id,n\n9007199254740993,1\n2,2\n')).toArray();
    expect(digits.map(({ id }) => id)).toEqual(['9007199254740993', '2']);
  });

  it('reads comments, missing cells, mixed line ends and a last line without one', async () => {
    const spec = { n: 'int32', x: { dtype: 'float64', default: -1 } } as const;
    const rows = expected.mixed.n.map((n, i) => ({ n, x: expected.mixed.x[i] }));
    await expectElements(() => fromCsv(at('mixed.csv'), { columns: spec, comment: '#', missing: ['NA'] }), rows);
    await expect(fromCsv(at('mixed.csv'), { columns: spec, comment: '#' }).toArray()).rejects.toThrow(
      /mixed\.csv, line 3, column x: the value is "NA"; a number was expected/,
    );
    expect(() => fromCsv(at('mixed.csv'), { comment: ',' })).toThrow(/comment is ","; one character was expected/);
  });

  it('says what a file likely is that it cannot read', async () => {
    const message = (name: string, more = {}) => fromCsv(at(name), more).toArray().then(String, ({ message }: Error) => message); // prettier-ignore
    expect(await message('utf-16.csv')).toMatch(/utf-16\.csv is UTF-16 text, but UTF-8 was expected\. Save it as UTF-8/);
    expect(await message('latin-1.csv')).toMatch(
      /latin-1\.csv, line 2: cell 1 is no UTF-8 text\. Save the file as UTF-8 \(for example `iconv/,
    );
    expect(await message('bzip2.csv.bz2')).toMatch(/is compressed with bzip2, which cannot be read: decompress it/);
    expect(await message('semicolon.csv')).toMatch(/the first line is one cell, "n;x;text;.*Give delimiter: ";"/);
    expect(await message('gzip.csv.gz', { compression: 'none', columns })).toMatch(/is not text\. It is compressed with gzip/);
    const number = write('iris.csv', '5.1,3.5,setosa\n4.9,3.0,setosa\n');
    await expect(fromCsv(number).toArray()).rejects.toThrow(/first line has the number 5\.1 where names .* Give header: false and columns/);
    expect(() => fromCsv(number, { header: false, columns: { b: 'float32', 0: 'float32' } })).toThrow(/name column 0 otherwise \(c0\)/);
    const lenient = fromCsv(at('latin-1.csv'), { columns: { name: 'string', n: 'int32' }, onBadRecord: { skip: 1 } });
    expect((await lenient.toArray()).map(plain)).toEqual([{ name: 'Bob', n: 2 }]);
  });

  it('reads cells with quotes, line ends and characters of several bytes across the borders of what is read at a time', async () => {
    // Cells of 64 KB and a bit, so that the borders of megabytes fall on every kind of byte.
    const cell = (i: number): string => `${'é😀"\r\n,'.repeat(6000)}${'x'.repeat(i % 7)}`;
    const rows = Array.from({ length: 60 }, (_, i) => ({ i, s: cell(i) }));
    const path = write('borders.csv', `i,s\n${rows.map(({ i, s }) => `${i},"${s.replaceAll('"', '""')}"\n`).join('')}`);
    const found = await fromCsv(path, { columns: { i: 'int32', s: 'string' } }).toArray();
    expect(found.every(({ i, s }, k) => i.data[0] === k && s === rows[k]!.s)).toBe(true);
    const lines = write('borders.txt', rows.map(({ s }) => s.replaceAll(/[\r\n]/g, 'ß')).join('\n'));
    expect((await fromTextLines(lines).toArray()).every((line, k) => line === rows[k]!.s.replaceAll(/[\r\n]/g, 'ß'))).toBe(true);
  });

  it('reads tables of very many columns, their types too', async () => {
    const names = Array.from({ length: 20_000 }, (_, i) => `c${i}`);
    const path = write('wide.csv', `${names.join()}\n${names.map((_, i) => i).join()}\n${names.map(() => '0.5').join()}\n`);
    const [first, second] = await fromCsv(path).toArray();
    expect([first!['c19999'], second!['c7']].map(plain)).toEqual([19_999, 0.5]);
    await expect(fromCsv(path, { columns: { other: 'int32' } }).toArray()).rejects.toThrow(
      /no column other; its columns are c0, .*c29, … \(20000\)/,
    );
  });
});

describe('JSON lines and text', () => {
  it('reads the lines of pandas', async () => {
    const rows = expected.frame.map(({ x: _, day, ...row }) => ({ ...row, day: Date.parse(day) }));
    const spec = { n: 'int32', text: 'string', ok: 'bool', large: 'float64' } as const;
    await expectElements(() => fromJsonLines(at('lines.jsonl'), { columns: spec }), rows.map(({ day: _, ...row }) => row)); // prettier-ignore
  });

  it('says what is likely wrong', async () => {
    await expect(fromJsonLines(at('document.jsonl')).toArray()).rejects.toThrow(/line 1 is no valid record.* Is it one JSON document\?/);
    await expect(fromJsonLines(at('not-a-number.jsonl')).toArray()).rejects.toThrow(/JSON has no NaN and no infinities: write null/);
    for (const name of ['utf-16.txt', 'utf-16-bare.txt'])
      for (const open of [fromTextLines, fromDocuments]) await expect(open(at(name)).toArray()).rejects.toThrow(/is UTF-16 text/);
    await expect(fromTextLines(at('latin-1.txt')).toArray()).rejects.toThrow(/latin-1\.txt, line 2 is no UTF-8 text/);
    await expect(fromDocuments(at('latin-1.txt')).toArray()).rejects.toThrow(/latin-1\.txt is no UTF-8 text/);
    expect(await fromTextLines(at('latin-1.txt'), { onBadRecord: { skip: 1 } }).toArray()).toEqual(['plain']);
  });
});

describe('compressed files', () => {
  const rows = Array.from({ length: 500 }, (_, a) => ({ a, b: a * a }));
  const open = (name: string) => () => fromCsv(at(name), { columns: { a: 'int32', b: 'int32' } });
  it.each(['members.csv.gz', 'frames.csv.zst'])('may have several parts: %s', async (name) => expectElements(open(name), rows));
  it('are told to be cut off, in whichever part that is', async () => {
    for (const name of ['members.csv.gz', 'frames.csv.zst']) {
      const bytes = readFileSync(at(name));
      for (const end of [bytes.length - 1, bytes.length - 6, Math.floor(bytes.length * 0.75), Math.floor(bytes.length * 0.3)])
        await expect(fromCsv(write(`cut-${name}`, bytes.subarray(0, end))).toArray()).rejects.toThrow(
          /cut-.* is truncated: its (gzip|zstd) data end too early/,
        );
    }
  });
  // Before version 22.15 of Node a library decompresses zstd, which does not verify checksums.
  it.skipIf(!('createZstdDecompress' in zlib))('fail their checksum, in zstd too', async () => {
    const bytes = readFileSync(at('frames.csv.zst'));
    bytes[bytes.length - 2]! ^= 1;
    await expect(fromCsv(write('checksum.csv.zst', bytes)).toArray()).rejects.toThrow(/checksum\.csv\.zst cannot be decompressed/);
  });
  it('fail their checksum', async () => {
    await expect(open('checksum.csv.gz')().toArray()).rejects.toThrow(/checksum\.csv\.gz cannot be decompressed: .*incorrect data check/);
  });
});

describe('Parquet and Arrow of pyarrow', () => {
  const readers: Record<string, (columns: Record<string, 'float64' | 'string'>) => Dataset<unknown>> = {
    'types.parquet': (spec) => fromParquet(at('types.parquet'), { columns: spec }),
    'types.arrow': (spec) => fromArrow(at('types.arrow'), { columns: spec }),
    'types.arrows': (spec) => fromArrow(at('types.arrows'), { columns: spec }),
  };
  const texts = ['coded', 'long_text', 'view'];
  const cases = Object.keys(readers).flatMap((file) => Object.keys(expected.kinds).map((kind) => [file, kind] as const));
  it.each(cases)('%s has the values of column %s', async (file, kind) => {
    const spec = { [kind]: texts.includes(kind) ? ('string' as const) : ('float64' as const) };
    const values = expected.kinds[kind]!.map((value) => ({ [kind]: value }));
    if (kind === 'flag') return expectElements(() => (file.endsWith('parquet') ? fromParquet : fromArrow)(at(file), { columns: { flag: 'bool' } }), values.map(({ flag }) => ({ flag: flag === 1 }))); // prettier-ignore
    await expectElements(() => readers[file]!(spec), values);
  });

  it.each(['wrong.parquet', 'wrong.arrow'])('%s has values that no column holds', async (file) => {
    const read = (spec: Record<string, 'float32' | 'float64' | 'string'>, skip?: number) =>
      (file.endsWith('parquet') ? fromParquet : fromArrow)(at(file), {
        columns: spec,
        onBadRecord: skip === undefined ? 'error' : { skip },
      }).toArray();
    await expect(read({ big: 'float64' })).rejects.toThrow(
      /record 2, column big: the value is 9007199254740993, which float64 does not hold; read it as string/,
    );
    expect((await read({ big: 'string' })).map(plain)).toEqual([{ big: '1' }, { big: '9007199254740993' }, { big: '3' }]);
    expect((await read({ big: 'float64' }, 1)).map(plain)).toEqual([{ big: 1 }, { big: 3 }]);
    await expect(read({ bytes: 'string' })).rejects.toThrow(/column bytes: the value is (bytes that are no UTF-8 text|a list of)/);
    await expect(read({ pair: 'float32' })).rejects.toThrow(/record 2, column pair: the value is null; a number was expected/);
  });

  const rows = Array.from({ length: 300 }, (_, i) => ({ i, s: `s${i % 7}` }));
  it.each(['none', 'snappy', 'gzip', 'zstd', 'lz4', 'brotli'])('Parquet with %s, pages with an index and checksums', (codec) =>
    expectElements(() => fromParquet(at(`codec-${codec}.parquet`)), rows),
  );
  it.each(['uncompressed', 'lz4', 'zstd'])('Feather, %s', (codec) => expectElements(() => fromArrow(at(`codec-${codec}.feather`)), rows)); // prettier-ignore

  it('says that Feather of version 1 is not read', () => {
    expect(() => fromArrow(at('version-1.feather'))).toThrow(
      /version-1\.feather is a Feather file of version 1, which cannot be read: write version 2/,
    );
  });
});
