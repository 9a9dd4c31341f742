/** Turning an error into one paragraph for people and an exit status for programs. */
import { fileURLToPath } from 'node:url';
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
  if (error instanceof OrbitError) return { text: `${error.message}${causePlace(error)}`, status };
  if (error instanceof Error)
    return { text: `${error.name}: ${error.message}${placeOf(error)}. Run again with --verbose for the stack trace.`, status };
  return { text: `Something that is no error was thrown: ${String(error)}.`, status };
}

/** Where user code called what failed, for an error of ours that wraps one of tfjs's. */
function causePlace({ message, cause }: OrbitError): string {
  if (!(cause instanceof Error) || cause instanceof OrbitError || 'code' in cause || !message.includes(' failed with ')) return '';
  return placeOf(cause);
}

/** This package itself, whose frames in a stack say nothing to its user. */
const own = fileURLToPath(new URL('..', import.meta.url));

/** Where an error of the user's own code came from: the first line of its stack outside Node and packages. */
export function placeOf(error: Error): string {
  const isUser = (l: string): boolean =>
    /^\s+at .*[/\\]/.test(l) && !/node_modules|node:internal|[/\\]dist[/\\]tf[/\\]/.test(l) && !l.includes(own);
  const line = (error.stack ?? '').split('\n').find(isUser);
  const place = line?.match(/\(?((?:file:\/\/)?\/[^()]+:\d+):\d+\)?$/)?.[1];
  return place === undefined ? '' : ` (${place.replace('file://', '')})`;
}

function stackOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const cause = error.cause === undefined ? '' : `\nCaused by: ${stackOf(error.cause)}`;
  return `${error.stack ?? error.message}${cause}`;
}
