import { stepRandom } from '#tf';

/**
 * Seeds every random number that tfjs draws in this process: initialisers, dropout, noise layers, `tf.random*`.
 * The generator is counter-based (seed, step, call), so the same seed gives the same numbers eagerly and compiled.
 *
 * @param seed a 32-bit integer; 0 is the seed of a process that never calls this.
 */
export function setRandomSeed(seed: number): void {
  stepRandom.setSeed(seed | 0);
}

/** The whole state of the process's random-number generator, for checkpoints: two integers. */
export const randomState = {
  /** `seed` as set by `setRandomSeed`, `counter` = steps and eager draws made since. */
  stateDict(): { seed: number; counter: number } {
    const [seed, counter] = stepRandom.state().dataSync() as Int32Array;
    return { seed: seed!, counter: counter! };
  },
  /** Puts the generator back to a state that `stateDict` returned. */
  loadStateDict(state: { seed: number; counter: number }): void {
    stepRandom.setSeed(state.seed, state.counter);
  },
};
