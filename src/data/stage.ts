/**
 * The inside of a data set. A {@link Stage} is a description that can be opened many times; a {@link Cursor} is one walk over
 * it. Everything answers at once where it can: a promise appears only where something really has to be waited for.
 */

import type { PoolPlan } from './workers/pool.js';

/** A value, or a promise of it. */
export type Maybe<T> = T | Promise<T>;

/** Plain data that describe a position. */
export type PositionValue = number | string | boolean | null | readonly PositionValue[] | { readonly [key: string]: PositionValue };

/** What a cursor yields after its last element. */
export const END: unique symbol = Symbol('end of data');

/** The end marker's type. */
export type End = typeof END;

/** One walk over the elements of a stage. Calls come one at a time: the next `pull` only after the last one answered. */
export interface Cursor<T> {
  /** The next element, or `END` (again and again). */
  pull(): Maybe<T | End>;
  /** The next `count` elements, or fewer before the end, as rows of a batch; only where that costs less than pulling them. */
  pullRows?(count: number): Maybe<PulledRows | End>;
  /** The position after the last pulled element. */
  state(): PositionValue;
  /** Goes to a position that `state` gave, in this process or another one. Called before the first `pull`; see {@link restoreCursor}. */
  restore(state: PositionValue): Maybe<void>;
  /** Where the last pulled element can be read again by itself; undefined where it cannot. */
  address(): PositionValue | undefined;
  /** Reads the element at an address that `address` gave, without moving the cursor. */
  fetch(address: PositionValue): Maybe<T>;
  /** Reads the elements at several addresses, in that order, where that costs less than one by one; see {@link fetchAll}. */
  fetchAll?(addresses: readonly PositionValue[]): Maybe<T[]>;
  /** Moves on by `count` elements without making them, where that costs less than pulling; see {@link skipElements}. */
  skip?(count: number): Maybe<void>;
  /** The number that functions in workers are told of the element at an address, where that is not its place in this order. */
  number?(address: PositionValue): ElementNumber | undefined;
  /** Where the element at an address comes from, in words: file and record; see {@link locate}. */
  locate?(address: PositionValue): Maybe<string | undefined>;
  /** Takes back an element that nobody uses any more, to reuse its memory. */
  release?(element: T): void;
  /** Releases files and workers. */
  close(): Maybe<void>;
}

/** Which element of which pass. */
export interface ElementNumber {
  readonly pass: number;
  readonly index: number;
}

/** The share of a rank: elements number `index`, `index + of`, `index + 2 of`, … of what all ranks have together. */
export interface Part {
  readonly index: number;
  readonly of: number;
}

/** Elements that {@link Cursor.pullRows} gave. */
export interface PulledRows {
  readonly batch: unknown;
  readonly count: number;
  /** Addresses of the elements. */
  readonly addresses: readonly PositionValue[];
  /** Gives the batch back once it has been read. */
  release(): void;
}

/**
 * A stage whose element at every position is a pure function of (pass, position). Its cursor's state is the position alone,
 * shuffling it is a whole permutation, and its length is known.
 */
export interface RandomAccess<T> {
  /** Number of elements in a pass; `Infinity` for an endless repetition. */
  readonly length: number;
  /** Element at `position` (0 ≤ position < length) of a pass. */
  at(pass: number, position: number): Maybe<T>;
  /** Loads what `at` needs, once; undefined when it is there. */
  ready?(): Promise<void> | undefined;
  /** See {@link Cursor.number}. */
  number?(pass: number, position: number): ElementNumber;
  /** Where an element comes from, in words, where that says more than its position. */
  locate?(pass: number, position: number): string | undefined;
  /** Set where elements are rows of columns that can make a whole batch in one go. */
  readonly rows?: RowAccess;
  /** Set where elements are read in groups, such as the row groups of a file. */
  readonly locality?: Locality;
  /** The stage of one repetition, where this is an endless repetition. */
  readonly cycle?: RandomAccess<T>;
  /** Takes back an element that `at` made and nobody uses any more, to reuse its memory. Only where no two elements share any. */
  release?(element: T): void;
  /** How many elements to work on ahead of the consumer where elements come as promises; 0 or undefined: none. */
  readonly readAhead?: number;
}

/** Which positions are read together: in any order, reading those of few groups at a time costs far less than reading all over. */
export interface Locality {
  /** Position at which each group begins, ascending; the first is 0. */
  readonly starts: ArrayLike<number>;
  /** Groups that fit into the memory given to them. */
  readonly kept: number;
  /** Says that positions will be read in an order that takes `kept` groups at a time. */
  keep(): void;
}

/** Rows of columns, addressed through an order. */
export interface RowAccess {
  /** The row of the source at a position of a pass. */
  index(pass: number, position: number): number;
  /** Gathers `count` rows into a new batch, or a promise of it. The list of indices may change after the call. */
  gather(indices: Uint32Array, count: number): unknown;
  /** Takes back a batch that `gather` made and nobody uses any more. */
  release?(batch: unknown): void;
}

/** A description of a sequence of elements. */
export interface Stage<T> {
  /** The chain of operators in words, such as `arrays(100) > shuffle(seed 1) > batch(8)`: what a saved position belongs to. */
  readonly label: string;
  /** Elements in a pass: `Infinity` when endless, undefined when unknown before reading. */
  readonly length: number | undefined;
  /** True where every element of every walk has an address; undefined where that is not known beforehand. */
  readonly addressable?: boolean;
  /** Set after a shard: ranks draw other random numbers for other elements. */
  readonly part?: Part;
  /** Starts a walk. `pass` numbers the walks, so that shuffles differ between them. */
  open(pass: number): Cursor<T>;
  /** The stage as a function of position, where it is one. */
  readonly random?: RandomAccess<T>;
  /** Set where functions are applied in workers; operators that only order or pick elements then work on what comes before. */
  readonly work?: WorkerStage<T>;
}

