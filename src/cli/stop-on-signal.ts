/** Stopping in order when the process is told to end. */
import { constants } from 'node:os';

const signals = ['SIGTERM', 'SIGINT'] as const;

/** Exit status of a process that a signal ended: 128 and the signal's number. Other notices count as SIGTERM. */
export function statusOf(reason: string): number {
  return 128 + (constants.signals[reason as NodeJS.Signals] ?? constants.signals.SIGTERM);
}

/** What {@link stopOnSignal} needs. */
export interface StopOptions {
  /** Called at the first signal. */
  notice: (signal: string) => void;
  /** Seconds after which the process ends all the same; 0: never. */
  graceSeconds: number;
}

/**
 * The first SIGTERM or SIGINT aborts the returned signal with its name; a second one, or the end of the grace time, ends the
 * process at once.
 */
export function stopOnSignal({ notice, graceSeconds }: StopOptions): { signal: AbortSignal; close(): void } {
  const controller = new AbortController();
  let timer: NodeJS.Timeout | undefined;
  const handler = (name: NodeJS.Signals): void => {
    if (controller.signal.aborted) process.exit(statusOf(name));
    if (graceSeconds > 0) timer = setTimeout(() => giveUp(name, graceSeconds), graceSeconds * 1000).unref();
    controller.abort(name);
    notice(name);
  };
  for (const name of signals) process.on(name, handler);
  return {
    signal: controller.signal,
    close: () => {
      clearTimeout(timer);
      for (const name of signals) process.off(name, handler);
    },
  };
}

function giveUp(name: string, graceSeconds: number): never {
  process.stderr.write(
    `orbit: ${name}: the run did not end within trainer.preemption_grace_seconds (${graceSeconds}); ending without another checkpoint.\n`,
  );
  process.exit(statusOf(name));
}
