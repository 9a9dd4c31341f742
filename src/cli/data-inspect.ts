/** `orbit data inspect`: what data files hold. */
import { inspectData, NDArray } from '../data/index.js';
import { UsageError } from '../errors.js';
import { count, value } from './format.js';

/** Values of an array that are shown. */
const SHOWN_VALUES = 6;

/** Prints format, schema, count and first records of data files. */
export async function inspect(paths: readonly string[], flags: { readonly rows?: string; readonly json?: boolean }): Promise<number> {
  if (paths.length === 0) {
    throw new UsageError(
      "orbit data inspect needs at least one path: a file (data/train.csv), a pattern in quotes ('data/*.parquet'), or a folder with a sub-folder per class.",
    );
  }
  const rows = flags.rows === undefined ? 5 : Number(flags.rows);
  if (!Number.isSafeInteger(rows) || rows < 0) throw new UsageError(`--rows=${flags.rows}: write a whole number from 0.`);
  const { format, files, compression, options, schema, records, first } = await inspectData(paths, { rows });
  if (flags.json) {
    process.stdout.write(
      `${JSON.stringify({ format, files, compression, options, schema, records: records ?? null, first: first.map(plain) })}\n`,
    );
    return 0;
  }
  const lines = [
    `format   ${format}${compression === 'none' ? '' : `, ${compression}`}`,
    `files    ${files.length === 1 ? files[0]! : `${count(files.length)}: ${files[0]!} … ${files.at(-1)!}`}`,
    ...(options === undefined ? [] : [`options  ${options}`]),
    ...(records === undefined ? [] : [`records  ${count(records)}`]),
    'schema',
    ...table(schema.map(({ name, type }) => [name, type])),
    ...(first.length === 0 ? [] : ['first', ...first.map((record) => `  ${show(record)}`)]),
  ];
  process.stdout.write(`${lines.join('\n')}\n`);
  return 0;
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([name]) => name.length));
  return rows.map(([name, type]) => `  ${name.padEnd(width)}  ${type}`);
}

/** A record in a few words. */
function show(record: unknown): string {
  if (record instanceof NDArray) {
    const one = record.dtype === 'bool' ? (number: number): string => String(number === 1) : value;
    const shown = Array.from(record.data.subarray(0, SHOWN_VALUES), one).join(' ');
    if (record.shape.length === 0) return shown;
    return `[${shown}${record.size > SHOWN_VALUES ? ' …' : ''}]`;
  }
  if (typeof record === 'number') return value(record);
  if (typeof record === 'string') return JSON.stringify(record.length > 60 ? `${record.slice(0, 60)}…` : record);
  if (record instanceof Uint8Array) return `${textOf(record) ?? `${record.length} bytes`}`;
  if (Array.isArray(record)) return `[${record.slice(0, SHOWN_VALUES).map(show).join(' ')}${record.length > SHOWN_VALUES ? ' …' : ''}]`;
  if (typeof record === 'object' && record !== null)
    return Object.entries(record)
      .map(([name, part]) => `${name} ${show(part)}`)
      .join('  ');
  return String(record);
}

/** Short bytes that are readable text, quoted. */
function textOf(bytes: Uint8Array): string | undefined {
  if (bytes.length === 0 || bytes.length > 200) return undefined;
  try {
    const text = new TextDecoder('utf8', { fatal: true }).decode(bytes);
    return /[^\P{C}\s]/u.test(text) ? undefined : show(text);
  } catch {
    return undefined;
  }
}

/** A record as JSON can hold it: arrays as lists, bytes as their count. */
function plain(record: unknown): unknown {
  if (record instanceof NDArray)
    return record.shape.length === 0
      ? record.dtype === 'bool'
        ? record.data[0] === 1
        : record.data[0]
      : { dtype: record.dtype, shape: record.shape, values: Array.from(record.data.subarray(0, 100)) };
  if (record instanceof Uint8Array) return { bytes: record.length };
  if (typeof record === 'bigint') return record.toString();
  if (Array.isArray(record)) return record.slice(0, 100).map(plain);
  if (typeof record === 'object' && record !== null)
    return Object.fromEntries(Object.entries(record).map(([name, part]) => [name, plain(part)]));
  return record;
}
