import { DataError } from '../../errors.js';
import { Dataset } from '../dataset.js';
import { tableStage, type Column, type ColumnTree } from '../sources/columns.js';

/**
 * A data set with one element per row of the arrays of files. Throws a {@link DataError} that names the files where there are no arrays, no
 * rows, or different numbers of them.
 */
export function arrayRows<T>(
  label: string,
  files: string,
  columns: readonly (readonly [name: string, column: Column])[],
  tree: ColumnTree,
): Dataset<T> {
  const [first] = columns;
  if (first === undefined) throw new DataError(`${files} holds no arrays.`);
  const [name, { length }] = first;
  const odd = columns.find(([, column]) => column.length !== length);
  if (odd !== undefined)
    throw new DataError(
      `${files}: arrays that are read together need equally many rows, but ${name} has ${length} and ${odd[0]} has ${odd[1].length}. Name those to read.`,
    );
  if (length === 0) throw new DataError(`${files} has no rows: ${name} has a first axis of length 0.`);
  return new Dataset(tableStage(label, tree));
}
