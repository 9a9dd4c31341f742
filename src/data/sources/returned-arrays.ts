import { allocate, NDArray, type DType, type DTypeArrays } from '../ndarray.js';

/** Arrays that are kept for later batches. */
const KEPT = 4;

/** Arrays of batches, used again once nobody uses them any more: megabytes a step would else wait for the garbage collector. */
export class ReturnedArrays<D extends DType> {
  readonly #free: DTypeArrays[D][] = [];
  readonly #given = new WeakSet<NDArray>();
  #returned = false;

  /** Whether batches are given back at all. */
  get returned(): boolean {
    return this.#returned;
  }

  /** An array of `length` values: one that was given back, else what `make` makes. Its values are whatever they were. */
  take(dtype: D, length: number, make: () => DTypeArrays[D] = () => allocate(dtype, length)): DTypeArrays[D] {
    const at = this.#free.findLastIndex((array) => array.length === length);
    return at < 0 ? make() : this.#free.splice(at, 1)[0]!;
  }

  /** Notes that a batch goes out. */
  give(batch: NDArray<D>): NDArray<D> {
    this.#given.add(batch);
    return batch;
  }

  /**
   * Takes a batch back. Only one that went out and did not come back yet: a second return must not free memory that serves a
   * later batch. Where `keep` is false its array is left to the garbage collector.
   */
  takeBack(batch: unknown, keep: (array: DTypeArrays[D]) => boolean = () => true): void {
    if (!(batch instanceof NDArray) || !this.#given.delete(batch)) return;
    this.#returned = true;
    const array = batch.data as DTypeArrays[D];
    if (!keep(array)) return;
    this.#free.push(array);
    if (this.#free.length > KEPT) this.#free.shift();
  }
}
