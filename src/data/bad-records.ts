import { DataError } from '../errors.js';
import { notice } from './notice.js';

/** What a reader does with a record that cannot be used: end with its error, or leave it out, up to a number of them in one pass. */
export type OnBadRecord = 'error' | { readonly skip: number };

/** Counts the records that are left out in one pass, and ends it when there are too many. */
export class BadRecords {
  #first: DataError | undefined;

  /** Throws a {@link DataError} for a policy that is none. */
  constructor(
    readonly policy: OnBadRecord = 'error',
    /** Records left out so far. */
    public skipped = 0,
  ) {
    const limit = policy === 'error' ? 0 : (policy as { skip?: unknown } | null)?.skip;
    if (limit !== Infinity && !(Number.isSafeInteger(limit) && (limit as number) >= 0)) {
      throw new DataError(`onBadRecord is ${JSON.stringify(policy)}; 'error' or { skip: N } was expected, N a whole number.`);
    }
  }

  /** Notes a bad record; throws its error where it may not be left out. */
  report(error: DataError): void {
    if (this.policy === 'error') throw error;
    this.#first ??= error;
    if (++this.skipped > this.policy.skip) {
      throw new DataError(
        `${error.message} It is bad record ${this.skipped} of this pass; onBadRecord leaves out ${this.policy.skip} at most.`,
        { cause: error },
      );
    }
  }

  /** Says at the end of a pass how many records were left out. */
  summarize(source: string, records: number): void {
    if (this.skipped === 0) return;
    const first = this.#first === undefined ? '' : ` The first: ${this.#first.message}`;
    notice(`${source}: ${this.skipped} bad ${this.skipped === 1 ? 'record was' : 'records were'} left out, ${records} read.${first}`);
  }
}
