import type { Maybe } from '../stage.js';

/** Part of the memory that is used while groups are read one after the other. */
const IN_ORDER = 1 / 16;

/** Decoded groups, the last used ones kept. Few are kept until {@link keep} says that they are read in a random order. */
export class GroupCache<G> {
  /** Groups that fit into the memory, whichever they are; one at least. */
  readonly kept: number;
  readonly #groups = new Map<number, Maybe<G>>();
  #limit: number;

  constructor(
    sizes: readonly number[],
    bytes: number,
    readonly read: (group: number) => Promise<G>,
  ) {
    const largest = Float64Array.from(sizes).sort().reverse();
    this.kept = fitting(largest, bytes);
    this.#limit = Math.max(2, fitting(largest, bytes * IN_ORDER)); // a batch may lie in two
  }

  /** Keeps `kept` groups from now on. */
  keep(): void {
    this.#limit = Math.max(2, this.kept);
  }

  /** A group: at once where it is kept. */
  get(group: number): Maybe<G> {
    const known = this.#groups.get(group);
    if (known !== undefined) {
      this.#groups.delete(group); // to the end: the first one is dropped first
      this.#groups.set(group, known);
      return known;
    }
    if (this.#groups.size >= this.#limit) this.#groups.delete(this.#groups.keys().next().value!);
    const reading = this.read(group);
    this.#groups.set(group, reading);
    reading.then(
      (value) => this.#groups.get(group) === reading && this.#groups.set(group, value),
      () => this.#groups.get(group) === reading && this.#groups.delete(group), // seen where it is waited for; the next call tries again
    );
    return reading;
  }
}

function fitting(largestFirst: Float64Array, bytes: number): number {
  let count = 0;
  for (let left = bytes; count < largestFirst.length && left >= largestFirst[count]!; count++) left -= largestFirst[count]!;
  return Math.max(1, count);
}
