/** The order of runs: compiled functions share variables and their buffers, so at most one runs at a time on a thread. */

/** The end of the last call that runs or waits, if any. */
let last: Promise<unknown> | undefined;

/** True while a call runs in the background. */
export function isBusy(): boolean {
  return last !== undefined;
}

/**
 * Starts a call after all earlier ones have ended, at once when there are none.
 *
 * @param start runs the call; a returned promise means that it goes on in the background.
 */
export function inOrder(start: () => unknown): Promise<unknown> {
  const { promise: end, finish } = last === undefined ? begin(start) : { promise: last.then(start, start), finish: true };
  if (!finish) return end;
  const ended = untilEnd(end, () => last === ended);
  last = ended;
  return ended;
}

/** Runs a call that need not wait; `finish` when it goes on in the background. */
function begin(start: () => unknown): { promise: Promise<unknown>; finish: boolean } {
  try {
    const result = start();
    return result instanceof Promise ? { promise: result, finish: true } : { promise: Promise.resolve(result), finish: false };
  } catch (error) {
    return { promise: Promise.reject(error as Error), finish: false };
  }
}

/** Passes a call's result on, and first frees the thread for others when no later call waits. */
async function untilEnd(call: Promise<unknown>, isLast: () => boolean): Promise<unknown> {
  try {
    return await call;
  } finally {
    if (isLast()) last = undefined;
  }
}
