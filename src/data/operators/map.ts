import { failedOn } from '../failure.js';
import { randomStage } from '../random-access.js';
import { onElement, restoreCursor, chain, type Cursor, type Maybe, type Stage } from '../stage.js';
import { aheadCursor } from './read-ahead.js';

/** Applies a pure function to every element; `parallel` calls of an asynchronous function run at a time, in order. */
export function map<A, B>(source: Stage<A>, fn: (element: A) => Maybe<B>, parallel: number): Stage<B> {
  const label = `${source.label} > map`;
  const { random } = source;
  if (random !== undefined) {
    const readAhead = Math.max(random.readAhead ?? 0, parallel > 1 ? parallel : 0);
    return randomStage(label, {
      length: random.length,
      readAhead,
      ready: random.ready && (() => random.ready?.()),
      at: (pass, position) => chain(random.at(pass, position), (element) => call(fn, element, () => position)),
    });
  }
  return {
    label,
    length: source.length,
    addressable: source.addressable,
    open: (pass) =>
      parallel > 1
        ? aheadCursor(source.open(pass), parallel, (element, cursor) => call(fn, element, () => cursor.address()))
        : mapCursor(source.open(pass), fn),
  };
}

function call<A, B>(fn: (element: A) => Maybe<B>, element: A, where: () => unknown): Maybe<B> {
  try {
    const result = fn(element);
    if (typeof (result as PromiseLike<B> | null | undefined)?.then !== 'function') return result;
    const at = where(); // now: the cursor may move before the promise fails
    return Promise.resolve(result).catch((error: unknown) => failedOn('map', at, error));
  } catch (error) {
    return failedOn('map', where(), error);
  }
}

function mapCursor<A, B>(source: Cursor<A>, fn: (element: A) => Maybe<B>): Cursor<B> {
  return {
    pull: () => onElement(source.pull(), (element) => call(fn, element, () => source.address())),
    state: () => source.state(),
    restore: (state) => restoreCursor(source, state),
    address: () => source.address(),
    fetch: (address) => chain(source.fetch(address), (element) => call(fn, element, () => address)),
    close: () => source.close(),
  };
}
