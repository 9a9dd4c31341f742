import { randomStage } from '../random-access.js';
import {
  all,
  END,
  fetchAll,
  isSkipState,
  locate,
  skipElements,
  forEachIndex,
  restoreCursor,
  chain,
  type Cursor,
  type End,
  type Maybe,
  type PositionValue,
  type Stage,
} from '../stage.js';

/** Elements between two notes of the source's position: how many a restore reads again at most, on top of the depth. */
const NOTE_EVERY = 16;

/** Works up to `depth` elements ahead of the consumer where the source has to be waited for; else it changes nothing. */
export function prefetch<T>(source: Stage<T>, depth: number): Stage<T> {
  if (source.work !== undefined) return source; // workers are ahead anyway
  const { random } = source;
  if (random !== undefined) {
    // The label and the positions stay the source's: a run may be resumed with another depth.
    return randomStage(source.label, { ...random, readAhead: Math.max(depth, random.readAhead ?? 0) });
  }
  const open = (pass: number): Cursor<T> => {
    const inner = source.open(pass);
    const cursor = new AheadCursor<T, T>(inner, depth, (element) => element);
    cursor.release = (element) => inner.release?.(element);
    return cursor;
  };
  return { ...source, open };
}

/** A cursor that applies `work` to the elements of `source`, up to `depth` of them ahead of the consumer, in order. */
export function aheadCursor<A, B>(source: Cursor<A>, depth: number, work: (element: A, source: Cursor<A>) => Maybe<B>): Cursor<B> {
  return new AheadCursor(source, depth, work);
}

interface Item<B> {
  value: Maybe<B | End>;
  address: PositionValue | undefined;
}

/** A position of the source and how many elements it had given by then. */
interface Note {
  state: PositionValue;
  produced: number;
}

class AheadCursor<A, B> implements Cursor<B> {
  readonly #queue: Item<B>[] = [];
  #produced = 0;
  #consumed = 0;
  #pulling: Promise<unknown> | undefined;
  #ended = false;
  /** The source failed: where it stands is unknown. */
  #failed = false;
  #closed = false;
  #base: Note | undefined;
  #note: Note | undefined;
  #address: PositionValue | undefined;
  /** Set where the elements are the source's. */
  release?: (element: B) => void;

  constructor(
    readonly source: Cursor<A>,
    readonly depth: number,
    readonly work: (element: A, source: Cursor<A>) => Maybe<B>,
  ) {}

  pull(): Maybe<B | End> {
    if (this.#queue.length === 0) {
      if (this.#ended) return END;
      this.#takeNote();
      this.#produce();
    }
    const item = this.#queue.shift()!;
    if (item.value instanceof Promise) {
      this.#fill();
      return item.value.then((value) => this.#consume(value, item));
    }
    const value = this.#consume(item.value, item);
    if (this.#queue.length > 0) this.#fill();
    return value;
  }

  #consume(value: B | End, item: Item<B>): B | End {
    if (value === END) return END;
    this.#consumed++;
    this.#address = item.address;
    if (this.#note !== undefined && this.#note.produced <= this.#consumed) {
      this.#base = this.#note;
      this.#note = undefined;
    }
    return value;
  }

  #fill(): void {
    while (this.#queue.length < this.depth && this.#pulling === undefined && !this.#ended && !this.#failed && !this.#closed) {
      this.#takeNote();
      try {
        this.#produce();
      } catch (error) {
        this.#failed = true;
        const value = Promise.reject<B>(error as Error);
        value.catch(() => undefined); // seen when it is pulled
        this.#queue.push({ value, address: undefined });
        return;
      }
    }
  }

  /** Pulls one element from the idle source into the queue. */
  #produce(): void {
    const pulled = this.source.pull();
    const item: Item<B> = { value: END, address: undefined };
    const worked = (element: A | End): Maybe<B | End> => {
      if (element === END) {
        this.#ended = true;
        return END;
      }
      this.#produced++;
      item.address = this.source.address();
      return this.work(element as A, this.source);
    };
    if (pulled instanceof Promise) {
      this.#pulling = pulled.catch(() => undefined);
      item.value = pulled.then(
        (element) => {
          this.#pulling = undefined;
          const result = worked(element);
          this.#fill();
          return result;
        },
        (error: unknown) => {
          this.#pulling = undefined;
          this.#failed = true;
          throw error;
        },
      );
    } else {
      item.value = worked(pulled);
    }
    if (item.value instanceof Promise) item.value.catch(() => undefined); // seen when it is pulled
    this.#queue.push(item);
  }

  #takeNote(): void {
    if (this.#pulling !== undefined) return;
    if (this.#base === undefined) this.#base = { state: this.source.state(), produced: this.#produced };
    else if (this.#note === undefined && this.#produced - this.#base.produced >= NOTE_EVERY) {
      this.#note = { state: this.source.state(), produced: this.#produced };
    }
  }

  state(): PositionValue {
    if (this.#queue.length === 0 && this.#pulling === undefined) return this.source.state();
    const from = this.#base!;
    return { from: from.state, skip: this.#consumed - from.produced };
  }

  restore(state: PositionValue): Maybe<void> {
    const [from, skip] = isSkipState(state) ? [state.from, state.skip] : [state, 0];
    return chain(restoreCursor(this.source, from), () => {
      this.#base = { state: from, produced: 0 };
      this.#produced = this.#consumed = skip;
      return skipElements(this.source, skip);
    });
  }

  skip(count: number): Maybe<void> {
    return forEachIndex(count, () => {
      // What was worked on ahead comes first.
      if (this.#queue.length > 0 || this.#pulling !== undefined) return chain(this.pull(), () => undefined);
      this.#takeNote();
      this.#produced++;
      this.#consumed++;
      return skipElements(this.source, 1);
    });
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<B[]> {
    return chain(fetchAll(this.source, addresses), (elements) => all(elements.map((element) => this.work(element, this.source))));
  }

  locate(address: PositionValue): Maybe<string | undefined> {
    return locate(this.source, address);
  }

  address(): PositionValue | undefined {
    return this.#address;
  }

  fetch(address: PositionValue): Maybe<B> {
    return chain(this.source.fetch(address), (element) => this.work(element, this.source));
  }

  close(): Maybe<void> {
    this.#closed = true;
    return chain(this.#pulling as Maybe<unknown>, () => this.source.close());
  }
}
