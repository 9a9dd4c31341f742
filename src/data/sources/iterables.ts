import { DataError, OrbitError } from '../../errors.js';
import { optionsOf, whole } from '../arguments.js';
import { notice } from '../notice.js';
import { exactRequired, replayRefused } from '../operators/exact.js';
import { count } from '../random-access.js';
import { END, forEachIndex, chain, type Cursor, type End, type Maybe, type PositionValue, type Stage } from '../stage.js';
import { describe } from '../structure.js';

/** Anything that can be gone through. */
export type AnyIterable<T> = Iterable<T> | AsyncIterable<T>;

/** How a data set over an iterable behaves. */
export interface IterableOptions {
  /** Name of the source in messages and saved positions; default `iterable`. */
  readonly name?: string;
  /** Number of elements, where it is known before reading. */
  readonly length?: number;
  /** Refuse an iterable that can be resumed only by reading and dropping what came before. Default false. */
  readonly requireExactResume?: boolean;
}

/** Checks options that a user gave. */
export function iterableOptions(options: IterableOptions | null | undefined, operator: string): IterableOptions {
  const { name, length, requireExactResume } = optionsOf(options, operator, ['name', 'length', 'requireExactResume'], 'requireExactResume');
  if (length !== undefined && length !== null && length !== Infinity) whole(length, `${operator}: length`, 0);
  return { name: name ?? undefined, length: length ?? undefined, requireExactResume: requireExactResume ?? undefined };
}

interface StatefulIterator {
  stateDict(): { readonly [key: string]: PositionValue };
  loadStateDict(state: { readonly [key: string]: PositionValue }): void;
}

/**
 * The elements of what `start` returns; it is called for every pass. An iterator with `stateDict` and `loadStateDict` is
 * resumed through them; any other one by reading and dropping as many elements as were taken.
 */
export function iterableStage<T>(start: (pass: number) => AnyIterable<T>, options: IterableOptions = {}): Stage<T> {
  const { name = 'iterable', length, requireExactResume = false } = options;
  return { label: name, length, open: (pass) => new IterableCursor(start, pass, name, requireExactResume) };
}

class IterableCursor<T> implements Cursor<T> {
  #iterator: Iterator<T> | AsyncIterator<T> | undefined;
  #taken = 0;
  #ended = false;
  readonly #exact: boolean;

  constructor(
    readonly start: (pass: number) => AnyIterable<T>,
    readonly pass: number,
    readonly name: string,
    exact: boolean,
  ) {
    this.#exact = exact || exactRequired();
  }

  #open(): Iterator<T> | AsyncIterator<T> {
    if (this.#iterator !== undefined) return this.#iterator;
    const iterable = this.start(this.pass) as Partial<Iterable<T> & AsyncIterable<T>> | null | undefined;
    const iterator = iterable?.[Symbol.asyncIterator]?.() ?? iterable?.[Symbol.iterator]?.();
    if (iterator === undefined)
      throw new DataError(`${this.name}: the function must return something iterable (an array, a generator, a stream).`);
    if (this.#exact && !isStateful(iterator)) throw replayRefused(this.name, 'its iterator has no stateDict() and loadStateDict()');
    return (this.#iterator = iterator);
  }

  pull(): Maybe<T | End> {
    if (this.#ended) return END;
    const iterator = this.#open();
    let result;
    try {
      result = iterator.next();
    } catch (error) {
      return this.#fail(error);
    }
    // Only iterators of other realms and hand-made ones give promises that are not Promise.
    if (typeof (result as PromiseLike<unknown> | undefined)?.then === 'function')
      return Promise.resolve(result).then(
        (value) => this.#take(value),
        (error: unknown) => this.#fail(error),
      );
    return this.#take(result as IteratorResult<T>);
  }

  #take(result: IteratorResult<T>): T | End {
    if (typeof result !== 'object' || result === null) throw new DataError(`${this.name}: its iterator's next() gave ${describe(result)}.`);
    if (result.done) {
      this.#ended = true;
      if (this.#taken === 0 && gone.has(this.#iterator!)) throw this.#once();
      return END;
    }
    if (this.#taken++ === 0) gone.add(this.#iterator!);
    return result.value;
  }

  #fail(error: unknown): never {
    if (error instanceof OrbitError) throw error;
    const message = error instanceof Error ? error.message : String(error);
    throw new DataError(`${this.name} failed after ${this.#taken} ${this.#taken === 1 ? 'element' : 'elements'}: ${message}`, {
      cause: error,
    });
  }

  #once(): DataError {
    return new DataError(
      `${this.name} can be gone through only once, and that has happened; give a list, or fromGenerator a function that starts anew.`,
    );
  }

  state(): PositionValue {
    const iterator = this.#iterator;
    if (iterator !== undefined && isStateful(iterator)) return [this.#taken, iterator.stateDict()];
    return this.#taken;
  }

  restore(state: PositionValue): Maybe<void> {
    if (Array.isArray(state)) {
      const [taken, inner] = state as [number, { readonly [key: string]: PositionValue }];
      const iterator = this.#open();
      if (!isStateful(iterator)) throw new DataError(`${this.name}: the saved position needs an iterator with loadStateDict().`);
      iterator.loadStateDict(inner);
      this.#taken = taken;
      return;
    }
    const taken = count(state, 'count of elements');
    if (taken === 0) return;
    notice(`${this.name}: resuming by reading and dropping the ${taken} elements that were taken before.`);
    return forEachIndex(taken, () =>
      chain(this.pull(), (element) => {
        if (element === END)
          throw gone.has(this.#iterator!) && this.#taken === 0
            ? this.#once()
            : new DataError(`${this.name}: it ended after ${this.#taken} elements, but ${taken} were taken when the position was saved.`);
      }),
    );
  }

  address(): undefined {
    return undefined;
  }

  fetch(): never {
    throw new DataError(`${this.name}: single elements of an iterable cannot be read again.`);
  }

  close(): Maybe<void> {
    const iterator = this.#iterator;
    if (iterator === undefined || this.#ended) return;
    this.#ended = true;
    return chain(iterator.return?.() as Maybe<unknown>, () => undefined);
  }
}

/** Iterators that have given elements: one that comes again without any is over. */
const gone = new WeakSet<object>();

function isStateful(iterator: object): iterator is StatefulIterator {
  const { stateDict, loadStateDict } = iterator as Partial<StatefulIterator>;
  return typeof stateDict === 'function' && typeof loadStateDict === 'function';
}
