/** Finds the newest checkpoint of a directory, now or whenever another process writes one. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { CheckpointsIteratorOptions } from '../orbit/index.js';
import { stderrLogger, type CheckpointLogger } from './logger.js';
import { isComplete } from './manifest.js';
import { readStateFile } from './state-file.js';

/**
 * Path of the newest checkpoint of `directory` according to its state file, read anew each time; null if there is none, or,
 * with a message, if its files are not there.
 */
export async function latestCheckpoint(directory: string, logger: CheckpointLogger = stderrLogger): Promise<string | null> {
  const state = readStateFile(directory, (message) => logger.warn(message));
  if (state === null || state === 'damaged') return null;
  if (await isComplete(state.latest)) return state.latest;
  logger.warn(`The newest checkpoint according to "${directory}" is "${state.latest}", but it is not there or not complete.`);
  return null;
}

/** Options of {@link checkpointsIterator}, and where its messages go. */
export interface WatchOptions extends CheckpointsIteratorOptions {
  /** Default: standard error. */
  logger?: CheckpointLogger;
  /** Ends the iteration when aborted. */
  signal?: AbortSignal;
}

const pollSeconds = 1;

/**
 * Yields the newest checkpoint of a directory each time there is another, looking once per second. Those that came and went
 * while the consumer was busy are not seen. The directory need not exist yet.
 *
 * With `timeoutSeconds` a wait is given up as soon as another second of waiting would pass it (so 1 or less looks once), and
 * `timeoutFn` decides: true, or none given, ends the iteration, false waits anew. After a yield at least `minIntervalSeconds` pass.
 */
export async function* checkpointsIterator(directory: string, options: WatchOptions = {}): AsyncGenerator<string, void, undefined> {
  const { minIntervalSeconds = 0, timeoutSeconds = null, timeoutFn = null, signal } = options;
  const once = repeatedOnce(options.logger ?? stderrLogger);
  let last: string | null = null;
  while (!signal?.aborted) {
    const next: string | null = await waitForNew(directory, last, timeoutSeconds, once, signal);
    if (next === null) {
      if (signal?.aborted || !timeoutFn || (await timeoutFn())) return;
      continue;
    }
    last = next;
    const yieldedAt = performance.now();
    yield next;
    await pause(minIntervalSeconds - (performance.now() - yieldedAt) / 1000, signal);
  }
}

async function waitForNew(
  directory: string,
  last: string | null,
  timeoutSeconds: number | null,
  logger: CheckpointLogger,
  signal?: AbortSignal,
): Promise<string | null> {
  const stopAt = timeoutSeconds === null ? Infinity : performance.now() / 1000 + timeoutSeconds;
  for (;;) {
    const latest = await latestCheckpoint(directory, logger);
    if (latest !== null && latest !== last) return latest;
    if (signal?.aborted || performance.now() / 1000 + pollSeconds > stopAt) return null;
    await pause(pollSeconds, signal);
  }
}

async function pause(seconds: number, signal?: AbortSignal): Promise<void> {
  if (seconds <= 0) return;
  await sleep(seconds * 1000, undefined, { signal }).catch((error: unknown) => {
    if (!signal?.aborted) throw error;
  });
}

/** Passes a message on only when it differs from the one before, so that polling does not repeat itself. */
function repeatedOnce(logger: CheckpointLogger): CheckpointLogger {
  let previous = '';
  return {
    info: (message) => logger.info(message),
    warn: (message) => {
      if (message !== previous) logger.warn(message);
      previous = message;
    },
  };
}
