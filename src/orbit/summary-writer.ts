/** What writes summaries. The event-file implementation lives in its own room; this one only names what is needed. */
import type { MaybePromise, Output } from './types.js';

/** Writes the summaries of one directory. */
export interface SummaryWriter {
  /**
   * Records one number.
   * @param tag name of the curve, such as `loss`
   * @param value the number; NaN and infinities are written as they are
   * @param step global step that the number belongs to
   */
  scalar(tag: string, value: number, step: number): void;
  /** Records the distribution of `values` under `tag` at `step`. Writers without histograms leave it out. */
  histogram?(tag: string, values: ArrayLike<number>, step: number): void;
  /** Brings everything recorded so far to disk. */
  flush(): MaybePromise<void>;
  /** Flushes and gives the file back; nothing may be recorded afterwards. */
  close(): MaybePromise<void>;
}

/** Makes the writer for one directory. The directory and its event file may be created by this call. */
export type SummaryWriterFactory = (directory: string) => SummaryWriter;

/** Writes nested dictionaries of results, each level into its own directory. */
export interface SummaryManagerInterface {
  /** Brings everything written so far to disk. */
  flush(): MaybePromise<void>;
  /** The writer of a directory below the manager's own; the manager's own without argument. */
  summaryWriter(relativePath?: string): SummaryWriter;
  /** Writes every entry as a scalar at the current global step; a nested dictionary goes to a sub-directory named as its key. */
  writeSummaries(summaries: Output): MaybePromise<void>;
  /** Flushes and closes all writers. */
  close?(): MaybePromise<void>;
}

let defaultFactory: SummaryWriterFactory | null = null;

/**
 * Sets what makes the writers of summary managers that are given none, for the whole process. `orbit-ts/summary` does so
 * when it is imported; this room stays free of any file format.
 */
export function setDefaultSummaryWriterFactory(factory: SummaryWriterFactory | null): void {
  defaultFactory = factory;
}

/** What {@link setDefaultSummaryWriterFactory} set last, or null. */
export function defaultSummaryWriterFactory(): SummaryWriterFactory | null {
  return defaultFactory;
}
