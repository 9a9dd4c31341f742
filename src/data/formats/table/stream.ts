import type { Dataset } from '../../dataset.js';
import type { NDArray } from '../../ndarray.js';
import type { BatchOptions } from '../../sources/batch-options.js';
import type { StreamOptions } from '../../sources/blocks.js';
import type { CacheOptions } from '../../sources/groups.js';
import type { Columns, ColumnType, TableBatch, TableRow } from './columns.js';

/** Options of the readers of files that say themselves what their columns are. */
export interface TableOptions<C extends Columns = Columns> extends StreamOptions, BatchOptions, CacheOptions {
  /** The columns to read and their types; left out: all, numbers as float32 or int32. */
  readonly columns?: C;
}

/** A reader of such files: records, or batches with `batchSize`. */
export interface FromTable {
  <const C extends Columns>(
    paths: string | readonly string[],
    options: TableOptions<C> & { readonly columns: C; readonly batchSize: number },
  ): Dataset<TableBatch<C>>;
  <const C extends Columns>(paths: string | readonly string[], options: TableOptions<C> & { readonly columns: C }): Dataset<TableRow<C>>;
  (paths: string | readonly string[], options: TableOptions & { readonly batchSize: number }): Dataset<Record<string, NDArray | string[]>>;
  (paths: string | readonly string[], options?: TableOptions): Dataset<Record<string, NDArray | string>>;
}

/** A column of a file: its name, and the type that it is read as; undefined where it has none here. */
export interface FileColumn {
  readonly name: string;
  readonly type: ColumnType | undefined;
  /** Its type as the file names it. */
  readonly stored: string;
}
