/** Turning an error into one paragraph for people and an exit status for programs. */
import { ConfigError, NotImplementedModeError, OrbitError, UsageError } from '../errors.js';

/** Exit status for wrong use or configuration. */
export const WRONG_USE = 2;
/** Exit status of a run that failed. */
export const FAILED = 1;

/**
 * Describes an error.
 * @param error what was thrown
 * @param options.verbose with stack traces. Default false.
 * @param options.running whether training had begun: then wrong use of an API is a failed run
 */
export function describeError(error: unknown, options: { verbose?: boolean; running?: boolean } = {}): { text: string; status: number } {
  const { verbose = false, running = false } = options;
  const isWrongUse = error instanceof ConfigError || error instanceof NotImplementedModeError || (error instanceof UsageError && !running);
  const status = isWrongUse ? WRONG_USE : FAILED;
  if (verbose) return { text: stackOf(error), status };
  if (error instanceof OrbitError) return { text: error.message, status };
  if (error instanceof Error)
    return { text: `${error.name}: ${error.message}${placeOf(error)}. Run again with --verbose for the stack trace.`, status };
  return { text: `Something that is no error was thrown: ${String(error)}.`, status };
}

/** Where an error of the user's own code came from: the first line of its stack outside Node and packages. */
function placeOf(error: Error): string {
  const line = (error.stack ?? '').split('\n').find((l) => /^\s+at .*[/\\]/.test(l) && !/node_modules|node:internal/.test(l));
  const place = line?.match(/\(?((?:file:\/\/)?\/[^()]+:\d+):\d+\)?$/)?.[1];
  return place === undefined ? '' : ` (${place.replace('file://', '')})`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
