import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { BadRecords as Strict } from '../../bad-records.js';
import { ByteWindow, type Compression } from '../../files/index.js';
import { count, list } from '../../random-access.js';
import type { Block, BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';
import { checkColumns, ColumnBuilder, rulesOf, TableBlock, type Columns, type ColumnType } from '../table/index.js';
import { inferType } from './cells.js';
import { parseRecords, type Layout, type Progress } from './records.js';

/** How a file of separated values is read. */
export interface CsvFormat {
  /** Character between cells. */
  readonly delimiter: string;
  /** Whether the first record names the columns; else they are named in `columns`, in the file's order. */
  readonly header: boolean;
  readonly compression: Compression;
}

/** Records of a block: at least some hundred kilobytes, small enough to stay in a processor's cache. */
const BLOCK_RECORDS = 8192;
/** Records from which the types of columns are inferred. */
const INFERRED_RECORDS = 1000;
/** A record longer than this comes from a quote that is never closed. */
const LARGEST_RECORD_BYTES = 2 ** 26;

/** What the beginning of a file says. */
export interface CsvSchema {
  /** Names of all columns, in the file's order. */
  readonly names: readonly string[];
  /** Their types, as the first records have them; undefined where the columns were given. */
  readonly inferred: Readonly<Record<string, ColumnType>> | undefined;
}

/** Reads the names of the columns and, unless they are given, infers their types from the first 1,000 records. */
export async function readCsvSchema(path: string, format: CsvFormat, columns: Columns | undefined): Promise<CsvSchema> {
  const window = new ByteWindow(path, format.compression);
  try {
    const { names } = await readHead(window, format, columns);
    if (columns !== undefined) return { names, inferred: undefined };
    const builders = names.map((name) => new ColumnBuilder(name, { dtype: 'string' }, INFERRED_RECORDS));
    const layout: Layout = { path, delimiter: format.delimiter.charCodeAt(0), cells: names.length };
    const { rows } = parseRecords(
      window.buffer,
      { rows: 0, at: window.at, line: 1 },
      window.ended,
      layout,
      builders,
      INFERRED_RECORDS,
      new Strict({ skip: Infinity }),
    );
    return { names, inferred: Object.fromEntries(builders.map(({ name, texts }) => [name, inferType(texts.slice(0, rows))])) };
  } finally {
    await window.close();
  }
}

/** Reads the record of names, or takes the names given; afterwards the window stands at the first record, on line `line`. */
async function readHead(window: ByteWindow, format: CsvFormat, columns: Columns | undefined): Promise<{ names: string[]; line: number }> {
  await window.more();
  if (window.buffer[0] === 0xef && window.buffer[1] === 0xbb && window.buffer[2] === 0xbf) window.at = 3; // byte order mark
  if (!format.header) return { names: Object.keys(columns ?? {}), line: 1 };
  const cells: string[] = [];
  const layout: Layout = { path: window.path, delimiter: format.delimiter.charCodeAt(0), cells: undefined };
  // A builder for any number of cells.
  const builders = new Proxy([] as ColumnBuilder[], {
    get: (target, key) =>
      typeof key === 'string' && /^\d+$/.test(key)
        ? { name: key, rules: { dtype: 'string' }, put: (_: number, text: string) => void (cells[Number(key)] = text) }
        : (Reflect.get(target, key) as unknown),
  });
  for (;;) {
    cells.length = 0;
    const done = parseRecords(window.buffer, { rows: 0, at: window.at, line: 1 }, window.ended, layout, builders, 1, new Strict());
    if (done.rows === 1) {
      window.at = done.at;
      const names = cells.map((name) => name.trim());
      const twice = names.find((name, i) => names.indexOf(name) !== i);
      if (twice !== undefined)
        throw new DataError(`${window.path}: the column name ${JSON.stringify(twice)} stands twice in the first line.`);
      return { names, line: done.line };
    }
    if (window.ended) throw new DataError(`${window.path} is empty; a first line with the names of the columns was expected.`);
    await window.more();
  }
}

type Row = ReturnType<TableBlock['row']>;
type Batch = ReturnType<TableBlock['slice']>;

/** Reads a file block by block. Positions are (byte of the uncompressed file, line). */
export class CsvReader implements BlockReader<Row, Batch> {
  readonly #window: ByteWindow;
  #names: readonly string[] | undefined;
  #line = 1;

  constructor(
    readonly path: string,
    readonly format: CsvFormat,
    readonly columns: Columns | undefined,
    /** The columns to read, by name. */
    readonly wanted: () => Promise<Columns>,
    readonly bad: BadRecords,
  ) {
    this.#window = new ByteWindow(path, format.compression);
  }

  get seekable(): boolean {
    return this.#window.seekable;
  }

  async #open(): Promise<readonly string[]> {
    const { names, line } = await readHead(this.#window, this.format, this.columns);
    this.#line = line;
    checkColumns(this.path, await this.wanted(), names);
    return (this.#names = names);
  }

  async next(): Promise<{ block: Block<Row, Batch>; position: PositionValue } | undefined> {
    const window = this.#window;
    const names = this.#names ?? (await this.#open());
    const wanted = await this.wanted();
    const layout: Layout = { path: this.path, delimiter: this.format.delimiter.charCodeAt(0), cells: names.length };
    for (;;) {
      const position = [window.offset, this.#line];
      const builders = names.map((name) =>
        Object.hasOwn(wanted, name) ? new ColumnBuilder(name, rulesOf(wanted[name]!), BLOCK_RECORDS) : undefined,
      );
      const from: Progress = { rows: 0, at: window.at, line: this.#line };
      const done = parseRecords(window.buffer, from, window.ended, layout, builders, BLOCK_RECORDS, this.bad);
      const moved = done.at > window.at;
      window.at = done.at;
      this.#line = done.line;
      if (done.rows > 0) {
        const made = Object.fromEntries(Object.keys(wanted).map((name) => [name, builders[names.indexOf(name)]!.finish(done.rows)]));
        return { block: new TableBlock(made, done.rows), position };
      }
      if (window.ended && !moved) return undefined;
      if (window.buffer.length - window.at > LARGEST_RECORD_BYTES) {
        throw new DataError(`${this.path}, line ${this.#line}: the record is longer than 64 MB; is a quote on this line never closed?`);
      }
      if (!moved || window.at === window.buffer.length) await window.more();
    }
  }

  async seek(position: PositionValue): Promise<void> {
    const [offset, line] = list(position, 'position in a file');
    if (this.#names === undefined) await this.#open();
    await this.#window.seek(count(offset, 'byte offset'));
    this.#line = count(line, 'line number');
  }

  close(): Promise<void> {
    return this.#window.close();
  }
}
