import { statSync } from 'node:fs';
import { extname } from 'node:path';

import { DataError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { detectCompression, expandPaths, firstBytes, type Paths } from '../files/index.js';
import { readIdx } from '../idx.js';
import { NDArray } from '../ndarray.js';
import { isRecord } from '../structure.js';
import { decodeExample, tfRecords, type Example } from '../tfrecord/index.js';
import { fromArrow, openArrow } from './arrow/index.js';
import { listClassFolder } from './class-folder.js';
import { csvFormat, fromCsv, readCsvSchema } from './csv/index.js';
import { imageExtensions, fromImages } from './images/index.js';
import { fromJsonLines } from './json-lines/index.js';
import { npyArray, readNpy, readNpz } from './npy/index.js';
import { fromParquet, openParquet } from './parquet/index.js';
import { readSafetensors, safetensorsArrays } from './safetensors/index.js';
import { fromTextLines } from './text/index.js';
import { readWav } from './wav/index.js';

/** What a data file, or several of one kind, hold. */
export interface DataSummary {
  /** Name of the format, such as `CSV`. */
  readonly format: string;
  /** The files, in order. */
  readonly files: readonly string[];
  /** How the first file is compressed. */
  readonly compression: 'none' | 'gzip' | 'zstd';
  /** Columns, features or arrays, with what they hold in words. */
  readonly schema: readonly { readonly name: string; readonly type: string }[];
  /** Number of records in all files: lines, rows, images, …; undefined where a file is no list of records. */
  readonly records: number | undefined;
  /** The first records. */
  readonly first: readonly unknown[];
}

type Found = Omit<DataSummary, 'files' | 'compression' | 'format'>;
type Inspect = (files: readonly string[], rows: number) => Promise<Found>;

/**
 * Looks at data files of any known format, told by their names or first bytes: schema, count and first records. Counting reads
 * files without an index to their end. Throws a {@link DataError} for a missing, damaged or unknown file.
 */
export async function inspectData(paths: Paths, { rows = 5 }: { readonly rows?: number } = {}): Promise<DataSummary> {
  const files = expandPaths(paths);
  const first = files[0]!;
  if (statSync(first).isDirectory()) return { format: 'folder of classes', files, compression: 'none', ...inspectFolder(first, rows) };
  const compression = await detectCompression(first);
  const format = await formatOf(first, compression);
  return { format, files, compression, ...(await inspectors[format]!(files, rows)) };
}

const extensions: Readonly<Record<string, string>> = {
  '.csv': 'CSV', '.tsv': 'CSV', '.tab': 'CSV', '.jsonl': 'JSON lines', '.ndjson': 'JSON lines', '.parquet': 'Parquet', '.arrow': 'Arrow', '.arrows': 'Arrow',
  '.feather': 'Arrow', '.tfrecord': 'TFRecord', '.tfrecords': 'TFRecord', '.npy': 'npy', '.npz': 'npz', '.safetensors': 'safetensors', '.wav': 'WAV',
  '.txt': 'text', '.md': 'text', '.idx': 'idx',
  ...Object.fromEntries(imageExtensions.map((extension) => [extension, 'image'])),
}; // prettier-ignore

async function formatOf(path: string, compression: string): Promise<string> {
  const bare = compression === 'none' ? path : path.replace(/\.(gz|gzip|zst|zstd)$/i, '');
  const byName = extensions[extname(bare).toLowerCase()];
  if (byName !== undefined) return byName;
  const head = Buffer.from(await firstBytes(path, 12));
  const text = head.toString('latin1');
  if (/idx\d-ubyte/.test(bare) || (head[0] === 0 && head[1] === 0 && head[2]! >= 8 && head[2]! <= 14 && head[3]! > 0)) return 'idx';
  if (text.startsWith('PAR1')) return 'Parquet';
  if (text.startsWith('ARROW1')) return 'Arrow';
  if (text.startsWith('\x93NUMPY')) return 'npy';
  if (text.startsWith('RIFF')) return text.slice(8, 12) === 'WAVE' ? 'WAV' : 'image';
  if (text.startsWith('\xff\xd8') || text.startsWith('\x89PNG')) return 'image';
  if (/tfrecord/i.test(path)) return 'TFRecord';
  throw new DataError(
    `${path}: the format cannot be told from the name or the first bytes (${head.subarray(0, 4).toString('hex')}). Known: ${[...new Set(Object.values(extensions))].join(', ')}.`,
  );
}

const inspectors: Readonly<Record<string, Inspect>> = {
  CSV: async (files, rows) => {
    const { names, inferred } = await readCsvSchema(files[0]!, csvFormat(files[0]!, {}), undefined);
    return {
      schema: names.map((name) => ({ name, type: inferred![name]! })),
      ...(await countRows(fromCsv(files, { batchSize: 4096 }), fromCsv(files), rows)),
    };
  },
  'JSON lines': async (files, rows) => {
    const found = await countAll(fromJsonLines(files), rows);
    const fields = new Map<string, string>();
    for (const record of found.first)
      if (isRecord(record)) for (const [name, value] of Object.entries(record)) fields.set(name, jsonType(value));
    return { schema: [...fields].map(([name, type]) => ({ name, type })), ...found };
  },
  Parquet: async (files, rows) => {
    const opened = await Promise.all(files.map(openParquet));
    const readable = Object.fromEntries(
      opened[0]!.columns.flatMap(({ name, type }) =>
        type === undefined ? [] : [[name, { dtype: type, default: type === 'string' ? '' : NaN, allowNaN: true }]],
      ),
    );
    const records = opened.reduce((sum, { groups }) => sum + groups.reduce((n, group) => n + group, 0), 0);
    return {
      schema: opened[0]!.columns.map(({ name, stored }) => ({ name, type: stored })),
      records,
      first: await firstOf(fromParquet(files, { columns: readable, onBadRecord: { skip: Infinity } }), rows),
    };
  },
  Arrow: async (files, rows) => {
    const { reader, columns } = await openArrow(files[0]!);
    await reader.cancel();
    const readable = Object.fromEntries(columns.flatMap(({ name, type }) => (type === undefined ? [] : [[name, type]])));
    return {
      schema: columns.map(({ name, stored }) => ({ name, type: stored })),
      ...(await countAll(fromArrow(files, { columns: readable }), rows)),
    };
  },
  TFRecord: async (files, rows) => {
    const compression = (await detectCompression(files[0]!)) === 'gzip' ? 'gzip' : 'none';
    const { records, first } = await countAll(tfRecords(files, { compression }), Math.max(rows, 100));
    const examples = first.map((record) => decodeExample(record as Uint8Array));
    return {
      schema: featuresOf(examples),
      records,
      first: examples
        .slice(0, rows)
        .map((example) => Object.fromEntries([...example].map(([name, { values }]) => [name, Array.from(values as ArrayLike<unknown>)]))),
    };
  },
  npy: async ([path], rows) => {
    const array = npyArray(path!);
    return {
      schema: [{ name: 'array', type: `${array.dtype}[${array.shape.join(', ')}]` }],
      records: array.shape[0],
      first: firstRows(readNpy(path!), rows),
    };
  },
  npz: async ([path]) => arraysSummary(await readNpz(path!)),
  safetensors: async ([path]) => ({
    schema: Object.entries(safetensorsArrays(path!)).map(([name, { dtype, shape }]) => ({ name, type: `${dtype}[${shape.join(', ')}]` })),
    records: undefined,
    first: [readSafetensors(path!)],
  }),
  WAV: async (files) => {
    const { samples, sampleRate } = await readWav(files[0]!);
    return {
      schema: [{ name: 'samples', type: `float32[${samples.shape.join(', ')}], ${sampleRate} frames per second` }],
      records: files.length,
      first: [samples],
    };
  },
  text: async (files, rows) => ({ schema: [{ name: 'line', type: 'string' }], ...(await countAll(fromTextLines(files), rows)) }),
  idx: async ([path], rows) => {
    const array = await readIdx(path!);
    return {
      schema: [{ name: 'array', type: `${array.dtype}[${array.shape.join(', ')}]` }],
      records: array.shape[0],
      first: firstRows(array, rows),
    };
  },
  image: async (files, rows) => {
    const first = await firstOf(fromImages(files, { dtype: 'uint8' }), rows);
    return { schema: [{ name: 'image', type: `uint8[${(first[0] as NDArray).shape.join(', ')}]` }], records: files.length, first };
  },
};

function inspectFolder(folder: string, rows: number): Found {
  const { classes, paths, labels } = listClassFolder(folder, [...imageExtensions, '.wav']);
  const counts = classes.map((name, label) => ({ name, type: `label ${label}, ${labels.filter((one) => one === label).length} files` }));
  return { schema: counts, records: paths.length, first: paths.slice(0, rows) };
}

async function firstOf(dataset: Dataset<unknown>, rows: number): Promise<unknown[]> {
  const taken: unknown[] = [];
  const iterator = dataset.iterator(0);
  for (let i = 0; i < rows; i++) {
    const { done, value } = await iterator.next();
    if (done) break;
    taken.push(value);
  }
  await iterator.return();
  return taken;
}

async function countAll(dataset: Dataset<unknown>, rows: number): Promise<{ records: number; first: unknown[] }> {
  const first: unknown[] = [];
  let records = 0;
  for await (const element of dataset) if (records++ < rows) first.push(element);
  return { records, first };
}

async function countRows(
  batches: Dataset<Record<string, NDArray | string[]>>,
  single: Dataset<unknown>,
  rows: number,
): Promise<{ records: number; first: unknown[] }> {
  let records = 0;
  for await (const batch of batches) {
    const column = Object.values(batch)[0]!;
    records += column instanceof NDArray ? column.rows : column.length;
  }
  return { records, first: await firstOf(single, rows) };
}

function firstRows(array: NDArray, rows: number): NDArray[] {
  return array.shape.length === 0 ? [array] : Array.from({ length: Math.min(rows, array.rows) }, (_, row) => array.row(row));
}

function arraysSummary(arrays: Record<string, NDArray>): Found {
  return {
    schema: Object.entries(arrays).map(([name, { dtype, shape }]) => ({ name, type: `${dtype}[${shape.join(', ')}]` })),
    records: undefined,
    first: [arrays],
  };
}

function jsonType(value: unknown): string {
  return Array.isArray(value) ? `list of ${value.length}` : value === null ? 'null' : typeof value;
}

function featuresOf(examples: readonly Example[]): { name: string; type: string }[] {
  const found = new Map<string, { kind: string; least: number; most: number; seen: number }>();
  for (const example of examples) {
    for (const [name, { kind, values }] of example) {
      const { least = Infinity, most = 0, seen = 0 } = found.get(name) ?? {};
      found.set(name, { kind, least: Math.min(least, values.length), most: Math.max(most, values.length), seen: seen + 1 });
    }
  }
  return [...found]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, { kind, least, most, seen }]) => ({
      name,
      type: `${kind}[${least === most ? least : `${least} to ${most}`}]${seen < examples.length ? ', not in every example' : ''}`,
    }));
}
