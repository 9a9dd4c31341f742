import { DataError } from '../../../errors.js';
import type { BadRecords } from '../../bad-records.js';
import { count } from '../../random-access.js';
import { blockDataset, type BlockReader } from '../../sources/blocks.js';
import type { PositionValue } from '../../stage.js';
import { checkSpecs, knownColumns, tableFrom, type Columns, type FromTable, type TableBlock, type TableOptions } from '../table/index.js';
import { openParquet, type ParquetFile } from './file.js';

export { openParquet, type ParquetFile } from './file.js';

/**
 * The records of Parquet files (any compression), a row group at a time: only the columns asked for are read. Columns may be
 * numbers, truth values, texts, and lists of numbers of one length. Positions are exact. A missing value without a default, or
 * one that breaks a column's rules, is a DataError with file, record and column.
 */
export const fromParquet: FromTable = (paths: string | readonly string[], options: TableOptions = {}) => {
  checkSpecs(options.columns ?? {});
  return blockDataset('parquet', paths, (path, bad) => new ParquetReader(path, options.columns, bad), options) as never;
};

type Row = ReturnType<TableBlock['row']>;
type Batch = ReturnType<TableBlock['slice']>;

class ParquetReader implements BlockReader<Row, Batch> {
  readonly seekable = true;
  #file: ParquetFile | undefined;
  #columns: Columns = {};
  #group = 0;

  constructor(
    readonly path: string,
    readonly asked: Columns | undefined,
    readonly bad: BadRecords,
  ) {}

  async next(): Promise<{ block: TableBlock; position: PositionValue } | undefined> {
    if (this.#file === undefined) {
      this.#file = await openParquet(this.path);
      this.#columns = knownColumns(this.path, this.#file.columns, this.asked);
    }
    const file = this.#file;
    const group = this.#group;
    if (group >= file.groups.length) return undefined;
    const names = Object.keys(this.#columns);
    const values = Object.fromEntries(await Promise.all(names.map(async (name) => [name, await file.read(name, group)] as const)));
    const rows = file.groups[group]!;
    for (const name of names) {
      if (values[name]!.length !== rows)
        throw new DataError(
          `${this.path}, column ${name}: row group ${group} has ${values[name]!.length} values, expected ${rows}. Download or copy the file again.`,
        );
    }
    const before = file.groups.slice(0, group).reduce((sum, n) => sum + n, 0);
    const block = tableFrom(this.#columns, values, rows, (row) => `${this.path}, record ${before + row + 1}`, this.bad);
    this.#group++;
    return { block, position: group };
  }

  async seek(position: PositionValue): Promise<void> {
    this.#group = count(position, 'row group');
  }

  async close(): Promise<void> {
    // The library opens the file for each read.
  }
}
