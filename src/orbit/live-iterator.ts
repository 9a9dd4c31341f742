/** An iterator over one dataset that knows its position, so that a checkpoint can save it. */
import { DataError } from '../errors.js';
import { type DataIterator, type DatasetLike, EndOfData } from './dataset.js';
import { isPromise } from './maybe-promise.js';
import type { MaybePromise } from './types.js';

/** A value that a checkpoint can hold. */
export type PositionValue = number | string | boolean | null | readonly PositionValue[] | { readonly [key: string]: PositionValue };

/** Position of an iterator: its own state, or the count of batches taken where it has none. */
export type PositionState = { readonly [key: string]: PositionValue };

interface Source {
  next(): MaybePromise<IteratorResult<unknown, unknown>>;
  /** The next batch if it is there without waiting, else undefined: then `next` waits for that same batch. */
  nextSync?(): IteratorResult<unknown, unknown> | undefined;
  /** Takes back a batch that nobody uses any more. */
  release?(batch: unknown): void;
  return?(): unknown;
  stateDict?(): PositionState;
  loadStateDict?(state: PositionState): void;
}

/** Opens a dataset at its first batch. */
export async function openDataset(dataset: DatasetLike): Promise<LiveIterator> {
  const made: unknown = typeof dataset === 'function' ? await dataset() : dataset;
  if (typeof made === 'object' && made !== null) {
    if (Symbol.asyncIterator in made) return new LiveIterator((made as AsyncIterable<unknown>)[Symbol.asyncIterator]());
    if (Symbol.iterator in made) return new LiveIterator((made as Iterable<unknown>)[Symbol.iterator]());
  }
  throw new DataError(
    `A dataset function should return something iterable or async-iterable, but it returned ${made === null ? 'null' : `a value of type ${typeof made}`}.`,
  );
}

/** See {@link openDataset}. */
export class LiveIterator implements DataIterator {
  readonly #source: Source;
  #taken = 0;
  #toSkip = 0;

  constructor(source: Source) {
    this.#source = source;
  }

  next(): MaybePromise<{ readonly value: unknown }> {
    if (this.#toSkip > 0) return this.#skipThenNext();
    const result = this.#pull();
    return isPromise(result) ? result.then(this.#accept) : this.#accept(result);
  }

  /** Gives a batch back whose memory the source may use again. Only for batches that nothing refers to any more. */
  release(batch: unknown): void {
    this.#source.release?.(batch);
  }

  /** The position after the last batch taken. */
  stateDict(): PositionState {
    if (this.#source.stateDict) return this.#source.stateDict();
    return { batches_taken: this.#taken + this.#toSkip };
  }

  /** Goes to a saved position. An iterator without a state of its own gets there by skipping batches at the next `next()`. */
  loadStateDict(state: PositionState): void {
    if (this.#source.loadStateDict) {
      this.#source.loadStateDict(state);
      return;
    }
    const taken = state.batches_taken;
    if (typeof taken !== 'number') {
      throw new DataError(
        'The saved position of the data was written by another kind of dataset (it has no `batches_taken`). ' +
          'Resume with the dataset that was used before, or leave the position out of the checkpoint.',
      );
    }
    if (taken < this.#taken) {
      throw new DataError(`The data are ${this.#taken} batches in and cannot go back to batch ${taken}: the iterator must be made anew.`);
    }
    this.#toSkip = taken - this.#taken;
  }

  /** Whether {@link loadStateDict} can reach this position from here. */
  canReach(state: PositionState): boolean {
    if (this.#source.loadStateDict) return true;
    return typeof state.batches_taken !== 'number' || state.batches_taken >= this.#taken;
  }

  /** Tells the source that no more batches are wanted. */
  async close(): Promise<void> {
    await this.#source.return?.();
  }

  #pull(): MaybePromise<IteratorResult<unknown, unknown>> {
    return this.#source.nextSync?.() ?? this.#source.next();
  }

  readonly #accept = (result: IteratorResult<unknown, unknown>): { readonly value: unknown } => {
    if (result.done) throw new EndOfData();
    this.#taken += 1;
    return result;
  };

  #skipThenNext(): MaybePromise<{ readonly value: unknown }> {
    while (this.#toSkip > 0) {
      this.#toSkip -= 1;
      const result = this.#pull();
      if (isPromise(result)) return result.then(this.#accept).then(() => this.next());
      this.#accept(result);
    }
    return this.next();
  }
}
