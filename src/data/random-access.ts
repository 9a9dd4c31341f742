import type { Cursor, ElementNumber, End, Maybe, PositionValue, PulledRows, RandomAccess, RowAccess, Stage } from './stage.js';
import { all, END, chain, forEachIndex } from './stage.js';
import { DataError } from '../errors.js';

/** Makes the stage of a random-access sequence. */
export function randomStage<T>(label: string, random: RandomAccess<T>): Stage<T> {
  return { label, length: random.length, addressable: true, random, open: (pass) => new RandomCursor(random, pass) };
}

/**
 * Walks a random-access sequence in order. The state is the position. Elements that come as promises are started ahead; others
 * are made when they are asked for: a step reads them from the caches that they were just written to.
 */
class RandomCursor<T> implements Cursor<T> {
  readonly #random: RandomAccess<T>;
  readonly #pass: number;
  readonly #ahead: Promise<T>[] = [];
  #position = 0;
  #ready = false;
  /** Set where elements are rows. */
  readonly pullRows?: (count: number) => Maybe<PulledRows | End>;

  constructor(random: RandomAccess<T>, pass: number) {
    this.#random = random;
    this.#pass = pass;
    const { rows } = random;
    if (rows !== undefined) this.pullRows = (count) => chain(random.ready?.(), () => this.#pullRows(rows, count));
  }

  #pullRows(rows: RowAccess, most: number): Maybe<PulledRows | End> {
    const first = this.#position;
    const count = Math.min(most, this.#random.length - first);
    if (count <= 0) return END;
    this.#forget();
    this.#position += count;
    const indices = new Uint32Array(count);
    const addresses: number[] = [];
    for (let i = 0; i < count; i++) {
      indices[i] = rows.index(this.#pass, first + i);
      addresses.push(first + i);
    }
    return chain(rows.gather(indices, count) as Maybe<unknown>, (batch) => ({
      batch,
      count,
      addresses,
      release: () => rows.release?.(batch),
    }));
  }

  pull(): Maybe<T | End> {
    if (!this.#ready) {
      const loading = this.#random.ready?.();
      if (loading !== undefined) return loading.then(() => this.#pullReady());
      this.#ready = true;
    }
    return this.#pullReady();
  }

  #pullReady(): Maybe<T | End> {
    this.#ready = true;
    if (this.#position >= this.#random.length) return END;
    const element = this.#ahead.shift() ?? this.#random.at(this.#pass, this.#position);
    this.#position++;
    if (element instanceof Promise) this.#readAhead();
    return element;
  }

  #readAhead(): void {
    const depth = this.#random.readAhead ?? 0;
    while (this.#ahead.length < depth) {
      const position = this.#position + this.#ahead.length;
      if (position >= this.#random.length) return;
      const element = (async () => this.#random.at(this.#pass, position))();
      element.catch(() => undefined); // seen when it is pulled
      this.#ahead.push(element);
    }
  }

  state(): PositionValue {
    return this.#position;
  }

  restore(state: PositionValue): void {
    const position = count(state, 'position');
    if (position > this.#random.length)
      throw new DataError(
        `The saved data position is ${position}, but the data have ${this.#random.length} elements: they are not those of the saved run.`,
      );
    this.#position = position;
    this.#forget();
  }

  address(): PositionValue {
    return this.#position - 1;
  }

  fetch(address: PositionValue): Maybe<T> {
    return chain(this.#random.ready?.(), () => this.#random.at(this.#pass, count(address, 'position')));
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<T[]> {
    return chain(this.#random.ready?.(), () => all(addresses.map((address) => this.#random.at(this.#pass, count(address, 'position')))));
  }

  skip(elements: number): void {
    this.#position = Math.min(this.#position + elements, this.#random.length);
    this.#forget();
  }

  number(address: PositionValue): ElementNumber | undefined {
    return this.#random.number?.(this.#pass, count(address, 'position'));
  }

  locate(address: PositionValue): string | undefined {
    return this.#random.locate?.(this.#pass, count(address, 'position'));
  }

  release(element: T): void {
    this.#random.release?.(element);
  }

  close(): void {
    this.#forget();
  }

  #forget(): void {
    this.#ahead.length = 0;
  }
}

/**
 * The elements of a sequence in another order, some of them, or several times: `place` says which position stands at a position,
 * `passOf` of which pass (default: the same).
 */
export function rearranged<T>(
  random: RandomAccess<T>,
  length: number,
  place: (pass: number, position: number) => number,
  passOf: (pass: number, position: number) => number = (pass) => pass,
): RandomAccess<T> {
  const { rows } = random;
  return {
    length,
    readAhead: random.readAhead,
    release: random.release,
    number: random.number && ((pass, position) => random.number!(passOf(pass, position), place(pass, position))),
    locate: random.locate && ((pass, position) => random.locate!(passOf(pass, position), place(pass, position))),
    ready: random.ready && (() => random.ready?.()),
    at: (pass, position) => random.at(passOf(pass, position), place(pass, position)),
    rows: rows && { ...rows, index: (pass, position) => rows.index(passOf(pass, position), place(pass, position)) },
  };
}

/**
 * Reads elements whose addresses are pairs `[group, address within it]`, group by group, and gives them in the order of their
 * addresses. `what` names the addresses in errors.
 */
export function fetchGroups<T>(
  addresses: readonly PositionValue[],
  what: string,
  fetch: (group: PositionValue, inner: readonly PositionValue[]) => Maybe<T[]>,
): Maybe<T[]> {
  const groups = new Map<unknown, { readonly group: PositionValue; readonly inner: PositionValue[]; readonly places: number[] }>();
  addresses.forEach((address, place) => {
    const [outer, inner] = list(address, what);
    const key = typeof outer === 'object' ? JSON.stringify(outer) : outer;
    let members = groups.get(key);
    if (members === undefined) groups.set(key, (members = { group: outer!, inner: [], places: [] }));
    members.inner.push(inner!);
    members.places.push(place);
  });
  const elements = new Array<T>(addresses.length);
  const parts = [...groups.values()];
  return chain(
    forEachIndex(parts.length, (i) =>
      chain(fetch(parts[i]!.group, parts[i]!.inner), (found) => parts[i]!.places.forEach((place, k) => (elements[place] = found[k]!))),
    ),
    () => elements,
  );
}

/** Checks a count inside a saved position. */
export function count(value: PositionValue | undefined, what: string): number {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return value;
  throw new DataError(`The saved data position is damaged: its ${what} is ${JSON.stringify(value)}, expected a whole number from 0.`);
}

/** Checks a list inside a saved position. */
export function list(value: PositionValue | undefined, what: string): readonly PositionValue[] {
  if (Array.isArray(value)) return value as readonly PositionValue[];
  throw new DataError(`The saved data position is damaged: its ${what} is ${JSON.stringify(value)}, expected a list.`);
}
