import { allocate, NDArray, type DType, type DTypeArrays } from '../ndarray.js';

/**
 * Arrays that came back rest until they are so many, or have so many bytes; then the first of them is used again. One that a
 * step has just read lies in the caches of every core that read it, and writing to it can take three times as long.
 */
const REST_ARRAYS = 8;
const REST_BYTES = 3_000_000;

/** Arrays of batches, used again once nobody uses them any more: megabytes a step would else wait for the garbage collector. */
export class ReturnedArrays<D extends DType> {
  readonly #free: DTypeArrays[D][] = [];
  readonly #given = new WeakSet<NDArray>();
  #returned = false;

  /** Whether batches are given back at all. */
  get returned(): boolean {
    return this.#returned;
  }

  /** An array of `length` values: one that was given back long ago, else what `make` makes. Its values are whatever they were. */
  take(dtype: D, length: number, make: () => DTypeArrays[D] = () => allocate(dtype, length)): DTypeArrays[D] {
    const at = this.#free.findIndex((array) => array.length === length);
    return at < 0 || !this.#hasRested(at) ? make() : this.#free.splice(at, 1)[0]!;
  }

  #hasRested(at: number): boolean {
    const resting = this.#free.slice(at);
    return resting.length >= REST_ARRAYS || resting.reduce((bytes, array) => bytes + array.byteLength, 0) >= REST_BYTES;
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
    if (this.#free.length > REST_ARRAYS) this.#free.shift();
  }
}
