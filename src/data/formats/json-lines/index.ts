import { DataError, UsageError } from '../../../errors.js';
import { readerOptions } from '../../arguments.js';
import type { BadRecords } from '../../bad-records.js';
import type { Dataset } from '../../dataset.js';
import { NO_UTF8, type Compression, type Paths } from '../../files/index.js';
import type { BatchOptions } from '../../sources/batch-options.js';
import { blockDataset, type Block, type StreamOptions } from '../../sources/blocks.js';
import { listBlock } from '../../sources/list-block.js';
import { isRecord } from '../../structure.js';
import { known } from '../known-options.js';
import { checkSpecs, rulesOf, tableFrom, type Columns, type TableBatch, type TableRow } from '../table/index.js';
import { parseJson, type LargeIntegers } from './parse.js';
import { LineReader } from '../text/line-reader.js';

/** How {@link fromJsonLines} reads. */
export interface JsonLinesOptions<C extends Columns = Columns> extends StreamOptions, BatchOptions {
  /** Fields to read and their types; numbers may stand in nested lists of one shape. Left out: the values as JSON has them. */
  readonly columns?: C;
  /**
   * Without `columns`: give whole numbers beyond 2^53 that a number does not hold exactly as BigInts. Default false: they are bad records.
   * (With `columns`, `'string'` keeps all digits of whole numbers.)
   */
  readonly bigInts?: boolean;
  /** Default `auto`: by the first bytes. */
  readonly compression?: Compression;
}

/**
 * The values of JSON lines files (one JSON value per line; empty lines are skipped), one file after the other. With `columns`,
 * records of arrays and texts, or batches of them; without, the parsed values. Read in pieces; positions are exact.
 * A line that is no JSON, a whole number that would be rounded, or a field that its column cannot hold, is a DataError with file, line and field.
 */
export function fromJsonLines<const C extends Columns>(
  paths: Paths,
  options: JsonLinesOptions<C> & { readonly columns: C; readonly batchSize: number },
): Dataset<TableBatch<C>>;
export function fromJsonLines<const C extends Columns>(
  paths: Paths,
  options: JsonLinesOptions<C> & { readonly columns: C },
): Dataset<TableRow<C>>;
export function fromJsonLines<T = unknown>(paths: Paths, options?: JsonLinesOptions): Dataset<T>;
export function fromJsonLines(paths: Paths, given?: JsonLinesOptions): Dataset<unknown> {
  const options = readerOptions<JsonLinesOptions>(given, 'fromJsonLines', {
    ...known.stream,
    ...known.batch,
    columns: 'value',
    bigInts: 'switch',
    compression: 'value',
  });
  const { columns, bigInts = false, compression = 'auto' } = options;
  if (columns !== undefined) checkSpecs(columns);
  if (columns !== undefined && bigInts)
    throw new UsageError("bigInts is for whole values: a column has one type ('string' keeps all digits of whole numbers).");
  if (columns === undefined && options.batchSize !== undefined) {
    throw new UsageError('fromJsonLines needs columns to make batches; or map the values to arrays and use batch().');
  }
  return blockDataset<unknown, unknown>(
    'json lines',
    paths,
    (path, bad) =>
      new LineReader(path, compression, (lines, first) =>
        parse(path, lines, first, columns, bigInts || columns !== undefined ? 'bigint' : 'error', bad),
      ),
    options,
  );
}

function parse(
  path: string,
  lines: readonly (string | undefined)[],
  first: number,
  columns: Columns | undefined,
  large: LargeIntegers,
  bad: BadRecords,
): Block<unknown, unknown> {
  const values: unknown[] = [];
  const numbers: number[] = [];
  lines.forEach((line, i) => {
    const place = `${path}, line ${first + i}`;
    if (line === undefined) return bad.report(new DataError(`${place} ${NO_UTF8}.`));
    if (line.trim() === '') return;
    try {
      const value: unknown = parseJson(line, large);
      if (columns !== undefined && !isRecord(value)) throw new Error('an object with the columns as fields was expected');
      values.push(value);
      numbers.push(first + i);
    } catch (error) {
      const hint = error instanceof RangeError ? '' : hintFor(line, first + i);
      bad.report(new DataError(`${place} is no valid record: ${(error as Error).message}.${hint}`, { cause: error }));
    }
  });
  if (columns === undefined) return listBlock(values);
  const fields = Object.fromEntries(
    Object.entries(columns).map(([name, spec]) => {
      const texts = rulesOf(spec).dtype === 'string';
      const cell = (value: unknown): unknown => (texts && Number.isSafeInteger(value) ? String(value) : value);
      return [name, values.map((value) => cell((value as Record<string, unknown>)[name]))];
    }),
  );
  return tableFrom(columns, fields, values.length, (row) => `${path}, line ${numbers[row]}`, bad);
}

/** What is likely wrong with a line, where other writers often write such lines. */
function hintFor(line: string, number: number): string {
  if (/[:[,]\s*(NaN|-?Infinity)\b/.test(line)) return ' JSON has no NaN and no infinities: write null instead.';
  if (number === 1 && /^\s*[[{]/.test(line))
    return ' Is it one JSON document? A value on every line was expected (`jq -c .[]` makes that of an array).';
  if (number === 1 && /^[^[{"]*[,;\t]/.test(line)) return ' Is the file CSV? fromCsv reads that.';
  return '';
}
