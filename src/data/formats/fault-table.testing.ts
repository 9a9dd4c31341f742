/** The table of formats and faults: what each file of each format that has a fault makes the reader say. */
import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';

import {
  fromArrays, fromArrow, fromCsv, fromDocuments, fromImages, fromJsonLines, fromNpy, fromNpz, fromParquet, fromSafetensors, fromTextLines, fromTfExamples,
  fromTfSequenceExamples, fromWav, loadTokenizer, readIdx, type Compression, type Dataset, type OnBadRecord,
} from '../index.js'; // prettier-ignore
import * as make from './written-files.testing.js';

const fixture = (name: string): Uint8Array => readFileSync(join(resolve(import.meta.dirname, '../../../tests/fixtures/data'), name));

/** How a file is read. */
export interface Options {
  readonly bad?: OnBadRecord;
  readonly compression?: Compression;
  /** What x is read as; default float32. */
  readonly x?: 'int32' | 'float32';
}
/** Bytes of a file. */
export type Bytes = Uint8Array | Promise<Uint8Array>;
/**
 * What the error says; with the file's bytes where those are special, and the labels of the records that are left where bad ones may be left
 * out (default: the first and the third). A text says why there is no such fault.
 */
export type Cell = RegExp | readonly [bytes: () => Bytes, says: RegExp, left?: readonly number[]] | string;

/** A format with its faults. */
export interface Format {
  readonly file: string;
  /** A file of three records without fault. */
  whole(): Bytes;
  /** A data set of the file; for what is no data set, what it holds. */
  read(path: string, options: Options): Dataset<unknown> | Promise<unknown>;
  /** Whether `compression` can be given; such a file is read as gzip, others are compressed. */
  readonly compressible?: true;
  /** The values of `label` in what was read, for formats that can leave records out. */
  readonly skips?: (elements: never[]) => unknown;
  // Faults of the file,
  readonly truncated: Cell; readonly damaged: Cell; readonly empty: Cell; readonly compression: Cell; readonly noRows: Cell; readonly noBatch: Cell; readonly changed: Cell;
  // and of its second record.
  readonly column: Cell; readonly noNumber: Cell; readonly ragged: Cell; readonly range: Cell; readonly notFinite: Cell; readonly integer: Cell;
} // prettier-ignore

const label = { dtype: 'int32' as const, min: 0, max: 9 };
const good = [{ x: 1, label: 0 }, { x: 2, label: 1 }, { x: 3, label: 2 }]; // prettier-ignore
const withSecond = (second: make.Row): make.Row[] => [good[0]!, second, good[2]!];
const bad = {
  column: good.map(({ label }) => ({ label })),
  noNumber: withSecond({ x: 'abc', label: 1 }),
  ragged: [{ x: [1, 2], label: 0 }, { x: [3], label: 1 }, { x: [4, 5], label: 2 }],
  range: withSecond({ x: 2, label: 10 }),
  notFinite: withSecond({ x: NaN, label: 1 }),
  integer: withSecond({ x: 2n ** 40n, label: 1 }),
}; // prettier-ignore
const flipped = async (bytes: Bytes, at: number): Promise<Uint8Array> => {
  const changed = Uint8Array.from(await bytes);
  changed[at < 0 ? changed.length + at : at]! ^= 0x55;
  return changed;
};
const labels = (rows: readonly { label: { data: ArrayLike<number> } }[]) => rows.map((row) => row.label.data[0]);

