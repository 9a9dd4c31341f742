import { columnDataset, decodedBytes, knownColumns, tableOptions, type FromTable, type TableOptions } from '../table/index.js';
import { openParquet } from './file.js';

export { openParquet, type ParquetFile } from './file.js';

/**
 * The records of Parquet files (any compression), a row group at a time: only the columns asked for are read. Columns may be
 * numbers, truth values, texts, and lists of numbers of one length. Records are indexed: see `cacheBytes`. A missing value without a
 * default, or one that breaks a column's rules, is a DataError with file, record and column.
 */
export const fromParquet: FromTable = (paths: string | readonly string[], given?: TableOptions) => {
  const options = tableOptions(given, 'fromParquet');
  return columnDataset('parquet', paths, options, (path) => {
    const file = openParquet(path);
    const columns = knownColumns(path, file.columns, options.columns);
    const names = Object.keys(columns);
    const bytes = (rows: number, group: number): number =>
      names.reduce((sum, name) => sum + decodedBytes(columns, name, rows, file.bytes(name, group)), 0);
    return {
      path,
      columns,
      groups: file.groups.map((rows, group) => ({ rows, bytes: bytes(rows, group) })),
      read: async (group) =>
        Object.fromEntries(await Promise.all(names.map(async (name) => [name, await file.read(name, group)] as const))),
    };
  }) as never;
};
