import { failAt } from '../failure.js';
import { list } from '../random-access.js';
import { AGAIN, END, fetchAll, locate, loop, restoreCursor, chain, type Cursor, type End, type Maybe, type Stage } from '../stage.js';

/** Keeps the elements for which a pure function answers true. */
export function filter<T>(source: Stage<T>, predicate: (element: T) => Maybe<boolean>): Stage<T> {
  return {
    label: `${source.label} > filter`,
    length: source.length === 0 ? 0 : undefined,
    addressable: source.addressable,
    open: (pass) => filterCursor(source.open(pass), predicate),
  };
}

function filterCursor<T>(source: Cursor<T>, predicate: (element: T) => Maybe<boolean>): Cursor<T> {
  const keep = (element: T): Maybe<boolean> => {
    try {
      return predicate(element);
    } catch (error) {
      return failAt('filter', source, source.address(), error);
    }
  };
  return {
    pull: () =>
      loop<T | End>(() =>
        chain<T | End, T | End | typeof AGAIN>(source.pull(), (element) =>
          element === END ? END : chain(keep(element as T), (yes) => (yes ? (element as T) : AGAIN)),
        ),
      ),
    state: () => [source.state()], // in a list: a position to skip from would count this operator's elements
    restore: (state) => restoreCursor(source, list(state, 'filter position')[0]!),
    address: () => source.address(),
    fetch: (address) => source.fetch(address),
    fetchAll: (addresses) => fetchAll(source, addresses),
    locate: (address) => locate(source, address),
    release: (element) => source.release?.(element),
    close: () => source.close(),
  };
}
