import type { AsyncRecordBatchFileReader, RecordBatch, RecordBatchReader, Vector } from 'apache-arrow';

import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { count, list } from '../../random-access.js';
import { blockDataset, type BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';
import { checkSpecs, knownColumns, tableFrom, type Columns, type FromTable, type TableBlock, type TableOptions } from '../table/index.js';
import { notArrow, openArrow } from './open.js';

/**
 * The records of Arrow files (`.arrow`, `.feather` version 2 without compression) and streams (`.arrows`), a record batch at a
 * time. Needs the package `apache-arrow`. Columns and errors as in Parquet files. A restored position is read at once in a file,
 * after the record batches before it in a stream.
 */
export const fromArrow: FromTable = (paths: string | readonly string[], options: TableOptions = {}) => {
  checkSpecs(options.columns ?? {});
  return blockDataset('arrow', paths, (path, bad) => new ArrowReader(path, options.columns, bad), options) as never;
};

type Row = ReturnType<TableBlock['row']>;
type Batch = ReturnType<TableBlock['slice']>;

/** Reads a file or stream by record batches. Positions are (record batch, records before it). */
export class ArrowReader implements BlockReader<Row, Batch> {
  #reader: RecordBatchReader | undefined;
  #columns: Columns = {};
  #number = 0;
  #records = 0;

  constructor(
    readonly path: string,
    readonly asked: Columns | undefined,
    readonly bad: BadRecords,
  ) {}

  get seekable(): boolean {
    return this.#reader?.isFile() ?? false;
  }

  async next(): Promise<{ block: TableBlock; position: PositionValue } | undefined> {
    const position = [this.#number, this.#records];
    const batch = await this.#batch();
    if (batch === undefined) return undefined;
    const values = Object.fromEntries(Object.keys(this.#columns).map((name) => [name, valuesOf(batch.getChild(name)!)]));
    const before = this.#records;
    this.#records += batch.numRows;
    const block = tableFrom(this.#columns, values, batch.numRows, (row) => `${this.path}, record ${before + row + 1}`, this.bad);
    this.#number++;
    return { block, position };
  }

  async #batch(): Promise<RecordBatch | undefined> {
    const reader = this.#reader ?? (await this.#open());
    try {
      if (isSeekable(reader)) return this.#number < reader.numRecordBatches ? await this.#numbered(reader) : undefined;
      const { done, value } = (await reader.next()) as IteratorResult<RecordBatch>;
      return done ? undefined : value;
    } catch (error) {
      throw notArrow(this.path, error);
    }
  }

  async #open(): Promise<RecordBatchReader> {
    const { reader, columns } = await openArrow(this.path);
    this.#reader = reader;
    this.#columns = knownColumns(this.path, columns, this.asked);
    return reader;
  }

  async #numbered(reader: AsyncRecordBatchFileReader): Promise<RecordBatch> {
    const batch = await reader.readRecordBatch(this.#number);
    if (batch === null) throw new Error(`record batch ${this.#number} is missing`);
    return batch;
  }

  async seek(position: PositionValue): Promise<void> {
    const [number, before] = list(position, 'position in a file');
    const target = count(number, 'record batch');
    if (isSeekable(this.#reader ?? (await this.#open()))) {
      this.#number = target;
      this.#records = count(before, 'count of records');
      return;
    }
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

function isSeekable(reader: RecordBatchReader): reader is AsyncRecordBatchFileReader {
  return reader.isFile() && reader.isAsync();
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
