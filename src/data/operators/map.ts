import { UsageError } from '../../errors.js';
import { optionsOf, whole } from '../arguments.js';
import { failAt, failedOn } from '../failure.js';
import { pure } from '../purity.js';
import { randomStage } from '../random-access.js';
import {
  all,
  chain,
  derived,
  fetchAll,
  locate,
  onElement,
  restoreCursor,
  skipElements,
  type Cursor,
  type Maybe,
  type PositionValue,
  type Stage,
} from '../stage.js';
import { InWorker, workerOptionNames, type WorkerOptions } from '../workers/index.js';
import { inWorkers, ownThread } from './in-workers.js';
import { aheadCursor } from './read-ahead.js';

/** How {@link mapIn} runs its function. */
export interface MapPlan extends WorkerOptions {
  /** Calls of an asynchronous function of this thread at a time. */
  readonly parallel?: number;
}

/** Applies a function of this thread, or one in workers. Throws a {@link UsageError} for options of the other kind. */
export function mapIn<A, B>(
  source: Stage<A>,
  fn: ((element: A) => Maybe<B>) | InWorker<A, B>,
  options: MapPlan | null | undefined,
  operator = 'map',
): Stage<B> {
  const { parallel, ...workerOptions } = optionsOf(options, operator, ['parallel', ...workerOptionNames]);
  if (fn instanceof InWorker) {
    if (parallel !== undefined && parallel !== null)
      throw new UsageError(`${operator}: parallel is for functions of this thread; set workers for one that runs in workers.`);
    return inWorkers<B>(source, fn, 'map', workerOptions, operator);
  }
  ownThread(fn, workerOptions, operator);
  if (parallel !== undefined && parallel !== null) whole(parallel, `${operator}: parallel`, 1);
  return derived(source, map(source, pure(operator, fn), parallel ?? 1));
}

/** Applies a pure function to every element; `parallel` calls of an asynchronous function run at a time, in order. */
export function map<A, B>(source: Stage<A>, fn: (element: A) => Maybe<B>, parallel: number): Stage<B> {
  const label = `${source.label} > map`;
  const { random } = source;
  if (random !== undefined) {
    const readAhead = Math.max(random.readAhead ?? 0, parallel > 1 ? parallel : 0);
    return randomStage(label, {
      length: random.length,
      locality: random.locality,
      readAhead,
      ready: random.ready && (() => random.ready?.()),
      locate: random.locate,
      at: (pass, position) =>
        chain(random.at(pass, position), (element) =>
          call(
            fn,
            element,
            () => position,
            (at, error) => failedAt(random.locate?.(pass, position), at, error),
          ),
        ),
    });
  }
  return {
    label,
    length: source.length,
    addressable: source.addressable,
    open: (pass) =>
      parallel > 1
        ? aheadCursor(source.open(pass), parallel, (element, cursor) => callAt(fn, element, cursor, () => cursor.address()))
        : mapCursor(source.open(pass), fn),
  };
}

function call<A, B, P>(fn: (element: A) => Maybe<B>, element: A, where: () => P, fail: (at: P, error: unknown) => Maybe<never>): Maybe<B> {
  try {
    const result = fn(element);
    if (typeof (result as PromiseLike<B> | null | undefined)?.then !== 'function') return result;
    const at = where(); // now: the cursor may move before the promise fails
    return Promise.resolve(result).catch((error: unknown) => fail(at, error));
  } catch (error) {
    return fail(where(), error);
  }
}

function callAt<A, B>(fn: (element: A) => Maybe<B>, element: A, source: Cursor<A>, where: () => PositionValue | undefined): Maybe<B> {
  return call(fn, element, where, (at, error) => failAt('map', source, at, error));
}

function failedAt(place: string | undefined, position: number, error: unknown): never {
  return failedOn('map', place ?? position, error);
}

function mapCursor<A, B>(source: Cursor<A>, fn: (element: A) => Maybe<B>): Cursor<B> {
  return {
    pull: () => onElement(source.pull(), (element) => callAt(fn, element, source, () => source.address())),
    state: () => source.state(),
    restore: (state) => restoreCursor(source, state),
    address: () => source.address(),
    fetch: (address) => chain(source.fetch(address), (element) => callAt(fn, element, source, () => address)),
    fetchAll: (addresses) =>
      chain(fetchAll(source, addresses), (elements) => all(elements.map((element, i) => callAt(fn, element, source, () => addresses[i])))),
    skip: (count) => skipElements(source, count),
    locate: (address) => locate(source, address),
    close: () => source.close(),
  };
}
