import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { BadRecords as Strict } from '../../bad-records.js';
import { ByteWindow, otherFormat, textStart, type Compression } from '../../files/index.js';
import { count, list } from '../../random-access.js';
import type { Block, BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';
import { checkColumns, ColumnBuilder, rulesOf, TableBlock, type Columns, type ColumnType } from '../table/index.js';
import { inferType, numberOf } from './cells.js';
import { parseRecords, type Layout, type Progress } from './records.js';

/** How a file of separated values is read. */
export interface CsvFormat {
  /** Character between cells. */
  readonly delimiter: string;
  /** Whether that is what the file's name says, not the caller. */
  readonly guessed: boolean;
  /** Whether the first record names the columns; else they are named in `columns`, in the file's order. */
  readonly header: boolean;
  readonly compression: Compression;
  /** Character with which lines of comments begin. */
  readonly comment: string | undefined;
  /** Texts of cells without a value, besides the empty one. */
  readonly missing: ReadonlySet<string>;
}

/** Records of a block: at least some hundred kilobytes, small enough to stay in a processor's cache. */
const BLOCK_RECORDS = 8192;
/** Records from which the types of columns are inferred, and about how many bytes of them at most. */
const INFERRED_RECORDS = 1000;
const INFERRED_BYTES = 2 ** 24;
/** A record longer than this comes from a quote that is never closed. */
const LARGEST_RECORD_BYTES = 2 ** 26;

/** What the beginning of a file says. */
export interface CsvSchema {
  /** Names of all columns, in the file's order. */
  readonly names: readonly string[];
  /** Their types, as the first records have them; undefined where the columns were given. */
  readonly inferred: Readonly<Record<string, ColumnType>> | undefined;
  /** How many of those records have no value, for columns of numbers and truth values with such. */
  readonly gaps: Readonly<Record<string, number>>;
}

/** Reads the names of the columns and, unless they are given, infers their types from the first 1,000 records. */
export async function readCsvSchema(path: string, format: CsvFormat, columns: Columns | undefined): Promise<CsvSchema> {
  const window = new ByteWindow(path, format.compression);
  try {
    const { names, line } = await readHead(window, format, columns);
    if (columns !== undefined) return { names, inferred: undefined, gaps: {} };
    for (;;) {
      const builders = names.map((name) => new ColumnBuilder(name, { dtype: 'string' }, 0));
      const from = { rows: 0, at: window.at, line };
      const layout = layoutOf(path, format, names.length);
      const lenient = new Strict({ skip: Infinity });
      const { rows } = parseRecords(window.buffer, from, window.ended, layout, builders, INFERRED_RECORDS, lenient);
      if (rows < INFERRED_RECORDS && !window.ended && (rows === 0 || window.buffer.length < INFERRED_BYTES)) {
        await window.more();
        continue;
      }
      const typed = builders.map(({ name, texts }) => [name, inferType(texts.slice(0, rows), format.missing)] as const);
      const gaps = builders.flatMap(({ name, texts }, i) => {
        const count = texts.slice(0, rows).filter((text) => text.trim() === '' || format.missing.has(text.trim())).length;
        return typed[i]![1] === 'string' || count === 0 ? [] : [[name, count] as const];
      });
      return { names, inferred: Object.fromEntries(typed), gaps: Object.fromEntries(gaps) };
    }
  } finally {
    await window.close();
  }
}

/** What the first line of a file speaks for: the character between cells, and `#` as that of comments where the line is one. */
export async function guessDelimiter(path: string, format: CsvFormat): Promise<{ delimiter: string; comment: string | undefined }> {
  const window = new ByteWindow(path, format.compression);
  try {
    const lenient = { ...format, guessed: false };
    await window.more();
    const comment = window.buffer[textStart(path, window.buffer)] === 35 /* # */ ? '#' : undefined;
    const { names } = await readHead(window, lenient, {});
    const commented = comment !== undefined && names.length === 1;
    if (!commented) return { delimiter: otherDelimiter(names, format.delimiter) ?? format.delimiter, comment: undefined };
    await window.seek(0);
    const head = await readHead(window, { ...lenient, comment }, {});
    return { delimiter: otherDelimiter(head.names, format.delimiter) ?? format.delimiter, comment };
  } finally {
    await window.close();
  }
}

function otherDelimiter(names: readonly string[], delimiter: string): string | undefined {
  return names.length === 1 ? [';', '\t', '|', ','].find((other) => other !== delimiter && names[0]!.includes(other)) : undefined;
}

function layoutOf(path: string, { delimiter, comment, missing }: CsvFormat, cells: number | undefined): Layout {
  return { path, delimiter: delimiter.charCodeAt(0), cells, comment: comment?.charCodeAt(0) ?? -1, missing };
}

/** Reads the record of names, or takes the names given; afterwards the window stands at the first record, on line `line`. */
async function readHead(window: ByteWindow, format: CsvFormat, columns: Columns | undefined): Promise<{ names: string[]; line: number }> {
  await window.more();
  window.at = textStart(window.path, window.buffer);
  refuseOtherText(window.path, window.buffer.subarray(window.at));
  if (!format.header) return { names: Object.keys(columns ?? {}), line: 1 };
  const cells: string[] = [];
  const layout = { ...layoutOf(window.path, format, undefined), missing: new Set<string>() };
  // A builder for any number of cells.
  const builders = new Proxy([] as ColumnBuilder[], {
    get: (target, key) =>
      typeof key === 'string' && /^\d+$/.test(key)
        ? { name: key, rules: { dtype: 'string' }, put: (_: number, text: string) => void (cells[Number(key)] = text) }
        : (Reflect.get(target, key) as unknown),
  });
  for (let line = 1; ;) {
    cells.length = 0;
    const done = parseRecords(window.buffer, { rows: 0, at: window.at, line }, window.ended, layout, builders, 1, new Strict());
    window.at = done.at; // comments and empty lines before it are done with
    line = done.line;
    if (done.rows === 1) return { names: checkedNames(window.path, cells, format, columns), line };
    if (window.ended) throw new DataError(`${window.path} is empty; a first line with the names of the columns was expected.`);
    if (window.buffer.length - window.at > LARGEST_RECORD_BYTES)
      throw new DataError(`${window.path}: the first line is longer than 64 MB; is the file CSV?`);
    await window.more();
  }
}

/** What is text, but no table, would be read as one with strange names. */
function refuseOtherText(path: string, head: Uint8Array): void {
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 64)).toString('latin1');
  if (/^\s*(\{\s*"|<(!doctype|html|\?xml))/i.test(start)) throw new DataError(`${path} is not CSV.${otherFormat(head)}`);
}

function checkedNames(path: string, cells: readonly string[], format: CsvFormat, columns: Columns | undefined): string[] {
  const names = cells.map((name) => name.trim());
  const twice = names.length === new Set(names).size ? undefined : names.find((name, i) => names.indexOf(name) !== i);
  if (twice !== undefined) throw new DataError(`${path}: the column name ${JSON.stringify(twice)} stands twice in the first line.`);
  const other = format.guessed ? otherDelimiter(names, format.delimiter) : undefined;
  if (other !== undefined) {
    const line = JSON.stringify(names[0]!.slice(0, 60));
    throw new DataError(
      `${path}: the first line is one cell, ${line}. What stands between cells? Give delimiter: ${JSON.stringify(other)}.`,
    );
  }
  if (format.guessed && format.comment === undefined && names.length === 1 && names[0]!.startsWith('#'))
    throw new DataError(`${path}: the first line begins with #. Are such lines comments? Give comment: '#'.`);
  const number = columns === undefined ? names.find((name) => Number.isFinite(numberOf(name)) && !/^[+-]?\d+$/.test(name)) : undefined;
  if (number !== undefined)
    throw new DataError(
      `${path}: the first line has the number ${number} where names of columns were expected. Has the file no header? Give header: false and columns.`,
    );
  return names;
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
    const layout = layoutOf(this.path, this.format, names.length);
    for (;;) {
      const position = [window.offset, this.#line];
      // A record has a byte per cell at least: no more room than the records at hand can need.
      const capacity = Math.min(BLOCK_RECORDS, Math.ceil((window.buffer.length - window.at) / names.length) + 1);
      const builders = names.map((name) =>
        Object.hasOwn(wanted, name) ? new ColumnBuilder(name, rulesOf(wanted[name]!), capacity) : undefined,
      );
      const from: Progress = { rows: 0, at: window.at, line: this.#line };
      const done = parseRecords(window.buffer, from, window.ended, layout, builders, capacity, this.bad);
      const moved = done.at > window.at;
      window.at = done.at;
      this.#line = done.line;
      if (done.rows > 0) {
        const byName = new Map(builders.flatMap((builder) => (builder === undefined ? [] : [[builder.name, builder] as const])));
        const made = Object.fromEntries(Object.keys(wanted).map((name) => [name, byName.get(name)!.finish(done.rows)]));
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
