/** Stopping in order when the process is told to end. */
import { constants } from 'node:os';

const signals = ['SIGTERM', 'SIGINT'] as const;

/** Exit status of a process that a signal ended: 128 and the signal's number. */
export function statusOf(signal: string): number {
  return 128 + (constants.signals[signal as NodeJS.Signals] ?? 0);
}

/**
 * The first SIGTERM or SIGINT aborts the returned signal with its name; a second one ends the process at once.
 * @param notice called at the first one
 */
export function stopOnSignal(notice: (signal: string) => void): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  const handler = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(statusOf(name));
    controller.abort(name);
    notice(name);
  };
  for (const name of signals) process.on(name, handler);
  return {
    signal: controller.signal,
    close: () => {
      for (const name of signals) process.off(name, handler);
    },
  };
}
