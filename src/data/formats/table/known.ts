import { DataError } from '../../../errors.js';
import { checkColumns } from './block.js';
import type { Columns } from './columns.js';
import type { FileColumn } from './stream.js';

/** The columns to read from a file: those asked for, or all of its own. Throws a {@link DataError} for one that cannot be read. */
export function knownColumns(path: string, own: readonly FileColumn[], asked: Columns | undefined): Columns {
  if (asked !== undefined) {
    checkColumns(
      path,
      asked,
      own.map(({ name }) => name),
    );
    return asked;
  }
  const unknown = own.find(({ type }) => type === undefined);
  if (unknown !== undefined) {
    const time = /timestamp|date/i.test(unknown.stored) ? ' As float64 it is milliseconds since 1970.' : '';
    throw new DataError(
      `${path}: column ${unknown.name} has the type ${unknown.stored}, which cannot be read as numbers or texts; name the columns to read in \`columns\`.${time}`,
    );
  }
  return Object.fromEntries(own.map(({ name, type }) => [name, type!]));
}
