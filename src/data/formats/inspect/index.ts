import { statSync } from 'node:fs';
import { extname } from 'node:path';

import { DataError } from '../../../errors.js';
import { detectCompression, expandPaths, firstBytes, type Paths } from '../../files/index.js';
import { NDArray } from '../../ndarray.js';
import { isRecord } from '../../structure.js';
import { fromArrow } from '../arrow/index.js';
import { openArrow } from '../arrow/open.js';
import { listClassFolder } from '../class-folder.js';
import { csvFormat, fromCsv, readCsvSchema } from '../csv/index.js';
import { imageExtensions, fromImages } from '../images/index.js';
import { fromJsonLines } from '../json-lines/index.js';
import { fromParquet, openParquet } from '../parquet/index.js';
import type { Columns, ColumnSpec, ColumnType, FileColumn } from '../table/index.js';
import { fromTextLines } from '../text/index.js';
import { readWav } from '../wav/index.js';
import { inspectIdx, inspectNpy, inspectNpz, inspectSafetensors } from './arrays.js';
import { inspectRecords } from './records.js';
import { countAll, firstOf, type DataSummary, type Found } from './summary.js';

export type { DataSummary } from './summary.js';

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
    const texts = Object.fromEntries(names.map((name) => [name, 'string'] as const));
    const lenient = { onBadRecord: { skip: Infinity } };
    let records = 0;
    for await (const batch of fromCsv(files, { columns: texts, batchSize: 4096, ...lenient })) records += Object.values(batch)[0]!.length;
    return {
      schema: names.map((name) => ({ name, type: inferred![name]! })),
      records,
      first: await firstOf(fromCsv(files, lenient), rows),
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
    const opened = files.map(openParquet);
    const records = opened.reduce((sum, { groups }) => sum + groups.reduce((n, group) => n + group, 0), 0);
    return {
      schema: schemaOf(opened[0]!.columns),
      records,
      first: await firstOf(fromParquet(files, { columns: readable(opened[0]!.columns), onBadRecord: { skip: Infinity } }), rows),
    };
  },
  Arrow: async (files, rows) => {
    const opened = files.map(openArrow);
    const { columns } = opened[0]!;
    return {
      schema: schemaOf(columns),
      records: opened.reduce((sum, { records }) => sum + records, 0),
      first: await firstOf(fromArrow(files, { columns: readable(columns), onBadRecord: { skip: Infinity } }), rows),
    };
  },
  TFRecord: inspectRecords,
  npy: inspectNpy,
  npz: inspectNpz,
  safetensors: inspectSafetensors,
  idx: inspectIdx,
  WAV: async (files) => {
    const { samples, sampleRate } = await readWav(files[0]!);
    return {
      schema: [{ name: 'samples', type: `float32[${samples.shape.join(', ')}], ${sampleRate} frames per second` }],
      records: files.length,
      first: [samples],
    };
  },
  text: async (files, rows) => ({ schema: [{ name: 'line', type: 'string' }], ...(await countAll(fromTextLines(files), rows)) }),
  image: async (files, rows) => {
    const first = await firstOf(fromImages(files, { dtype: 'uint8' }), rows);
    return { schema: [{ name: 'image', type: `uint8[${(first[0] as NDArray).shape.join(', ')}]` }], records: files.length, first };
  },
};

/** Columns as the file has them, and what they are read as. */
function schemaOf(columns: readonly FileColumn[]): Found['schema'] {
  return columns.map(({ name, type, stored }) => ({
    name,
    type: `${stored}, ${type === undefined ? 'which cannot be read' : `read as ${type}`}`,
  }));
}

/** The columns that can be shown: missing values as NaN or empty texts, whole numbers of any size. */
function readable(columns: readonly FileColumn[]): Columns {
  const specOf = (type: ColumnType): ColumnSpec =>
    type === 'string'
      ? { dtype: type, default: '' }
      : type === 'bool'
        ? { dtype: type, default: false }
        : { dtype: 'float64', default: NaN, allowNaN: true };
  return Object.fromEntries(columns.flatMap(({ name, type }) => (type === undefined ? [] : [[name, specOf(type)]])));
}

function inspectFolder(folder: string, rows: number): Found {
  const { classes, paths, labels } = listClassFolder(folder, [...imageExtensions, '.wav']);
  const counts = classes.map((name, label) => ({ name, type: `label ${label}, ${labels.filter((one) => one === label).length} files` }));
  return { schema: counts, records: paths.length, first: paths.slice(0, rows) };
}

function jsonType(value: unknown): string {
  return Array.isArray(value) ? `list of ${value.length}` : value === null ? 'null' : typeof value;
}
