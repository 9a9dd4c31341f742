import { DataError, UsageError } from '../../errors.js';
import { BadRecords, type OnBadRecord } from '../bad-records.js';
import { Dataset } from '../dataset.js';
import { notice } from '../notice.js';
import { randomStage } from '../random-access.js';

/** How data sets with a file per element read. */
export interface FileElementOptions {
  /** Files read at a time; default 4. Does not change their order. */
  readonly parallel?: number;
  /**
   * What to do with a file that cannot be used; default `'error'`. With `{ skip: N }` up to N files are left out in a pass, each with
   * a notice when it is first met; the data set can then only be read in order.
   */
  readonly onBadRecord?: OnBadRecord;
}

const BAD = Symbol('bad file');

/** Passes whose bad files are remembered: reading ahead and shuffling look at two at most. */
const REMEMBERED_PASSES = 4;

/** A data set with one element per file, made by `read` when it is asked for, in any order. `read` throws DataErrors that name the file. */
export function fileElements<T>(
  label: string,
  paths: readonly string[],
  { parallel = 4, onBadRecord = 'error' }: FileElementOptions,
  read: (pass: number, index: number) => Promise<T>,
): Dataset<T> {
  if (!(Number.isSafeInteger(parallel) && parallel > 0))
    throw new UsageError(`parallel is ${String(parallel)}, expected a whole number of at least 1.`);
  new BadRecords(onBadRecord); // checks the policy before anything is read
  const stageOf = <E>(at: (pass: number, position: number) => Promise<E>) =>
    new Dataset(
      randomStage<E>(`${label}(${paths.length})`, {
        length: paths.length,
        readAhead: parallel,
        at,
        locate: (_, position) => paths[position],
      }),
    );
  if (onBadRecord === 'error') return stageOf(read);
  const passes = new Map<number, { readonly bad: BadRecords; readonly seen: Set<number> }>();
  const told = new Set<number>();
  const of = (pass: number): { readonly bad: BadRecords; readonly seen: Set<number> } => {
    let one = passes.get(pass);
    if (one === undefined) {
      passes.set(pass, (one = { bad: new BadRecords(onBadRecord), seen: new Set() }));
      if (passes.size > REMEMBERED_PASSES) passes.delete(passes.keys().next().value!);
    }
    return one;
  };
  const checked = async (pass: number, index: number): Promise<T | typeof BAD> => {
    try {
      return await read(pass, index);
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      const { bad, seen } = of(pass);
      if (!seen.has(index)) {
        bad.report(error);
        seen.add(index);
      }
      if (!told.has(index)) notice(`${label}: left out bad file ${told.add(index).size}: ${error.message}`);
      return BAD;
    }
  };
  return stageOf(checked).filter((element): element is T & (T | typeof BAD) => element !== BAD) as Dataset<T>;
}
