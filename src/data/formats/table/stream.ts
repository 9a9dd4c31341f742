import { readerOptions } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import type { NDArray } from '../../ndarray.js';
import type { BatchOptions } from '../../sources/batch-options.js';
import type { StreamOptions } from '../../sources/blocks.js';
import type { CacheOptions } from '../../sources/groups.js';
import { known } from '../known-options.js';
import { checkSpecs, type Columns, type ColumnType, type TableBatch, type TableRow } from './columns.js';

/** Options of the readers of files that say themselves what their columns are. */
export interface TableOptions<C extends Columns = Columns> extends StreamOptions, BatchOptions, CacheOptions {
  /** The columns to read and their types; left out: all, numbers as float32 or int32. */
  readonly columns?: C;
}

/** The options of such a reader, checked. */
export function tableOptions(given: TableOptions | undefined, reader: string): TableOptions {
  const options = readerOptions<TableOptions>(given, reader, { ...known.stream, ...known.batch, ...known.cache, columns: 'value' });
  if (options.columns !== undefined) checkSpecs(options.columns);
  return options;
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
