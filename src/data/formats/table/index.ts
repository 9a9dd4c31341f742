export { checkColumns, TableBlock, tableFrom } from './block.js';
export { badValue, ColumnBuilder } from './builder.js';
export {
  checkSpecs,
  rulesOf,
  type AnyColumns,
  type ColumnRules,
  type Columns,
  type ColumnSpec,
  type ColumnType,
  type TableBatch,
  type TableRow,
} from './columns.js';
export { columnDataset } from './group-reader.js';
export { decodedBytes, type ColumnFile } from './groups.js';
export { knownColumns } from './known.js';
export { tableOptions, type FileColumn, type FromTable, type TableOptions } from './stream.js';
