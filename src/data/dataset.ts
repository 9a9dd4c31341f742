import { UsageError } from '../errors.js';
import { DatasetIterator } from './iterator.js';
import type { DTypeOf, NDArray, TypedArray } from './ndarray.js';
import { batch, group } from './operators/batch.js';
import { cache } from './operators/cache.js';
import { concatenate } from './operators/concatenate.js';
import { bucketByLength } from './operators/bucket.js';
import { requireExact } from './operators/exact.js';
import { filter } from './operators/filter.js';
import { interleave } from './operators/interleave.js';
import { mapIn, type MapPlan } from './operators/map.js';
import { mix } from './operators/mix.js';
import { prefetch } from './operators/read-ahead.js';
import { repeat } from './operators/repeat.js';
import { shuffle } from './operators/shuffle.js';
import { shard, skip, take } from './operators/slice.js';
import { window } from './operators/window.js';
import { zip } from './operators/zip.js';
import { columnsOf, tableStage } from './sources/columns.js';
import { itemsStage } from './sources/items.js';
import { iterableStage, type AnyIterable, type IterableOptions } from './sources/iterables.js';
import { chain, type Maybe, type Stage } from './stage.js';
import type { InWorker, WorkerOptions } from './workers/index.js';
import { stackPadded, type PaddingOptions } from './padding.js';
import { rowCount, rowOf, type Batched, type Unbatched } from './structure.js';

/** What {@link Dataset.flatMap} and {@link Dataset.interleave} expand an element into. */
export type Expansion<T> = Dataset<T> | AnyIterable<T>;

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

/** What a shuffle is told. */
export interface ShuffleOptions {
  /**
   * Elements held back to choose from when the source can only be read in order. A source with known positions (arrays, idx
   * files, lists, and what map, batch, zip, … make of them) is always shuffled as a whole. 1 leaves the order as it is.
   */
  readonly bufferSize?: number;
  /** Same seed, same order; default 0. */
  readonly seed?: number;
  /** A new order in every pass; default true. */
  readonly reshuffleEachIteration?: boolean;
}

/**
 * A sequence of elements that can be gone through many times. Operators return new data sets and do no work; the work is done
 * by an iterator, element by element. Functions given to them must be pure: a resumed run calls them again.
 *
 * Order is a function of the seeds and of the number of the pass alone: not of prefetch depth or parallelism, and the shards
 * of a data set together are the data set.
 */
export class Dataset<T> implements AsyncIterable<T> {
  /** The description that the operators work on. */
  readonly stage: Stage<T>;
  #passes = 0;

  /** Use `fromArrays`, `fromItems`, `fromGenerator` or `fromIterable`. */
  constructor(stage: Stage<T>) {
    this.stage = stage;
  }

  /** Elements in one pass: `Infinity` when endless, undefined when it is not known before reading. */
  get length(): number | undefined {
    return this.stage.length;
  }

  /** Starts a walk. `pass` numbers the walks over this data set (default: 0, 1, 2, …); shuffles differ between passes. */
  iterator(pass: number = this.#passes++): DatasetIterator<T> {
    return new DatasetIterator(this.stage, pass);
  }

  /** Starts a walk, for `for await`. */
  [Symbol.asyncIterator](): DatasetIterator<T> {
    return this.iterator();
  }

  /** All elements of one pass as a list. */
  async toArray(): Promise<T[]> {
    if (this.length === Infinity) throw new UsageError('toArray was called on an endless data set; take(n) first.');
    const elements: T[] = [];
    for await (const element of this) elements.push(element);
    return elements;
  }

  /**
   * Applies a pure function to every element. With `parallel`, that many calls of an asynchronous function run at a time; the
   * order stays. A function named by `inWorker` runs in worker threads; `batch` after it then makes its batches there too.
   */
  map<U>(fn: (element: T) => Maybe<U>, options?: { readonly parallel?: number; readonly workers?: 0 }): Dataset<U>;
  map<U>(fn: InWorker<T, U>, options?: WorkerOptions): Dataset<U>;
  map<U>(fn: ((element: T) => Maybe<U>) | InWorker<T, U>, options?: MapPlan): Dataset<U>;
  map<U>(fn: ((element: T) => Maybe<U>) | InWorker<T, U>, options: MapPlan = {}): Dataset<U> {
    return new Dataset(mapIn(this.stage, fn, options));
  }

