import type { Cursor, End, Maybe, PositionValue, RandomAccess, Stage } from './stage.js';
import { END, chain } from './stage.js';
import { DataError } from '../errors.js';

/** Makes the stage of a random-access sequence. */
export function randomStage<T>(label: string, random: RandomAccess<T>): Stage<T> {
  return { label, length: random.length, addressable: true, random, open: (pass) => new RandomCursor(random, pass) };
}

/** Walks a random-access sequence in order. The state is the position; elements that come as promises are started ahead. */
class RandomCursor<T> implements Cursor<T> {
  readonly #random: RandomAccess<T>;
  readonly #pass: number;
  readonly #ahead: Promise<T>[] = [];
  #position = 0;
  #ready = false;

  constructor(random: RandomAccess<T>, pass: number) {
    this.#random = random;
    this.#pass = pass;
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
    this.#position = count(state, 'position');
    this.#ahead.length = 0;
  }

  address(): PositionValue {
    return this.#position - 1;
  }

  fetch(address: PositionValue): Maybe<T> {
    return chain(this.#random.ready?.(), () => this.#random.at(this.#pass, count(address, 'position')));
  }

  close(): void {
    this.#ahead.length = 0;
  }
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
