import { UsageError } from '../errors.js';
import { asFunction, asList, asStage, whole } from './arguments.js';
import { Dataset } from './dataset.js';
import type { DTypeOf, NDArray, TypedArray } from './ndarray.js';
import { mixIn } from './operators/mix.js';
import { zip } from './operators/zip.js';
import { columnsOf, tableStage } from './sources/columns.js';
import { itemsStage } from './sources/items.js';
import { iterableOptions, iterableStage, type AnyIterable, type IterableOptions } from './sources/iterables.js';
import type { Stage } from './stage.js';
import { describe } from './structure.js';

/** The elements of {@link fromArrays}: a row of every array. Numbers and booleans come as arrays without axes. */
export type RowOf<A> = A extends NDArray
  ? A
  : A extends TypedArray
    ? NDArray<DTypeOf<A>>
    : A extends readonly number[]
      ? NDArray<'float32'>
      : A extends readonly boolean[]
        ? NDArray<'bool'>
        : A extends readonly string[]
          ? string
          : A extends object
            ? { -readonly [K in keyof A]: RowOf<A[K]> }
            : never;

/**
 * A data set with one element per row of the given arrays: one array, or a tuple or record of them, all with equally many rows.
 * Typed arrays keep their dtype; lists of numbers become float32. The arrays are used in place: do not change them afterwards.
 */
export function fromArrays<const A>(arrays: A): Dataset<RowOf<A>> {
  return new Dataset(tableStage<RowOf<A>>('arrays', columnsOf(arrays)));
}

/** A data set of the items of a list. */
export function fromItems<T>(items: readonly T[]): Dataset<T> {
  const copy = asList(items, 'fromItems: items').slice();
  return new Dataset(itemsStage('items', copy.length, (position) => copy[position]!));
}

/** The whole numbers from `start` up to `end` (excluded). */
export function range(start: number, end: number): Dataset<number> {
  whole(end, 'range: end (of start and end)', -Number.MAX_SAFE_INTEGER);
  return new Dataset(
    itemsStage(`range from ${whole(start, 'range: start', -Number.MAX_SAFE_INTEGER)} `, Math.max(0, end - start), (i) => start + i),
  );
}

/** A data set of what a generator function yields; it is called for every pass, with the pass's number. */
export function fromGenerator<T>(generator: (pass: number) => AnyIterable<T>, options?: IterableOptions): Dataset<T> {
  const known = iterableOptions(options, 'fromGenerator');
  return new Dataset(iterableStage(asFunction(generator, 'fromGenerator'), { ...known, name: known.name ?? 'generator' }));
}

/** A data set of what an iterable gives. An iterator that can be gone through only once serves one pass. */
export function fromIterable<T>(iterable: AnyIterable<T>, options?: IterableOptions): Dataset<T> {
  const given: unknown = iterable;
  const isIterable = (typeof given === 'object' && given !== null) || typeof given === 'string';
  if (!isIterable || !(Symbol.iterator in Object(given) || Symbol.asyncIterator in Object(given)))
    throw new UsageError(`fromIterable needs something iterable (a list, a stream, an iterator), but ${describe(given)} was given.`);
  return new Dataset(iterableStage(() => iterable, iterableOptions(options, 'fromIterable')));
}

/** Groups the elements of several data sets into tuples; ends with the shortest. */
export function zipDatasets<A extends readonly unknown[]>(datasets: { readonly [K in keyof A]: Dataset<A[K]> }): Dataset<A> {
  const stages = asList(datasets as readonly Dataset<unknown>[], 'zipDatasets: datasets').map((dataset) => asStage(dataset, 'zipDatasets'));
  if (stages.length === 0) throw new UsageError('zipDatasets needs at least one data set.');
  return new Dataset(zip(stages) as Stage<unknown>) as Dataset<A>;
}

/** Draws each element from one of the data sets, chosen with its weight; ends as soon as a chosen one is empty. */
export function mixDatasets<T>(
  datasets: readonly Dataset<T>[],
  weights: readonly number[],
  options?: { readonly seed?: number },
): Dataset<T> {
  const stages = asList(datasets, 'mixDatasets: datasets').map((dataset) => asStage(dataset, 'mixDatasets'));
  return new Dataset(mixIn(stages, weights, options, 'mixDatasets'));
}