  /** Keeps the elements for which a pure function answers true. */
  filter<U extends T>(predicate: (element: T) => element is U): Dataset<U>;
  filter(predicate: (element: T) => Maybe<boolean>): Dataset<T>;
  filter(predicate: (element: T) => Maybe<boolean>): Dataset<T> {
    return new Dataset(filter(this.stage, asFunction(predicate, 'filter')));
  }

  /** Puts the elements of what `fn` makes of each element one after the other. */
  flatMap<U>(fn: (element: T) => Maybe<Expansion<U>>): Dataset<U> {
    const expand = expansion(asFunction(fn, 'flatMap'));
    return new Dataset(interleave(this.stage, expand, { cycleLength: 1, blockLength: Infinity }, 'flatMap'));
  }

  /** Like {@link flatMap}, with `cycleLength` elements open at a time, taking `blockLength` (default 1) from each in turn. */
  interleave<U>(
    fn: (element: T) => Maybe<Expansion<U>>,
    options: { readonly cycleLength: number; readonly blockLength?: number },
  ): Dataset<U> {
    const cycleLength = whole(options.cycleLength, 'interleave: cycleLength', 1);
    const blockLength = whole(options.blockLength ?? 1, 'interleave: blockLength', 1);
    const expand = expansion(asFunction(fn, 'interleave'));
    return new Dataset(interleave(this.stage, expand, { cycleLength, blockLength }, `interleave(${cycleLength}, block ${blockLength})`));
  }

  /** Puts the elements into a random order; an endless repetition of a source with known positions within each repetition. */
  shuffle(options: ShuffleOptions = {}): Dataset<T> {
    const bufferSize = options.bufferSize === undefined ? 10_000 : whole(options.bufferSize, 'shuffle: bufferSize', 1);
    const seed = whole(options.seed ?? 0, 'shuffle: seed', -Number.MAX_SAFE_INTEGER);
    return new Dataset(shuffle(this.stage, { bufferSize, seed, reshuffle: options.reshuffleEachIteration ?? true }));
  }

  /** Goes through the data set `times` times; without argument endlessly. */
  repeat(times: number = Infinity): Dataset<T> {
    return new Dataset(repeat(this.stage, times === Infinity ? times : whole(times, 'repeat: times', 0)));
  }

  /** Joins `size` elements into one with a new first axis. The last short batch is given unless `dropRemainder` is true. */
  batch(size: number, options: { readonly dropRemainder?: boolean } = {}): Dataset<Batched<T>> {
    return new Dataset(
      batch(this.stage, whole(size, 'batch: size (global_batch_size of the data config)', 1), options.dropRemainder ?? false),
    );
  }

  /**
   * Like {@link batch}, for elements whose arrays differ in size: shorter ones are filled up at the end of each axis, to the
   * longest of the batch or to `paddedShapes`. Longer ones than that are a {@link DataError}.
   */
  paddedBatch(size: number, options: { readonly dropRemainder?: boolean } & PaddingOptions = {}): Dataset<Batched<T>> {
    const { dropRemainder = false } = options;
    const operator = `paddedBatch(${whole(size, 'paddedBatch: size', 1)}${dropRemainder ? ', drop remainder' : ''}${paddingLabel(options)})`;
    return new Dataset(group(this.stage, operator, size, dropRemainder, (elements) => stackPadded(elements, options)));
  }