/** The cells that tables have in common: `place` is how the second record is named. */
function tableCells(write: (rows: readonly make.Row[]) => Bytes, place: string) {
  return {
    column: [() => write(bad.column), /column x\b|no column x/],
    noNumber: [() => write(bad.noNumber), new RegExp(`${place}, column x: the value is "abc"; a number was expected`)],
    range: [() => write(bad.range), new RegExp(`${place}, column label: the value is 10; a number from 0 to 9 was expected`)],
    notFinite: [() => write(bad.notFinite), new RegExp(`${place}, column x: the value is ("NaN"; a number|NaN; a finite number)`)],
    integer: [() => write(bad.integer), new RegExp(`${place}, column x: the value is 1099511627776, which does not fit into int32`)],
    changed: /another file than when the position was saved: it had \d+ bytes, now it has \d+/,
    noBatch: /batch\(4, drop remainder\)/,
  } as const;
}
const exampleCells = (write: (rows: readonly make.Row[]) => Bytes) =>
  ({
    truncated: /is truncated: it ends inside the record at byte \d+/,
    damaged: [() => flipped(write(good), -6), /record at byte \d+: its checksum does not match/],
    empty: /has no records/,
    compression: /is no gzip file, or damaged/,
    noRows: [() => write([]), /has no records/],
    changed: /another file than when the position was saved/,
    column: [() => write(bad.column), /record at byte 0: Feature (list )?x is missing/],
    noNumber: [() => write(bad.noNumber), /record at byte \d\d+: Feature x.* holds bytes values, but its spec says float32/],
    ragged: [
      () => write(withSecond({ x: [2, 3], label: 1 })),
      /record at byte \d\d+: Feature x.* has 2 values, but its spec's shape \[\] takes 1/,
    ],
    range: [() => write(bad.range), /record at byte \d\d+: Feature label: the value is 10; a number from 0 to 9/],
    notFinite: [() => write(bad.notFinite), /record at byte \d\d+: Feature x.*: the value is NaN; a finite number/],
    integer: [
      () => write([{ x: 1n, label: 0 }, { x: 2n ** 40n, label: 1 }, { x: 3n, label: 2 }]), // prettier-ignore
      /record at byte \d\d+: Feature x.* holds 1099511627776, which does not fit into int32/,
    ],
  }) as const;
const x = Float32Array.of(1, 2, 3);
/** The cells of arrays; `write` makes a file of an array x of the type with a code. */
function arrayCells(write: (type: 'f4' | 'i8' | 'U2', values: ArrayBufferView, rows?: number) => Bytes, row: string) {
  return {
    noRows: [() => write('f4', new Float32Array(0), 0), /has no rows/],
    noBatch: /batch\(4, drop remainder\)/,
    changed: byPosition,
    ragged: 'an array has one shape',
    range: [() => write('f4', Float32Array.of(1, 12, 3)), new RegExp(`${row}: the value is 12; a number from -∞ to 9 was expected`)],
    notFinite: [() => write('f4', Float32Array.of(1, NaN, 3)), new RegExp(`${row}: the value is NaN; a finite number`)],
    integer: [
      () => write('i8', BigInt64Array.of(1n, 2n ** 40n, 3n)),
      new RegExp(`${row}: the value 1099511627776 does not fit into int32`),
    ],
  } as const;
}
const npyOf = (type: string, values: ArrayBufferView, rows = 3): Uint8Array => make.npy(`<${type}`, `${rows},`, values);
const npzOf = (type: string, values: ArrayBufferView, rows = 3): Uint8Array => make.zip({ 'x.npy': npyOf(type, values, rows) });
const tensors = { f4: 'F32', i8: 'I64', U2: 'F8_E5M2' };
const safetensorsOf = (type: 'f4' | 'i8' | 'U2', values: ArrayBufferView, rows = 3): Uint8Array =>
  make.safetensors({ x: [tensors[type], [rows], values] });
const byPosition = 'read by position; the number of records is part of the saved pipeline, tested by itself';
const noRecords = 'there are no records in it';
const table = ({ bad: onBadRecord, compression, x: dtype = 'float32' }: Options) => ({ columns: { x: dtype, label }, onBadRecord, compression }); // prettier-ignore

