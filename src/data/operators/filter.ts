import { failAt } from '../failure.js';
import { pure } from '../purity.js';
import { list } from '../random-access.js';
import {
  AGAIN,
  derived,
  END,
  fetchAll,
  locate,
  loop,
  restoreCursor,
  chain,
  type Cursor,
  type End,
  type Maybe,
  type Stage,
} from '../stage.js';
import { InWorker, type WorkerOptions } from '../workers/index.js';
import { inWorkers, ownThread } from './in-workers.js';

/** Keeps elements by a function of this thread, or by one in workers. */
export function filterIn<T>(
  source: Stage<T>,
  predicate: ((element: T) => Maybe<boolean>) | InWorker<T, unknown>,
  options: WorkerOptions | null | undefined,
  operator = 'filter',
): Stage<T> {
  if (predicate instanceof InWorker) return inWorkers<T>(source, predicate, 'filter', options, operator);
  ownThread(predicate, options, operator);
  return derived(source, filter(source, pure(operator, predicate)));
}

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
    const address = source.address();
    const failed = (error: unknown): Maybe<never> => failAt('filter', source, address, error);
    try {
      const answer = predicate(element);
      return answer instanceof Promise ? answer.catch(failed) : answer;
    } catch (error) {
      return failed(error);
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
