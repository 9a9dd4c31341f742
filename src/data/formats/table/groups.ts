import { DataError } from '../../../errors.js';
import { BadRecords } from '../../bad-records.js';
import type { Group } from '../../sources/groups.js';
import { tableFrom, type TableBlock } from './block.js';
import { rulesOf, type Columns } from './columns.js';

/** A file of columns in groups: row groups, record batches. */
export interface ColumnFile {
  readonly path: string;
  /** The columns to read. */
  readonly columns: Columns;
  /** The groups, in order. */
  readonly groups: readonly Group[];
  /** The values of the columns in a group. */
  read(group: number): Promise<Readonly<Record<string, ArrayLike<unknown>>>>;
}

/** What a column's values take in memory, where `stored` bytes hold them in the file. */
export function decodedBytes(columns: Columns, name: string, rows: number, stored: number): number {
  const { dtype } = rulesOf(columns[name]!);
  if (dtype === 'string') return Math.max(stored, rows * 16);
  return Math.max(stored, rows * (dtype === 'float64' ? 8 : 4)); // dictionaries are shorter in the file
}

/** The records of a group, checked; bad ones go to `bad`. Throws a {@link DataError} for a column that is too short. */
export async function readColumns(file: ColumnFile, group: number, bad = new BadRecords()): Promise<TableBlock> {
  const { path, columns, groups } = file;
  const { rows } = groups[group]!;
  const values = await file.read(group);
  for (const [name, column] of Object.entries(values)) {
    if (column.length !== rows)
      throw new DataError(
        `${path}, column ${name}: group ${group} has ${column.length} values, expected ${rows}. Download or copy the file again.`,
      );
  }
  const before = recordsBefore(file, group);
  return tableFrom(columns, values, rows, (row) => `${path}, record ${before + row + 1}`, bad);
}

/** Records of a file before a group. */
export function recordsBefore({ groups }: ColumnFile, group: number): number {
  let before = 0;
  for (let i = 0; i < group; i++) before += groups[i]!.rows;
  return before;
}