/** Every format. */
export const formats: Record<string, Format> = {
  CSV: {
    file: 't.csv', compressible: true, whole: () => make.csv(good), read: (path, options) => fromCsv(path, table(options)), skips: labels,
    ...tableCells(make.csv, 'line 3'),
    truncated: [() => make.csv(good).subarray(0, -3), /line 4: the record has 1 cell, but 2 were expected/],
    damaged: [() => Buffer.from('x,label\n1,0\n2,"1"x\n3,2\n'), /line 3: there is text after the closing quote of cell 2/],
    empty: /is empty; a first line with the names of the columns was expected/, compression: /is no gzip file, or damaged/,
    noRows: [() => make.csv([]), /has no records/], ragged: [() => make.csv(withSecond({ x: [2, 3], label: 1 })), /line 3: the record has 3 cells, but 2 were expected/],
  },
  TSV: {
    file: 't.tsv', compressible: true, whole: () => make.csv(good, '\t'), read: (path, options) => fromCsv(path, table(options)), skips: labels,
    ...tableCells((rows) => make.csv(rows, '\t'), 'line 3'),
    truncated: [() => make.csv(good, '\t').subarray(0, -3), /line 4: the record has 1 cell, but 2 were expected/],
    damaged: [() => Buffer.from('x\tlabel\n1\t0\n"2\t1\n3\t2\n'), /line 3: a quote that opens on this line is never closed; is the file truncated\?/],
    empty: /is empty/, compression: /is no gzip file, or damaged/,
    noRows: [() => make.csv([], '\t'), /has no records/], ragged: [() => make.csv(withSecond({ x: [2, 3], label: 1 }), '\t'), /line 3: the record has 3 cells/],
  },
  'JSON lines': {
    file: 't.jsonl', compressible: true, whole: () => make.jsonLines(good), read: (path, options) => fromJsonLines(path, table(options)), skips: labels,
    ...tableCells(make.jsonLines, 'line 2'),
    column: [() => make.jsonLines(bad.column), /line 1, column x: the value is missing/],
    truncated: [() => make.jsonLines(good).subarray(0, -5), /line 3 is no valid record/],
    damaged: [() => Buffer.from('{"x":1,"label":0}\n{"x":2\xff,"label":1}\n', 'latin1'), /line 2 is no UTF-8 text/],
    empty: /has no records/, compression: /is no gzip file, or damaged/, noRows: [() => Buffer.from('\n\n'), /has no records/],
    ragged: [() => make.jsonLines(bad.ragged), /line 2, column x: the value has the shape \[1\], but earlier values have \[2\]/],
  },
  Parquet: {
    file: 't.parquet', whole: () => make.parquet(good), read: (path, options) => fromParquet(path, table(options)), skips: labels,
    ...tableCells(make.parquet, 'record 2'), changed: byPosition, noNumber: [() => make.parquet(bad.noNumber), /record 1, column x: the value is "1"; a number was expected/, []],
    truncated: /is truncated or damaged: its footer cannot be read/, damaged: [() => flipped(make.parquet(good), 6), /column (x|label): row group 0 \(from record 1\) cannot be read/],
    empty: /is not a Parquet file/, compression: /is not a Parquet file: .* It is compressed with gzip: decompress it first/,
    noRows: [() => make.parquet([]), /has no records/], ragged: [() => fixture('wild/ragged.parquet'), /record 2, column x: the value has the shape \[1\], but earlier values have \[2\]/],
  },
  Arrow: {
    file: 't.arrow', whole: () => make.arrow(good), read: (path, options) => fromArrow(path, table(options)), skips: labels,
    ...tableCells(make.arrow, 'record 2'), changed: byPosition, noNumber: [() => make.arrow(bad.noNumber), /record 1, column x: the value is "1"; a number was expected/, []],
    truncated: /is not an Arrow file, or it is truncated or damaged/, damaged: [() => flipped(make.arrow(good), 14), /truncated or damaged/],
    empty: /is not an Arrow file, or it is truncated/, compression: /is not an Arrow file. It is compressed with gzip: decompress it first/,
    noRows: [() => make.arrow([]), /has no records/], ragged: [() => make.arrow(bad.ragged), /record 2, column x: the value has the shape \[1\], but earlier/],
  },
  'tf.Example': {
    file: 't.tfrecord', compressible: true, whole: () => make.records(good), ...exampleCells(make.records), skips: labels,
    read: (path, { x: dtype = 'float32', bad: onBadRecord, compression }) => fromTfExamples(path, { x: { dtype, shape: [] }, label: { ...label, shape: [] } }, { onBadRecord, compression }),
    noBatch: /batch\(4, drop remainder\)/,
  },
  SequenceExample: {
    file: 's.tfrecord', compressible: true, whole: () => make.records(good, true), ...exampleCells((rows) => make.records(rows, true)),
    skips: (elements: { context: { label: { data: ArrayLike<number> } } }[]) => labels(elements.map(({ context }) => context)),
    read: (path, { x: dtype = 'float32', bad: onBadRecord, compression }) =>
      fromTfSequenceExamples(path, { context: { label: { ...label, shape: [] } }, featureLists: { x: { dtype, shape: [] } } }, { onBadRecord, compression }),
    noBatch: /batch\(4, drop remainder\)/,
  },
  npy: {
    file: 't.npy', whole: () => npyOf('f4', x), read: (path) => fromNpy(path, { rules: { max: 9 } }), ...arrayCells(npyOf, 'row 1 \\(from 0\\)'),
    truncated: [() => npyOf('f4', x).subarray(0, -3), /is truncated: float32\[3\] takes 140 bytes, but there are 137/],
    damaged: [() => flipped(npyOf('f4', x), 62), /damaged: its header/], empty: /is not a \.npy array/, compression: /is not a \.npy array\. It is compressed with gzip/,
    column: 'one file is one array', noNumber: [() => npyOf('U2', new Uint8Array(24)), /holds values of the type <U2, which cannot be read/],
  },
  npz: {
    file: 't.npz', whole: () => npzOf('f4', x), read: (path) => fromNpz(path, ['x'], { rules: { x: { max: 9 } } }), ...arrayCells(npzOf, 'array x, row 1 \\(from 0\\)'),
    truncated: /is not a \.npz file, or it is truncated or damaged/, damaged: [() => flipped(npzOf('f4', x), -73), /damaged: its directory is damaged/],
    empty: /is not a \.npz file/, compression: /is not a \.npz file\. It is compressed with gzip/, column: [() => make.zip({ 'y.npy': npyOf('f4', x) }), /has no array x; it has y/],
    noNumber: [() => npzOf('U2', new Uint8Array(24)), /array x holds values of the type <U2, which cannot be read/],
    ragged: 'an array has one shape; different numbers of rows are tested with arrays',
  },
  safetensors: {
    file: 't.safetensors', whole: () => safetensorsOf('f4', x), read: (path) => fromSafetensors(path, ['x'], { rules: { x: { max: 9 } } }),
    ...arrayCells(safetensorsOf, 'array x, row 1 \\(from 0\\)'),
    truncated: [() => safetensorsOf('f4', x).subarray(0, -3), /is truncated or damaged: array x/], damaged: [() => flipped(safetensorsOf('f4', x), 9), /truncated: its header is no JSON/],
    empty: /is not a safetensors file/, compression: /is not a safetensors file.* It is compressed with gzip/, column: [() => make.safetensors({ y: ['F32', [3], x] }), /has no array x; it has y/],
    noNumber: [() => safetensorsOf('U2', new Uint8Array(3)), /array x: values of the type F8_E5M2 cannot be read/],
  },
  idx: {
    file: 't.idx', whole: () => make.idx(8, [3], Uint8Array.of(0, 1, 2)), read: async (path) => fromArrays([await readIdx(path)]).toArray(),
    truncated: [() => make.idx(8, [3], Uint8Array.of(0)), /is truncated: uint8\[3\] takes 11 bytes, but there are 9/], damaged: [() => flipped(make.idx(8, [3], Uint8Array.of(0, 1, 2)), 2), /is not an IDX file: it begins with/],
    empty: /is not an IDX file: it has only 0 bytes/, compression: 'IDX files may be compressed', noRows: 'whole arrays are given as they are', noBatch: 'it is an array', changed: 'it is an array',
    column: 'one file is one array', noNumber: 'there are only numbers', ragged: 'an array has one shape', range: 'whole arrays are given as they are', notFinite: 'whole arrays are given as they are', integer: 'its types have at most 32 bits',
  },
  'image folder': {
    file: 'i.png', whole: () => fixture('images/red/a.png'), read: (path, { bad: onBadRecord }) => fromImages(path, { onBadRecord }),
    truncated: /cannot be decoded as an image/, damaged: [() => flipped(fixture('images/red/a.png'), 3), /cannot be decoded as an image/], empty: /cannot be decoded as an image/, compression: /cannot be decoded as an image/,
    noRows: 'a file is an image', noBatch: /batch\(4, drop remainder\)/, changed: byPosition, column: noRecords, noNumber: noRecords, ragged: noRecords, range: noRecords, notFinite: noRecords, integer: noRecords,
  },
  'text lines': {
    file: 't.txt', compressible: true, whole: () => Buffer.from('one\ntwo\nthree\n'), read: (path, { bad: onBadRecord, compression }) => fromTextLines(path, { onBadRecord, compression }),
    truncated: 'a text may end anywhere', damaged: [() => Buffer.from('one\ntw\xf6\nthree\n', 'latin1'), /line 2 is no UTF-8 text/], empty: /has no records/, compression: /is no gzip file, or damaged/,
    noRows: [() => Buffer.from('\n\n'), /has no records/], noBatch: /batch\(4, drop remainder\)/, changed: /another file than when the position was saved/,
    column: noRecords, noNumber: noRecords, ragged: noRecords, range: noRecords, notFinite: noRecords, integer: noRecords,
  },
  'text documents': {
    file: 'd.txt', compressible: true, whole: () => Buffer.from('one\ntwo\nthree\n'), read: (path, { compression }) => fromDocuments(path, { compression }),
    truncated: 'a text may end anywhere', damaged: [() => Buffer.from('\xff\xfeo\0n\0e\0', 'latin1'), /is UTF-16 text, but UTF-8 was expected/], empty: 'a text may be empty', compression: /is no gzip file, or damaged/,
    noRows: 'a file is a text', noBatch: /batch\(4, drop remainder\)/, changed: byPosition, column: noRecords, noNumber: noRecords, ragged: noRecords, range: noRecords, notFinite: noRecords, integer: noRecords,
  },
  WAV: {
    file: 't.wav', whole: () => make.wav(0, 0.5, 1), read: (path, { bad: onBadRecord }) => fromWav(path, { onBadRecord }),
    truncated: [() => make.wav(0, 0.5, 1).subarray(0, -5), /is truncated: 12 bytes of sound were expected, 7 are there/], damaged: [() => flipped(make.wav(0, 0.5, 1), 20), /has samples of format \d+ with 32 bits/], empty: /is not a WAV file/, compression: /is not a WAV file.* It is compressed with gzip/,
    noRows: [() => make.wav(), /holds no sound: it has 0 frames/], noBatch: /batch\(4, drop remainder\)/, changed: byPosition, column: noRecords, noNumber: noRecords, ragged: 'sounds may differ in length: paddedBatch',
    range: noRecords, notFinite: [() => make.wav(0, NaN, 1), /the value 1 is NaN; a finite number was expected/], integer: noRecords,
  },
  'tokenizer.json': {
    file: 'tokenizer.json', whole: () => fixture('tokenizer.json'), read: (path) => loadTokenizer(path),
    truncated: /is not valid JSON/, damaged: [() => Buffer.from('{"model":null}'), /is damaged: its "model" is null/], empty: /is not valid JSON/, compression: /is not valid JSON/,
    noRows: [() => Buffer.from('{"model":{"type":"BPE","vocab":{},"merges":[]}}'), /has no vocabulary/], noBatch: 'it is no data set', changed: 'it is no data set', column: [() => Buffer.from('{}'), /it has no "model"/],
    noNumber: [() => Buffer.from('{"model":{"type":"BPE","vocab":{"a":"b"},"merges":[]}}'), /has no vocabulary of texts with whole numbers/], ragged: noRecords, range: noRecords, notFinite: noRecords, integer: noRecords,
  },
}; // prettier-ignore
