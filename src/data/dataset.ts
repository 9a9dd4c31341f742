import { UsageError } from '../errors.js';
import { asFunction, asList, asStage, optionsOf, whole } from './arguments.js';
import { DatasetIterator } from './iterator.js';
import { batch, group } from './operators/batch.js';
import { cache } from './operators/cache.js';
import { concatenate } from './operators/concatenate.js';
import { bucketByLength } from './operators/bucket.js';
import { requireExact } from './operators/exact.js';
import { fileCache } from './operators/file-cache.js';
import { filterIn } from './operators/filter.js';
import { flatMapIn, interleaveIn, unbatch, type InterleaveOptions } from './operators/expand.js';
import { mapIn, type MapPlan } from './operators/map.js';
import { mixIn } from './operators/mix.js';
import { prefetch } from './operators/read-ahead.js';
import { repeat } from './operators/repeat.js';
import { shuffle, shufflePlan, type ShuffleOptions } from './operators/shuffle.js';
import { shard, skip, take } from './operators/slice.js';
import { window } from './operators/window.js';
import { zip } from './operators/zip.js';
import type { AnyIterable } from './sources/iterables.js';
import { derived, type Maybe, type Stage } from './stage.js';
import type { InWorker, WorkerOptions } from './workers/index.js';
import { paddingLabel, paddingOptions, stackPadded, type PaddingOptions } from './padding.js';
import type { Batched, Unbatched } from './structure.js';

