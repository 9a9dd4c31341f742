import { count, randomStage } from '../random-access.js';
import { exactRequired, replayRefused } from './exact.js';
import {
  END,
  AGAIN,
  letGo,
  loop,
  chain,
  skipElements,
  type Cursor,
  type End,
  type Maybe,
  type PositionValue,
  type Stage,
} from '../stage.js';

/** Keeps the elements of the first pass in memory; every later pass gives the same ones in the same order. */
export function cache<T>(source: Stage<T>): Stage<T> {
  const label = `${source.label} > cache`;
  const { random } = source;
  if (random !== undefined) {
    const kept = new Map<number, Maybe<T>>();
    const rows = random.locality === undefined ? random.rows : undefined; // those in groups are read from files
    return randomStage(label, {
      length: random.length,
      readAhead: random.readAhead,
      ready: random.ready && (() => random.ready?.()),
      at: (_, position) => {
        if (rows !== undefined) return random.at(0, position); // in memory already
        const known = kept.get(position);
        if (known !== undefined) return known;
        const element = random.at(0, position);
        kept.set(position, element);
        if (element instanceof Promise) {
          element.then(
            (value) => kept.set(position, value),
            () => kept.delete(position),
          );
        }
        return element;
      },
      rows: rows && { index: (_, position) => rows.index(0, position), gather: rows.gather },
    });
  }
  const store = new Store(source);
  return { label, length: source.length, addressable: true, open: () => cacheCursor(store) };
}

/** The elements read so far, shared by all cursors; one filler reads the rest. */
class Store<T> {
  readonly elements: T[] = [];
  #complete = false;
  #filler: Cursor<T> | undefined;
  #filling: Promise<unknown> | undefined;

  constructor(readonly source: Stage<T>) {}

  at(position: number): Maybe<T | End> {
    return loop<T | End>(() => {
      if (position < this.elements.length) return this.elements[position]!;
      if (this.#complete) return END;
      // Another cursor may be waiting for the same element.
      if (this.#filling !== undefined)
        return this.#filling.then(
          () => AGAIN,
          () => AGAIN,
        );
      const pulled = this.#pull();
      if (!(pulled instanceof Promise)) return this.#keep(pulled);
      const filling = pulled.then((element) => this.#keep(element));
      const done = (): void => {
        this.#filling = undefined;
      };
      this.#filling = filling.then(done, done);
      return filling;
    });
  }

  /** The next element of the source. An error ends the filler: where it stands then is unknown, and the next one begins anew. */
  #pull(): Maybe<T | End> {
    const failed = (error: unknown): never => {
      if (this.#filler !== undefined) letGo(this.#filler);
      this.#filler = undefined;
      throw error;
    };
    try {
      const pulled = this.#filler?.pull() ?? this.#refill();
      return pulled instanceof Promise ? pulled.catch(failed) : pulled;
    } catch (error) {
      return failed(error);
    }
  }

  #refill(): Maybe<T | End> {
    const filler = (this.#filler = this.source.open(0));
    return chain(skipElements(filler, this.elements.length), () => filler.pull());
  }

  #keep(element: T | End): typeof AGAIN | Promise<typeof AGAIN> {
    if (element !== END) {
      this.elements.push(element as T);
      return AGAIN;
    }
    this.#complete = true;
    return chain(this.#filler!.close(), () => AGAIN) as typeof AGAIN;
  }
}

function cacheCursor<T>(store: Store<T>): Cursor<T> {
  const exact = exactRequired();
  let position = 0;
  return {
    pull: (): Maybe<T | End> =>
      chain(store.at(position), (element) => {
        if (element !== END) position++;
        return element;
      }),
    state: (): PositionValue => {
      if (exact && position > 0) throw replayRefused('cache', 'what it holds in memory must be read anew (cache(file) keeps it)');
      return position;
    },
    restore: (state) => {
      position = count(state, 'cache position');
    },
    address: () => position - 1,
    fetch: (address) => store.at(count(address, 'cache position')) as Maybe<T>,
    close: () => undefined,
  };
}
