import { columnDataset, tableOptions, type FromTable, type TableOptions } from '../table/index.js';
import { openArrow } from './open.js';

/**
 * The records of Arrow files (`.arrow`, `.feather` version 2) and streams (`.arrows`), plain or compressed with LZ4 or ZSTD, a record
 * batch at a time. Needs the package `apache-arrow`. Records are indexed: see `cacheBytes`. Columns and errors as in Parquet files.
 */
export const fromArrow: FromTable = (paths: string | readonly string[], given?: TableOptions) => {
  const options = tableOptions(given, 'fromArrow');
  return columnDataset('arrow', paths, options, (path) => openArrow(path).select(options.columns)) as never;
};