/** What {@link Dataset.flatMap} and {@link Dataset.interleave} expand an element into. */
export type Expansion<T> = Dataset<T> | AnyIterable<T>;

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

  /** A data set that an operator made of this one. */
  #make<U>(stage: Stage<U>): Dataset<U> {
    return new Dataset(derived(this.stage, stage));
  }

  /** Elements in one pass: `Infinity` when endless, undefined when it is not known before reading. */
  get length(): number | undefined {
    return this.stage.length;
  }

  /** Starts a walk. `pass` numbers the walks over this data set (default: 0, 1, 2, …); shuffles differ between passes. */
  iterator(pass: number = this.#passes++): DatasetIterator<T> {
    return new DatasetIterator(this.stage, whole(pass, 'iterator: pass', 0));
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
  map<U>(fn: ((element: T) => Maybe<U>) | InWorker<T, U>, options?: MapPlan): Dataset<U> {
    return this.#make(mapIn(this.stage, fn, options));
  }

  /** Keeps the elements for which a pure function answers true; one named by `inWorker` runs in worker threads. */
  filter<U extends T>(predicate: (element: T) => element is U): Dataset<U>;
  filter(predicate: (element: T) => Maybe<boolean>, options?: { readonly workers?: 0 }): Dataset<T>;
  filter(predicate: InWorker<T, unknown>, options?: WorkerOptions): Dataset<T>;
  filter(predicate: ((element: T) => Maybe<boolean>) | InWorker<T, unknown>, options?: WorkerOptions): Dataset<T> {
    return this.#make(filterIn(this.stage, predicate, options));
  }

  /**
   * Puts the elements of what `fn` makes of each element one after the other. A function named by `inWorker` runs in worker
   * threads and makes lists.
   */
  flatMap<U>(fn: (element: T) => Maybe<Expansion<U>>, options?: { readonly workers?: 0 }): Dataset<U>;
  flatMap<U>(fn: InWorker<T, readonly U[]>, options?: WorkerOptions): Dataset<U>;
  flatMap<U>(fn: ((element: T) => Maybe<Expansion<U>>) | InWorker<T, readonly U[]>, options?: WorkerOptions): Dataset<U> {
    return this.#make(flatMapIn(this.stage, fn, options));
  }

  /**
   * Like {@link flatMap}, with `cycleLength` elements open at a time, taking `blockLength` (default 1) from each in turn. A function
   * named by `inWorker` runs in worker threads and makes lists.
   */
  interleave<U>(fn: (element: T) => Maybe<Expansion<U>>, options: InterleaveOptions & { readonly workers?: 0 }): Dataset<U>;
  interleave<U>(fn: InWorker<T, readonly U[]>, options: InterleaveOptions & WorkerOptions): Dataset<U>;
  interleave<U>(
    fn: ((element: T) => Maybe<Expansion<U>>) | InWorker<T, readonly U[]>,
    options: InterleaveOptions & WorkerOptions,
  ): Dataset<U> {
    return this.#make(interleaveIn(this.stage, fn, options));
  }

  /** Puts the elements into a random order; an endless repetition of a source with known positions within each repetition. */
  shuffle(options?: ShuffleOptions): Dataset<T> {
    return this.#make(shuffle(this.stage, shufflePlan(options)));
  }

  /** Goes through the data set `times` times; without argument endlessly. */
  repeat(times: number = Infinity): Dataset<T> {
    return this.#make(repeat(this.stage, times === Infinity ? times : whole(times, 'repeat: times', 0)));
  }

  /** Joins `size` elements into one with a new first axis. The last short batch is given unless `dropRemainder` is true. */
  batch(size: number, options?: { readonly dropRemainder?: boolean }): Dataset<Batched<T>> {
    const { dropRemainder } = optionsOf(options, 'batch', ['dropRemainder'], 'dropRemainder');
    return this.#make(batch(this.stage, whole(size, 'batch: size (global_batch_size of the data config)', 1), dropRemainder ?? false));
  }

  /**
   * Like {@link batch}, for elements whose arrays differ in size: shorter ones are filled up at the end of each axis, to the
   * longest of the batch or to `paddedShapes`. Longer ones than that are a {@link DataError}.
   */
  paddedBatch(size: number, options?: { readonly dropRemainder?: boolean } & PaddingOptions): Dataset<Batched<T>> {
    const plan = optionsOf(options, 'paddedBatch', ['dropRemainder', ...paddingOptions], 'dropRemainder');
    const dropRemainder = plan.dropRemainder ?? false;
    const operator = `paddedBatch(${whole(size, 'paddedBatch: size', 1)}${dropRemainder ? ', drop remainder' : ''}${paddingLabel(plan)})`;
    return this.#make(group(this.stage, operator, size, dropRemainder, (elements) => stackPadded(elements, plan)));
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
    const operator = 'bucketBySequenceLength';
    const known = ['boundaries', 'batchSizes', 'dropRemainder', ...paddingOptions];
    const plan = optionsOf(options, operator, known, 'dropRemainder');
    const boundaries = asList(plan.boundaries, `${operator}: boundaries`);
    const batchSizes = asList(plan.batchSizes, `${operator}: batchSizes`);
    const join = (elements: T[]): Batched<T> => stackPadded(elements, plan);
    const dropRemainder = plan.dropRemainder ?? false;
    return this.#make(bucketByLength(this.stage, { length: asFunction(length, operator), boundaries, batchSizes, dropRemainder, join }));
  }

  /** The rows of every element as elements: the inverse of {@link batch}. */
  unbatch(): Dataset<Unbatched<T>> {
    return this.#make(unbatch(this.stage));
  }

  /** Every `shards`-th element, beginning with number `index` (0 ≤ index < shards). */
  shard(shards: number, index: number): Dataset<T> {
    whole(shards, 'shard: shards', 1);
    if (whole(index, 'shard: index', 0) >= shards)
      throw new UsageError(`shard: index is ${index}, expected less than the number of shards, ${shards}.`);
    return this.#make(shard(this.stage, shards, index));
  }

  /** The first `count` elements. */
  take(count: number): Dataset<T> {
    return this.#make(take(this.stage, count === Infinity ? count : whole(count, 'take: count', 0)));
  }

  /** All but the first `count` elements. */
  skip(count: number): Dataset<T> {
    return this.#make(skip(this.stage, whole(count, 'skip: count', 0)));
  }

  /** Pairs this data set's elements with another's; ends with the shorter one. */
  zip<U>(other: Dataset<U>): Dataset<[T, U]> {
    return this.#make(zip([this.stage, asStage(other, 'zip')]) as Stage<unknown>) as Dataset<[T, U]>;
  }

  /** Draws each element from this data set or one of the others, by weights (this one's first); see {@link mixDatasets}. */
  mix(others: readonly Dataset<T>[], weights: readonly number[], options?: { readonly seed?: number }): Dataset<T> {
    const stages = [this.stage, ...asList(others, 'mix: others').map((other) => asStage(other, 'mix'))];
    return this.#make(mixIn(stages, weights, options, 'mix'));
  }

  /** This data set's elements, then another's. */
  concatenate(other: Dataset<T>): Dataset<T> {
    return this.#make(concatenate(this.stage, asStage(other, 'concatenate')));
  }

  /**
   * Keeps the elements of the first pass, in memory or in `file`; later passes give the same ones and call nothing before this
   * point again. A file serves later runs too: remove it when a function before this point has changed. It is written by the
   * first pass that reads all elements; a position in it is a number, while one in a cache in memory is found again by reading.
   */
  cache(file?: string): Dataset<T> {
    if (this.length === Infinity) throw new UsageError('cache was called on an endless data set; cache before repeat.');
    if (file !== undefined && (typeof file !== 'string' || file === ''))
      throw new UsageError(`cache: ${JSON.stringify(file)} is no file name.`);
    return this.#make(file === undefined ? cache(this.stage) : fileCache(this.stage, file));
  }

  /** The same elements; an error where a position could be restored only by reading and dropping all that came before. */
  requireExactResume(): Dataset<T> {
    return this.#make(requireExact(this.stage));
  }

  /** Works up to `depth` elements ahead of the consumer where elements have to be waited for. Never changes order or saved positions. */
  prefetch(depth: number): Dataset<T> {
    return this.#make(prefetch(this.stage, whole(depth, 'prefetch: depth', 0)));
  }

  /** Lists of `size` neighbouring elements, `stride` (default 1) apart, a new one every `shift` (default `size`) elements. */
  window(size: number, options?: { readonly shift?: number; readonly stride?: number; readonly dropRemainder?: boolean }): Dataset<T[]> {
    const { shift, stride, dropRemainder } = optionsOf(options, 'window', ['shift', 'stride', 'dropRemainder'], 'dropRemainder');
    const plan = {
      size: whole(size, 'window: size', 1),
      shift: whole(shift ?? size, 'window: shift', 1),
      stride: whole(stride ?? 1, 'window: stride', 1),
      dropRemainder: dropRemainder ?? false,
    };
    return this.#make(window(this.stage, plan));
  }
}
