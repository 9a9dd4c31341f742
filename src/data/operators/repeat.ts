import { count as checkCount, fetchGroups, list, randomStage, rearranged } from '../random-access.js';
import { repeatedLocality } from '../locality.js';
import { laterOpener } from './exact.js';
import {
  AGAIN,
  END,
  fetchAll,
  innerPass,
  locate,
  loop,
  restoreCursor,
  chain,
  type Cursor,
  type End,
  type Maybe,
  type PositionValue,
  type RandomAccess,
  type Stage,
} from '../stage.js';

/** Goes through the source `times` times (`Infinity`: endlessly). An empty source stays empty. */
export function repeat<T>(source: Stage<T>, times: number): Stage<T> {
  if (source.work !== undefined) return source.work.over((inner) => repeat(inner, times));
  const label = `${source.label} > repeat${times === Infinity ? '' : `(${times})`}`;
  if (source.random !== undefined) return randomStage(label, repeatRandom(source.random, times));
  return {
    label,
    length: repeatedLength(source.length, times),
    addressable: source.addressable,
    open: (pass) => new RepeatCursor(source, times, pass),
  };
}

/** Endless, unless there is nothing to repeat, also where the length of one repetition is not known. */
function repeatedLength(length: number | undefined, times: number): number | undefined {
  if (length === 0 || times === 0) return 0;
  if (times === Infinity) return Infinity;
  return length && length * times;
}

/** A repetition of a random-access sequence is a random-access sequence. */
export function repeatRandom<T>(cycle: RandomAccess<T>, times: number): RandomAccess<T> {
  const { length } = cycle;
  const all = length === 0 || times === 0 ? 0 : length * times;
  const place = (_: number, position: number): number => (position < length ? position : position % length);
  const passOf = (pass: number, position: number): number => innerPass(pass, times, position < length ? 0 : Math.floor(position / length));
  return {
    ...rearranged(cycle, all, place, passOf),
    locality: repeatedLocality(cycle.locality, length, times),
    cycle: times === Infinity ? cycle : undefined,
  };
}

class RepeatCursor<T> implements Cursor<T> {
  #inner: Cursor<T>;
  #round = 0;
  #empty = true;
  readonly #later = laterOpener();
  #fetcher: { round: number; cursor: Cursor<T> } | undefined;

  constructor(
    readonly source: Stage<T>,
    readonly times: number,
    readonly pass: number,
  ) {
    this.#inner = this.#open(0);
  }

  #open(round: number): Cursor<T> {
    return this.#later(this.source, innerPass(this.pass, this.times, round));
  }

  pull(): Maybe<T | End> {
    if (this.times === 0) return END;
    return loop<T | End>(() =>
      chain<T | End, T | End | typeof AGAIN>(this.#inner.pull(), (element) => {
        if (element !== END) {
          this.#empty = false;
          return element;
        }
        if (this.#empty || this.#round + 1 >= this.times) return END;
        const old = this.#inner;
        this.#round++;
        this.#empty = true;
        this.#inner = this.#open(this.#round); // first, so that what passes share stays open
        return chain(old.close(), () => AGAIN);
      }),
    );
  }

  state(): PositionValue {
    return [this.#round, this.#empty, this.#inner.state()];
  }

  restore(state: PositionValue): Maybe<void> {
    const [round, empty, inner] = list(state, 'repetition');
    return chain(this.#inner.close(), () => {
      this.#round = checkCount(round, 'repetition');
      this.#empty = empty === true;
      this.#inner = this.#open(this.#round);
      return restoreCursor(this.#inner, inner!);
    });
  }

  address(): PositionValue | undefined {
    const inner = this.#inner.address();
    return inner === undefined ? undefined : [this.#round, inner];
  }

  fetch(address: PositionValue): Maybe<T> {
    const [at, inner] = list(address, 'repetition');
    const round = checkCount(at, 'repetition');
    return this.#cursorOf(round).fetch(inner!);
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<T[]> {
    return fetchGroups(addresses, 'repetition', (round, inner) => fetchAll(this.#cursorOf(checkCount(round, 'repetition')), inner));
  }

  locate(address: PositionValue): Maybe<string | undefined> {
    const [at, inner] = list(address, 'repetition');
    return locate(this.#cursorOf(checkCount(at, 'repetition')), inner);
  }

  #cursorOf(round: number): Cursor<T> {
    if (round === this.#round) return this.#inner;
    if (this.#fetcher?.round !== round) {
      void this.#fetcher?.cursor.close();
      this.#fetcher = { round, cursor: this.#open(round) };
    }
    return this.#fetcher!.cursor;
  }

  close(): Maybe<void> {
    return chain(this.#fetcher?.cursor.close(), () => this.#inner.close());
  }
}
