import { DataError } from '../../errors.js';

const told = new WeakSet<Error>();

/** The error of a pass over `elements` elements that makes no batch, and drops what it has. `size` says how large a batch is. */
export function noBatch(operator: string, size: string, elements: number): DataError {
  const error = new DataError(
    `${operator}: the data have ${elements} ${elements === 1 ? 'element' : 'elements'}, less than ${size}, and dropRemainder drops the rest. ` +
      'Choose a smaller batch, or leave dropRemainder out.',
  );
  told.add(error);
  return error;
}

/** Whether an error is a {@link noBatch}: one of several parts of the data may well be too short for a batch. */
export function isNoBatch(error: unknown): error is DataError {
  return error instanceof Error && told.has(error);
}
