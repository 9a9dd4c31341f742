import type { MakeArray } from './codec.js';
import { viewsOf } from './codec.js';

/** Batches that may lie in shared memory with the consumer at a time: the one in use and the one before. */
const LENT = 3;
/** Arrays over a piece that are kept; results of ever other lengths would make ever more. */
const KEPT_VIEWS = 64;
/** Free pieces that are kept. */
const KEPT = 4;

/**
 * Pieces of shared memory for results, used again and again: the garbage collector does not see how large they are, so their
 * number is bounded here.
 */
export class SharedSlots {
  readonly #free: SharedArrayBuffer[] = [];
  readonly #lent = new Map<object, SharedArrayBuffer>();
  /** Arrays over a piece, kept with it: what reads them in place knows them again. */
  readonly #views = new WeakMap<SharedArrayBuffer, Map<string, ReturnType<MakeArray>>>();

  /** A free piece, if there is one. */
  take(): SharedArrayBuffer | undefined {
    return this.#free.pop();
  }

  /** Takes a piece back. */
  put(memory: SharedArrayBuffer): void {
    if (this.#free.length < KEPT) this.#free.push(memory);
  }

  /** Whether a batch in this memory may be given away; false where batches are not given back. */
  lend(memory: SharedArrayBuffer): boolean {
    return memory.byteLength > 0 && this.#lent.size < LENT;
  }

  /** Notes in which memory a batch lies. */
  remember(batch: unknown, memory: SharedArrayBuffer): unknown {
    if (typeof batch === 'object' && batch !== null) this.#lent.set(batch, memory);
    return batch;
  }

  /** Takes back the memory of a batch; nothing where it lies in none, or was taken back before. */
  giveBack(batch: unknown): void {
    const memory = this.#lent.get(batch as object);
    if (memory === undefined) return;
    this.#lent.delete(batch as object);
    this.put(memory);
  }

  /** Arrays over a piece. */
  arrays(memory: SharedArrayBuffer): MakeArray {
    const known = this.#views.get(memory) ?? new Map<string, ReturnType<MakeArray>>();
    this.#views.set(memory, known);
    const make = viewsOf(memory);
    return (type, offset, length) => {
      const key = `${type} ${offset} ${length}`;
      const view = known.get(key) ?? make(type, offset, length);
      if (known.size < KEPT_VIEWS) known.set(key, view);
      return view;
    };
  }
}
