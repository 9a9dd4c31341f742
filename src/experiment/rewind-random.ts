/** Work that must not use up random numbers of the run. */
import { randomState } from '../function/index.js';

/** Does the work and sets the random numbers back to where they were before it. */
export async function rewindRandom<T>(work: () => Promise<T>): Promise<T> {
  const before = randomState.stateDict();
  try {
    return await work();
  } finally {
    randomState.loadStateDict(before);
  }
}

/** Does the work; if it fails, the random numbers are set back, so that doing it again later draws the same ones. */
export async function rewindRandomOnError<T>(work: () => Promise<T>): Promise<T> {
  const before = randomState.stateDict();
  try {
    return await work();
  } catch (error) {
    randomState.loadStateDict(before);
    throw error;
  }
}
