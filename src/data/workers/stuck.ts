import { ElementFailure } from './run-job.js';
import type { WorkerThread } from './worker-thread.js';

/** How often a limit is looked at, as a part of it, and in seconds at most. */
const LOOKS = 8;
const LONGEST_LOOK_SECONDS = 5;

/**
 * Calls `tell` once the thread has been busy with one element for `seconds`; returns what ends the watch. Looks are counted, not
 * the clock: a process that was suspended, or that itself had no time to look, accuses nobody.
 */
export function whenStuck(thread: WorkerThread, job: number, seconds: number, tell: (error: ElementFailure) => void): () => void {
  if (seconds === Infinity) return () => undefined;
  const look = Math.min(seconds / LOOKS, LONGEST_LOOK_SECONDS);
  let { begun } = thread.progress;
  let looks = 0;
  const timer = setInterval(() => {
    const now = thread.progress;
    looks = now.begun === begun ? looks + 1 : 0;
    begun = now.begun;
    if (looks * look < seconds) return;
    clearInterval(timer);
    const isStarting = begun === 0;
    const reason = isStarting
      ? `its module was not imported within ${seconds} seconds`
      : `it has not returned within ${seconds} seconds; is there an endless loop, or something that it waits for in vain? If calls may take that long, raise timeoutSeconds`;
    tell(new ElementFailure(now.job === job && !isStarting ? now.element : undefined, new Error(reason)));
  }, look * 1000);
  return () => clearInterval(timer);
}
