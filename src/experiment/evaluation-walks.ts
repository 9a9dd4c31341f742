/** Which walk over the validation data an evaluation makes. */
import type { StateDict } from '../checkpoint/index.js';
import type { DatasetLike } from '../orbit/index.js';

interface Walkable {
  iterator(pass: number): AsyncIterableIterator<unknown>;
}

/**
 * Counts the evaluations that ended. Data of this package are shuffled anew in each walk; evaluation k makes walk k, also
 * after a restart, and one that was stopped is made again with the same walk.
 */
export class EvaluationWalks {
  #count = 0;

  /** The dataset with its walks numbered by this count. Data of other kinds are walked as they are. */
  over(dataset: DatasetLike): DatasetLike {
    return async () => {
      const opened: unknown = typeof dataset === 'function' ? await dataset() : dataset;
      if (!isWalkable(opened)) return opened as AsyncIterable<unknown>;
      return { [Symbol.asyncIterator]: () => opened.iterator(this.#count) };
    };
  }

  /** An evaluation ended. */
  done(): void {
    this.#count += 1;
  }

  /** The count, for checkpoints. */
  stateDict(): { count: number } {
    return { count: this.#count };
  }

  /** Takes over a saved count. */
  loadStateDict(state: StateDict): void {
    this.#count = Number(state['count']);
  }
}

function isWalkable(opened: unknown): opened is Walkable {
  return typeof opened === 'object' && opened !== null && typeof (opened as Partial<Walkable>).iterator === 'function';
}
