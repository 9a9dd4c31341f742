import { UsageError } from '../../../errors.js';
import { asNames, readerOptions } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { expandPaths, type Compression, type Paths } from '../../files/index.js';
import type { NDArray } from '../../ndarray.js';
import type { BatchOptions } from '../../sources/batch-options.js';
import { blockDataset, type StreamOptions } from '../../sources/blocks.js';
import { known } from '../known-options.js';
import { checkSpecs, type Columns, type TableBatch, type TableRow } from '../table/index.js';
import { CsvReader, readCsvSchema, type CsvFormat } from './reader.js';

export { guessDelimiter, readCsvSchema, type CsvFormat, type CsvSchema } from './reader.js';

/** How {@link fromCsv} reads. */
export interface CsvOptions<C extends Columns = Columns> extends StreamOptions, BatchOptions {
  /** The columns to read and their types; left out: all, with types inferred from the first 1,000 records of the first file. */
  readonly columns?: C;
  /** Character between cells; default: a tab in files named `.tsv` or `.tab` (compressed or not), else a comma. */
  readonly delimiter?: string;
  /** Whether the first line names the columns; default true. If false, `columns` names all of them in the file's order. */
  readonly header?: boolean;
  /** Character with which lines of comments begin, such as `#`; they are skipped. Default: there are none. */
  readonly comment?: string;
  /** Texts that stand for a missing value, as the empty cell does: `['NA']`. Default: none. */
  readonly missing?: readonly string[];
  /** Default `auto`: by the first bytes. */
  readonly compression?: Compression;
}

/**
 * The records of CSV or TSV files (RFC 4180; quoted cells may hold line ends), one file after the other: a record with an array
 * without axes or a text per column, or batches of them with `batchSize`. Read in pieces; positions are exact.
 * A bad record (wrong number of cells, no number in a column of numbers, …) is a DataError with file, line and column.
 */
export function fromCsv<const C extends Columns>(
  paths: Paths,
  options: CsvOptions<C> & { readonly columns: C; readonly batchSize: number },
): Dataset<TableBatch<C>>;
export function fromCsv<const C extends Columns>(paths: Paths, options: CsvOptions<C> & { readonly columns: C }): Dataset<TableRow<C>>;
export function fromCsv(paths: Paths, options: CsvOptions & { readonly batchSize: number }): Dataset<Record<string, NDArray | string[]>>;
export function fromCsv(paths: Paths, options?: CsvOptions): Dataset<Record<string, NDArray | string>>;
export function fromCsv(paths: Paths, given?: CsvOptions): Dataset<unknown> {
  const options = readerOptions<CsvOptions>(given, 'fromCsv', {
    ...known.stream,
    ...known.batch,
    columns: 'value',
    delimiter: 'value',
    header: 'switch',
    comment: 'value',
    missing: 'value',
    compression: 'value',
  });
  const { columns } = options;
  if (columns !== undefined) checkSpecs(columns);
  const files = expandPaths(paths);
  const format = csvFormat(files[0]!, options);
  let wanted: Promise<Columns> | undefined;
  const schema = (): Promise<Columns> =>
    (wanted ??=
      columns !== undefined ? Promise.resolve(columns) : readCsvSchema(files[0]!, format, columns).then(({ inferred }) => inferred!));
  return blockDataset('csv', files, (path, bad) => new CsvReader(path, format, columns, schema, bad), options);
}

/** Fills in what the options leave open. Throws a {@link UsageError} for options that cannot be used. */
export function csvFormat(path: string, options: CsvOptions): CsvFormat {
  const { columns, header = true, compression = 'auto', comment } = options;
  const missing = asNames(options.missing, 'missing') ?? [];
  const delimiter = options.delimiter ?? (/\.(tsv|tab)(\.\w+)?$/i.test(path) ? '\t' : ',');
  if (!isCharacter(delimiter) || /["\r\n\d.+-]/.test(delimiter)) {
    throw new UsageError(`delimiter is ${JSON.stringify(delimiter)}; one character was expected that is no quote, digit, point or sign.`);
  }
  if (comment !== undefined && (!isCharacter(comment) || comment === delimiter || /["\r\n]/.test(comment)))
    throw new UsageError(`comment is ${JSON.stringify(comment)}; one character was expected that is no quote and not the delimiter.`);
  if (!header && columns === undefined)
    throw new UsageError('A file without a header needs columns: the names of all its columns, in order.');
  const number = header ? undefined : Object.keys(columns ?? {}).find((name) => /^\d+$/.test(name));
  if (number !== undefined)
    throw new UsageError(
      `Without a header the order of columns counts, and JavaScript moves names that are numbers to the front: name column ${number} otherwise (c${number}).`,
    );
  return { delimiter, guessed: options.delimiter === undefined, header, compression, comment, missing: new Set(missing) };
}

function isCharacter(text: string): boolean {
  return typeof text === 'string' && text.length === 1 && text.charCodeAt(0) < 128;
}