  /**
   * Batches of elements of similar length, filled up like {@link paddedBatch}: bucket i takes lengths from `boundaries[i - 1]` up to
   * `boundaries[i]` (excluded) and gives batches of `batchSizes[i]`; there is one bucket more than boundaries. Batches come as
   * soon as a bucket is full; those that are not full at the end come last, unless `dropRemainder` is true.
   */
  bucketBySequenceLength(
    length: (element: T) => number,
    options: {
      readonly boundaries: readonly number[];
      readonly batchSizes: readonly number[];
      readonly dropRemainder?: boolean;
    } & PaddingOptions,
  ): Dataset<Batched<T>> {
    const { boundaries, batchSizes, dropRemainder = false } = options;
    if (batchSizes.length !== boundaries.length + 1 || boundaries.some((boundary, i) => i > 0 && !(boundary > boundaries[i - 1]!))) {
      throw new UsageError(
        `bucketBySequenceLength needs ascending boundaries and one batch size more than boundaries; [${boundaries.join(', ')}] and [${batchSizes.join(', ')}] were given.`,
      );
    }
    batchSizes.forEach((size) => whole(size, 'bucketBySequenceLength: a batch size', 1));
    const join = (elements: T[]): Batched<T> => stackPadded(elements, options);
    return new Dataset(
      bucketByLength(this.stage, { length: asFunction(length, 'bucketBySequenceLength'), boundaries, batchSizes, dropRemainder, join }),
    );
  }

  /** The rows of every element as elements: the inverse of {@link batch}. */
  unbatch(): Dataset<Unbatched<T>> {
    const expand = (element: T): Stage<Unbatched<T>> => itemsStage('rows', rowCount(element), (index) => rowOf(element, index));
    return new Dataset(interleave(this.stage, expand, { cycleLength: 1, blockLength: Infinity }, 'unbatch'));
  }

  /** Every `shards`-th element, beginning with number `index` (0 ≤ index < shards). */
  shard(shards: number, index: number): Dataset<T> {
    whole(shards, 'shard: shards', 1);
    if (whole(index, 'shard: index', 0) >= shards)
      throw new UsageError(`shard: index is ${index}, expected less than the number of shards, ${shards}.`);
    return new Dataset(shard(this.stage, shards, index));
  }

