import { readdirSync, statSync } from 'node:fs';
import { extname, join } from 'node:path';

import { DataError } from '../../../errors.js';
import { readerOptions, whole } from '../../arguments.js';
import {
  detectCompression,
  expandPaths,
  firstBytes,
  otherFormat,
  refuseCompressed,
  SIGNATURE_BYTES,
  type Paths,
} from '../../files/index.js';
import { listClassFolder } from '../class-folder.js';
import { imageExtensions } from '../images/index.js';
import { fromTextLines } from '../text/index.js';
import { inspectIdx, inspectNpy, inspectNpz, inspectSafetensors } from './arrays.js';
import { inspectImages, inspectSounds, inspectTokens } from './media.js';
import { inspectRecords } from './records.js';
import { inspectArrow, inspectCsv, inspectJsonLines, inspectParquet } from './tables.js';
import { countAll, type DataSummary, type Found } from './summary.js';

export type { DataSummary } from './summary.js';

type Inspect = (files: readonly string[], rows: number) => Promise<Found>;

/**
 * Looks at data files of any known format, told by their names or first bytes: schema, count and first records. Counting reads
 * files without an index to their end. Throws a {@link DataError} for a missing, damaged or unknown file.
 */
export async function inspectData(paths: Paths, options?: { readonly rows?: number }): Promise<DataSummary> {
  const rows = whole(readerOptions<{ rows?: number }>(options, 'inspectData', { rows: 'value' }).rows ?? 5, 'inspectData: rows', 0);
  const files = expandPaths(paths);
  const first = files[0]!;
  if (statSync(first).isDirectory()) return { format: 'folder of classes', files, compression: 'none', ...inspectFolder(first, rows) };
  const compression = await detectCompression(first);
  const format = await formatOf(first, compression);
  return { format, files, compression, ...(await inspectors[format]!(files, rows)) };
}

const extensions: Readonly<Record<string, string>> = {
  '.csv': 'CSV', '.tsv': 'CSV', '.tab': 'CSV', '.jsonl': 'JSON lines', '.json': 'JSON lines', '.ndjson': 'JSON lines', '.parquet': 'Parquet', '.arrow': 'Arrow', '.arrows': 'Arrow',
  '.feather': 'Arrow', '.tfrecord': 'TFRecord', '.tfrecords': 'TFRecord', '.npy': 'npy', '.npz': 'npz', '.safetensors': 'safetensors', '.wav': 'WAV',
  '.txt': 'text', '.md': 'text', '.idx': 'idx',
  ...Object.fromEntries(imageExtensions.map((extension) => [extension, 'image'])),
}; // prettier-ignore

async function formatOf(path: string, compression: string): Promise<string> {
  const bare = compression === 'none' ? path : path.replace(/\.(gz|gzip|zst|zstd)$/i, '');
  if (/tokenizer[^/]*\.json$/i.test(bare) || (/\.json$/i.test(path) && (await isTokenizer(path)))) return 'tokenizer';
  const byName = extensions[extname(bare).toLowerCase()];
  if (byName !== undefined) return byName;
  const head = Buffer.from(await firstBytes(path, SIGNATURE_BYTES));
  const text = head.toString('latin1');
  if (/idx\d-ubyte/.test(bare) || (head[0] === 0 && head[1] === 0 && head[2]! >= 8 && head[2]! <= 14 && head[3]! > 0)) return 'idx';
  if (text.startsWith('PAR1')) return 'Parquet';
  if (text.startsWith('ARROW1')) return 'Arrow';
  if (text.startsWith('\x93NUMPY')) return 'npy';
  if (/^(RIFF|RF64|BW64)/.test(text)) return text.slice(8, 12) === 'WAVE' ? 'WAV' : 'image';
  if (text.startsWith('\xff\xd8') || text.startsWith('\x89PNG')) return 'image';
  if (/tfrecord/i.test(path)) return 'TFRecord';
  refuseCompressed(path, head);
  throw new DataError(
    `${path}: the format cannot be told from the name or the first bytes (${head.subarray(0, 4).toString('hex')}). Known: ${[...new Set(Object.values(extensions))].join(', ')}.${otherFormat(head)}`,
  );
}

/** Whether a JSON file begins as a `tokenizer.json` does. */
async function isTokenizer(path: string): Promise<boolean> {
  const head = Buffer.from(await firstBytes(path, 4096)).toString('latin1');
  return /^\s*\{/.test(head) && /"version"/.test(head) && /"(added_tokens|truncation)"\s*:/.test(head);
}

const inspectors: Readonly<Record<string, Inspect>> = {
  CSV: inspectCsv,
  'JSON lines': inspectJsonLines,
  Parquet: inspectParquet,
  Arrow: inspectArrow,
  TFRecord: inspectRecords,
  npy: inspectNpy,
  npz: inspectNpz,
  safetensors: inspectSafetensors,
  idx: inspectIdx,
  WAV: inspectSounds,
  text: async (files, rows) => ({
    schema: [{ name: 'line', type: 'string; lines without text are left out' }],
    ...(await countAll(fromTextLines(files), rows)),
  }),
  tokenizer: inspectTokens,
  image: inspectImages,
};

function inspectFolder(folder: string, rows: number): Found {
  const names = readdirSync(folder, { withFileTypes: true });
  const file = names.find((one) => one.isFile() && !one.name.startsWith('.'));
  if (file !== undefined && !names.some((one) => one.isDirectory()))
    throw new DataError(
      `${folder} has no sub-folders, which would be its classes. To look at its files, give a pattern: '${join(folder, `*${extname(file.name)}`)}'.`,
    );
  const { classes, paths, labels } = listClassFolder(folder, [...imageExtensions, '.wav']);
  const counts = classes.map((name, label) => ({ name, type: `label ${label}, ${labels.filter((one) => one === label).length} files` }));
  return { schema: counts, records: paths.length, first: paths.slice(0, rows) };
}
