import { DataError, UsageError } from '../../errors.js';

/** Options of readers that can make batches by themselves. */
export interface BatchOptions {
  /** Elements are batches of this many records, cut straight from what was read: faster than rows and `batch`. Left out: single records. */
  readonly batchSize?: number;
  /** Leave out the last batch of a pass when it is not full; default false. */
  readonly dropRemainder?: boolean;
}

/** Checks the options of readers that make batches by themselves. Throws a {@link UsageError}. */
export function checkBatch({ batchSize, dropRemainder }: BatchOptions): void {
  if (batchSize !== undefined && !(Number.isSafeInteger(batchSize) && batchSize > 0))
    throw new UsageError(`batchSize is ${String(batchSize)}, expected a whole number of at least 1.`);
  if (dropRemainder === true && batchSize === undefined) throw new UsageError('dropRemainder needs a batchSize.');
}

/** The error of a data set that is less than one batch. */
export function tooFew(name: string, records: number, size: number): DataError {
  return new DataError(`${name}: there are ${records} records, less than one batch of ${size}, and dropRemainder drops the rest.`);
}
