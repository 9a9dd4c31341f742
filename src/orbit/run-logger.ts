/** Further places for the results of a run, beside event files: any number of loggers. */
import type { MaybePromise, Output } from './types.js';

/** Results at one step. */
export interface LogEntry {
  /** Whether a training loop or an evaluation gave them. */
  readonly kind: 'train' | 'eval';
  /** The global step. */
  readonly step: number;
  /** When, in seconds since 1970. */
  readonly wallTime: number;
  /** The results: numbers and nested arrays, nested by name as the loop gave them, with the speed. */
  readonly values: Output;
}

/**
 * Takes the results of every training loop and every evaluation. An error ends the run: results must not be lost unseen.
 *
 * ```ts
 * const toServer: RunLogger = { log: ({ kind, step, values }) => post(url, { kind, step, values }) };
 * ```
 */
export interface RunLogger {
  /** Takes one entry; awaited before the run goes on. Steps may go back after a roll-back or a resume. */
  log(entry: LogEntry): MaybePromise<void>;
  /** The run ends, with or without an error. */
  close?(): MaybePromise<void>;
}
