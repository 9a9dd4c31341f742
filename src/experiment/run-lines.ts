/** Where a run's lines of text go. */
import { notice } from '../notice.js';
import type { RunnerOptions } from './runner-options.js';

/** Lines of text about the run as a whole. */
export interface RunLines {
  /** Tells something. */
  readonly log: (line: string) => void;
  /** Warns of something. */
  readonly warn: (message: string) => void;
}

/** To where the options say, else to standard output and standard error. */
export function runLines({ log, reporter }: Pick<RunnerOptions, 'log' | 'reporter'>): RunLines {
  return {
    log: log ?? ((line) => void process.stdout.write(`${line}\n`)),
    warn: (message) => (reporter?.warning ? reporter.warning(message) : notice(message)),
  };
}
