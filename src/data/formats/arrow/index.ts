import type { DataType, RecordBatch, RecordBatchReader, Vector } from 'apache-arrow';

import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { cannotRead, firstBytes, optionalPackage } from '../../files/index.js';
import { count } from '../../random-access.js';
import { blockDataset, type BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';
import {
  knownColumns,
  tableFrom,
  type Columns,
  type ColumnType,
  type FileColumn,
  type FromTable,
  type TableBlock,
  type TableOptions,
} from '../table/index.js';

/**
 * The records of Arrow files (`.arrow`, `.feather` version 2 without compression) and streams (`.arrows`), a record batch at a
 * time. Needs the package `apache-arrow`. Columns and errors as in Parquet files.
 */
export const fromArrow: FromTable = (paths: string | readonly string[], options: TableOptions = {}) =>
  blockDataset('arrow', paths, (path, bad) => new ArrowReader(path, options.columns, bad), options) as never;

type Row = ReturnType<TableBlock['row']>;
type Batch = ReturnType<TableBlock['slice']>;

/** Opens an Arrow file or stream; the caller cancels the reader. */
export async function openArrow(path: string): Promise<{ reader: RecordBatchReader; columns: FileColumn[] }> {
  await firstBytes(path, 1); // says in our words when the file is missing
  const { RecordBatchReader: Reader } = await optionalPackage(() => import('apache-arrow'), 'apache-arrow', `Reading ${path}`);
  const { createReadStream } = await import('node:fs');
  try {
    const reader = await (await Reader.from(createReadStream(path))).open();
    if (reader.schema === undefined) throw new Error('it has no schema');
    return { reader, columns: reader.schema.fields.map(({ name, type }) => ({ name, type: typeOf(type), stored: String(type) })) };
  } catch (error) {
    throw notArrow(path, error);
  }
}

function notArrow(path: string, error: unknown): DataError {
  if ((error as NodeJS.ErrnoException).code !== undefined) return cannotRead(path, error);
  return new DataError(`${path} is not an Arrow file, or it is truncated, damaged or compressed (${(error as Error).message}).`, {
    cause: error,
  });
}

class ArrowReader implements BlockReader<Row, Batch> {
  readonly seekable = true;
  #reader: RecordBatchReader | undefined;
  #columns: Columns = {};
  #number = 0;
  #records = 0;

  constructor(
    readonly path: string,
    readonly asked: Columns | undefined,
    readonly bad: BadRecords,
  ) {}

  async next(): Promise<{ block: TableBlock; position: PositionValue } | undefined> {
    const batch = await this.#batch();
    if (batch === undefined) return undefined;
    const values = Object.fromEntries(Object.keys(this.#columns).map((name) => [name, valuesOf(batch.getChild(name)!)]));
    const before = this.#records;
    this.#records += batch.numRows;
    const block = tableFrom(this.#columns, values, batch.numRows, (row) => `${this.path}, record ${before + row + 1}`, this.bad);
    return { block, position: this.#number++ };
  }

  async #batch(): Promise<RecordBatch | undefined> {
    if (this.#reader === undefined) {
      const { reader, columns } = await openArrow(this.path);
      this.#reader = reader;
      this.#columns = knownColumns(this.path, columns, this.asked);
    }
    try {
      const { done, value } = (await this.#reader.next()) as IteratorResult<RecordBatch>;
      return done ? undefined : value;
    } catch (error) {
      throw notArrow(this.path, error);
    }
  }

  async seek(position: PositionValue): Promise<void> {
    const target = count(position, 'record batch');
    while (this.#number < target) {
      const batch = await this.#batch();
      if (batch === undefined)
        throw new DataError(`${this.path} has ${this.#number} record batches, fewer than when the position was saved.`);
      this.#records += batch.numRows;
      this.#number++;
    }
  }

  async close(): Promise<void> {
    await this.#reader?.cancel();
    this.#reader = undefined;
  }
}

function valuesOf(vector: Vector): ArrayLike<unknown> {
  if (vector.nullCount === 0 && /^(Int|Uint|Float)(8|32|64)/.test(String(vector.type))) return vector.toArray() as ArrayLike<unknown>;
  return Array.from({ length: vector.length }, (_, i) => {
    const value: unknown = vector.get(i);
    return isVector(value) ? Array.from(value) : value;
  });
}

function isVector(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}

function typeOf(type: DataType): ColumnType | undefined {
  const name = String(type);
  if (name === 'Bool') return 'bool';
  if (/^Float/.test(name)) return 'float32';
  if (/^U?[Ii]nt\d/.test(name)) return 'int32';
  if (/Utf8/.test(name)) return 'string';
  const inner = /^(?:Fixed(?:Size)?List|List).*?<(.*)>/.exec(name)?.[1];
  return inner !== undefined && /Float|Int/.test(inner) ? (/Float/.test(inner) ? 'float32' : 'int32') : undefined;
}