/** The application of functions in workers, as something that can be placed elsewhere. */
export interface WorkerStage<T> {
  /** Applies the functions to what `change` makes of their source instead. */
  over(change: <S>(source: Stage<S>) => Stage<S>): Stage<T>;
  /** Applies more functions in the same workers; undefined where theirs are to run otherwise. */
  append(plan: PoolPlan): Stage<unknown> | undefined;
  /** Has the workers make batches too. With `needsOne`, a pass that drops all it has is an error. */
  batch(size: number, dropRemainder: boolean, needsOne: boolean): Stage<unknown>;
}

/** What an operator made of a source, with the part that the source is. */
export function derived<T>({ part }: Stage<unknown>, stage: Stage<T>): Stage<T> {
  return part === undefined ? stage : { part, ...stage };
}

/** Passes that one walk of an endless repetition may take before its pass numbers meet the next walk's. */
const ENDLESS_PASSES = 2 ** 20;

/** The pass number of repetition `k` inside walk `pass` of a repetition that makes `count` passes. */
export function innerPass(pass: number, count: number, k: number): number {
  return pass * (count === Infinity ? ENDLESS_PASSES : count) + k;
}

/** The walk and the repetition inside it that {@link innerPass} numbered, for an endless repetition. */
export function endlessRound(inner: number): { readonly pass: number; readonly k: number } {
  return { pass: Math.floor(inner / ENDLESS_PASSES), k: inner % ENDLESS_PASSES };
}

/** Applies `f` now, or when the promise is fulfilled. */
export function chain<A, B>(value: Maybe<A>, f: (value: A) => Maybe<B>): Maybe<B> {
  return value instanceof Promise ? value.then(f) : f(value);
}

/** The values, or a promise of them where one is a promise. */
export function all<T>(values: Maybe<T>[]): Maybe<T[]> {
  return values.some((value) => value instanceof Promise) ? Promise.all(values) : (values as T[]);
}

/** What a step of {@link loop} answers to go round again. */
export const AGAIN: unique symbol = Symbol('again');

/** Repeats `step` until it answers something else than `AGAIN`; turns asynchronous with the first promise. */
export function loop<T>(step: () => Maybe<T | typeof AGAIN>): Maybe<T> {
  for (;;) {
    const result = step();
    if (result instanceof Promise) return continueLoop(step, result);
    if (result !== AGAIN) return result;
  }
}

async function continueLoop<T>(step: () => Maybe<T | typeof AGAIN>, first: Promise<T | typeof AGAIN>): Promise<T> {
  let result = await first;
  while (result === AGAIN) result = await step();
  return result;
}

/** Calls `visit` for 0…count-1, one after the other, waiting where one returns a promise. */
export function forEachIndex(count: number, visit: (index: number) => Maybe<void>): Maybe<void> {
  let index = 0;
  return loop<void>(() => (index >= count ? undefined : chain(visit(index++), () => AGAIN)));
}

/** The `END` guard: applies `f` to an element, passes the end on. */
export function onElement<A, B>(pulled: Maybe<A | End>, f: (value: A) => Maybe<B>): Maybe<B | End> {
  return chain<A | End, B | End>(pulled, (value) => (value === END ? END : f(value as A)));
}

/** A position as "from there, that many elements on": what reading ahead saves, whatever its depth. */
export interface SkipState {
  readonly [key: string]: PositionValue;
  readonly from: PositionValue;
  readonly skip: number;
}

/** Tells a {@link SkipState} from the positions of the operators. */
export function isSkipState(state: PositionValue): state is SkipState {
  return typeof state === 'object' && state !== null && !Array.isArray(state) && 'from' in state && 'skip' in state;
}

/** Restores a cursor from its own kind of position or from a {@link SkipState}, so that read-ahead may come and go between runs. */
export function restoreCursor(cursor: Cursor<unknown>, state: PositionValue): Maybe<void> {
  if (!isSkipState(state)) return cursor.restore(state);
  return chain(restoreCursor(cursor, state.from), () => skipElements(cursor, state.skip));
}

/** Closes what nobody waits for any more, once it is not busy; errors concern nobody either. */
export function letGo(cursor: Cursor<unknown>, busy?: Promise<unknown>): void {
  const close = async (): Promise<void> => {
    await cursor.close();
  };
  (busy === undefined ? close() : busy.then(close, close)).catch(() => undefined);
}

/** Moves a cursor on by `count` elements, without calling functions where it can. */
export function skipElements(cursor: Cursor<unknown>, count: number): Maybe<void> {
  if (cursor.skip !== undefined) return cursor.skip(count);
  return forEachIndex(count, () => chain(cursor.pull(), () => undefined));
}

/** Reads the elements at several addresses, in their order. */
export function fetchAll<T>(cursor: Cursor<T>, addresses: readonly PositionValue[]): Maybe<T[]> {
  if (cursor.fetchAll !== undefined) return cursor.fetchAll(addresses);
  const elements: T[] = [];
  return chain(
    forEachIndex(addresses.length, (i) => chain(cursor.fetch(addresses[i]!), (element) => void elements.push(element))),
    () => elements,
  );
}

/** Where the element at an address comes from, in words. */
export function locate(cursor: Cursor<unknown>, address: PositionValue | undefined): Maybe<string | undefined> {
  return address === undefined ? undefined : cursor.locate?.(address);
}