  /** The first `count` elements. */
  take(count: number): Dataset<T> {
    return new Dataset(take(this.stage, count === Infinity ? count : whole(count, 'take: count', 0)));
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<T> {
    return new Dataset(skip(this.stage, whole(count, 'skip: count', 0)));
  }

  /** Pairs this data set's elements with another's; ends with the shorter one. */
  zip<U>(other: Dataset<U>): Dataset<[T, U]> {
    return zipDatasets([this, other]);
  }

  /** This data set's elements, then another's. */
  concatenate(other: Dataset<T>): Dataset<T> {
    return new Dataset(concatenate(this.stage, other.stage));
  }

  /** Keeps the elements of the first pass in memory; later passes give the same ones and call nothing before this point again. */
  cache(): Dataset<T> {
    if (this.length === Infinity) throw new UsageError('cache was called on an endless data set; cache before repeat.');
    return new Dataset(cache(this.stage));
  }

  /** The same elements; an error where a position could be restored only by reading and dropping all that came before. */
  requireExactResume(): Dataset<T> {
    return new Dataset(requireExact(this.stage));
  }

  /** Works up to `depth` elements ahead of the consumer where elements have to be waited for. Never changes order or saved positions. */
  prefetch(depth: number): Dataset<T> {
    return new Dataset(prefetch(this.stage, whole(depth, 'prefetch: depth', 0)));
  }

  /** Lists of `size` neighbouring elements, `stride` (default 1) apart, a new one every `shift` (default `size`) elements. */
  window(
    size: number,
    options: { readonly shift?: number; readonly stride?: number; readonly dropRemainder?: boolean } = {},
  ): Dataset<T[]> {
    const plan = {
      size: whole(size, 'window: size', 1),
      shift: whole(options.shift ?? size, 'window: shift', 1),
      stride: whole(options.stride ?? 1, 'window: stride', 1),
      dropRemainder: options.dropRemainder ?? false,
    };
    return new Dataset(window(this.stage, plan));
  }
}

/**
 * A data set with one element per row of the given arrays: one array, or a tuple or record of them, all with equally many rows.
 * Typed arrays keep their dtype; lists of numbers become float32. The arrays are used in place: do not change them afterwards.
 */
export function fromArrays<const A>(arrays: A): Dataset<RowOf<A>> {
  return new Dataset(tableStage<RowOf<A>>('arrays', columnsOf(arrays)));
}

/** A data set of the items of a list. */
export function fromItems<T>(items: readonly T[]): Dataset<T> {
  const copy = items.slice();
  return new Dataset(itemsStage('items', copy.length, (position) => copy[position]!));
}

/** The whole numbers from `start` up to `end` (excluded). */
export function range(start: number, end: number): Dataset<number> {
  return new Dataset(
    itemsStage(`range from ${whole(start, 'range: start', -Number.MAX_SAFE_INTEGER)} `, Math.max(0, end - start), (i) => start + i),
  );
}

/** A data set of what a generator function yields; it is called for every pass, with the pass's number. */
export function fromGenerator<T>(generator: (pass: number) => AnyIterable<T>, options: IterableOptions = {}): Dataset<T> {
  return new Dataset(iterableStage(asFunction(generator, 'fromGenerator'), { name: 'generator', ...options }));
}

/** A data set of what an iterable gives. An iterator that can be gone through only once serves one pass. */
export function fromIterable<T>(iterable: AnyIterable<T>, options: IterableOptions = {}): Dataset<T> {
  return new Dataset(iterableStage(() => iterable, options));
}

/** Groups the elements of several data sets into tuples; ends with the shortest. */
export function zipDatasets<A extends readonly unknown[]>(datasets: { readonly [K in keyof A]: Dataset<A[K]> }): Dataset<A> {
  const stages = (datasets as readonly Dataset<unknown>[]).map(({ stage }) => stage);
  if (stages.length === 0) throw new UsageError('zipDatasets needs at least one data set.');
  return new Dataset(zip(stages) as Stage<unknown>) as Dataset<A>;
}

/** Draws each element from one of the data sets, chosen with its weight; ends as soon as a chosen one is empty. */
export function mixDatasets<T>(
  datasets: readonly Dataset<T>[],
  weights: readonly number[],
  options: { readonly seed?: number } = {},
): Dataset<T> {
  if (datasets.length === 0 || datasets.length !== weights.length) {
    throw new UsageError(
      `mixDatasets needs one weight for each data set: ${datasets.length} data sets and ${weights.length} weights were given.`,
    );
  }
  if (weights.some((weight) => !(weight >= 0 && weight < Infinity)) || !weights.some((weight) => weight > 0)) {
    throw new UsageError(`mixDatasets needs weights from 0, not all 0; [${weights.join(', ')}] was given.`);
  }
  return new Dataset(
    mix(
      datasets.map(({ stage }) => stage),
      weights,
      options.seed ?? 0,
    ),
  );
}

function expansion<T, U>(fn: (element: T) => Maybe<Expansion<U>>): (element: T) => Maybe<Stage<U>> {
  return (element) =>
    chain(fn(element), (made): Stage<U> => {
      if (made instanceof Dataset) return made.stage;
      return Array.isArray(made) ? itemsStage('items', made.length, (position) => made[position] as U) : iterableStage(() => made);
    });
}

function paddingLabel({ padValue = 0, paddedShapes }: PaddingOptions): string {
  return `${padValue === 0 ? '' : `, value ${JSON.stringify(padValue)}`}${paddedShapes === undefined ? '' : `, shapes ${JSON.stringify(paddedShapes)}`}`;
}

function asFunction<F>(fn: F, operator: string): F {
  if (typeof fn !== 'function') throw new UsageError(`${operator} needs a function, but ${typeof fn} was given.`);
  return fn;
}

function whole(value: number, what: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  const bound = least === -Number.MAX_SAFE_INTEGER ? '' : ` of at least ${least}`;
  throw new UsageError(`${what} is ${String(value)}, expected a whole number${bound}.`);
}
