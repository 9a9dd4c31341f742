/** How many threads compiled steps use together, and which pool sessions take them from. */
import { availableParallelism } from 'node:os';
import { UsageError } from '../../errors.js';

let requested = 0;
let fixed: number | undefined;
let poolPerSession = false;

/**
 * Sets how many threads compiled steps may use together. Takes effect only before the first step is compiled.
 *
 * @param threads 0 = `ORBIT_NUM_THREADS` if set, else one per available processor.
 * @throws UsageError when ONNX Runtime already runs with another number.
 */
export function setNumThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 0) {
    throw new UsageError(`The number of threads must be a whole number of at least 0 (0 = automatic), but is ${threads}.`);
  }
  requested = threads;
  if (fixed !== undefined && chosenThreads() !== fixed) {
    throw new UsageError(
      `ONNX Runtime already runs with ${fixed} threads; ${threads} cannot be set any more. Set the number before the first compiled step.`,
    );
  }
}

/** The number that was set, else that of the environment, else one per processor. @throws UsageError for a bad `ORBIT_NUM_THREADS`. */
export function chosenThreads(): number {
  if (requested > 0) return requested;
  const given = process.env['ORBIT_NUM_THREADS'] ?? '';
  if (!/^\d*$/.test(given.trim())) {
    throw new UsageError(
      `ORBIT_NUM_THREADS is "${given}", but must be a whole number of at least 0 (0 = automatic). Set it so, or unset it.`,
    );
  }
  return Number(given) || availableParallelism();
}

/** ONNX Runtime runs with this many threads from now on. */
export function fixThreads(threads: number): void {
  fixed = threads;
}

/** Threads of the pool that a session must make for itself; undefined: it uses the pool of all sessions. */
export function threadsPerSession(): number | undefined {
  return poolPerSession ? fixed : undefined;
}

/** From now on sessions make pools of their own, because there is none for all. */
export function usePoolPerSession(): void {
  poolPerSession = true;
}
