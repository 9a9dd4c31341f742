import { DataError, UsageError } from '../../errors.js';
import { lastAtMost } from '../locality.js';
import { Dataset } from '../dataset.js';
import { randomStage } from '../random-access.js';
import { all, chain, type Locality, type Maybe } from '../stage.js';
import { checkBatch, tooFew, type BatchOptions } from './batch-options.js';
import type { Block } from './blocks.js';
import { GroupCache } from './group-cache.js';

/** Records that are read and decoded together: a row group, a record batch, some consecutive records of a file. */
export interface Group {
  /** Number of records. */
  readonly rows: number;
  /** About how many bytes they take when decoded. */
  readonly bytes: number;
}

/** Files whose records are read in groups, in any order. */
export interface GroupSource<R, B> {
  /** Format and files, in words. */
  readonly name: string;
  readonly groups: readonly Group[];
  /** Reads a group. Throws a {@link DataError} that names file and record. */
  read(group: number): Promise<Block<R, B>>;
  /** Where a record of a group comes from, in words. */
  locate(group: number, row: number): string;
}

/** Options of files whose records are read in groups. */
export interface CacheOptions {
  /**
   * Bytes of decoded records that are kept in memory while they are read in a random order; default 256 MiB. `shuffle` then takes
   * as many groups (row groups, record batches) at a time as fit, one at least: a different number gives a different order.
   */
  readonly cacheBytes?: number;
}

const CACHE_BYTES = 2 ** 28;

/** The records of groups, or batches of them. Throws a {@link DataError} where there are none, or less than a batch. */
export function groupDataset<R, B>(source: GroupSource<R, B>, options: BatchOptions & CacheOptions): Dataset<unknown> {
  const { batchSize, dropRemainder = false, cacheBytes = CACHE_BYTES } = options;
  checkBatch(options);
  if (!(cacheBytes > 0)) throw new UsageError(`cacheBytes is ${String(cacheBytes)}, expected a number of bytes above 0.`);
  const records = new Records(source, cacheBytes);
  const { length } = records;
  if (length === 0) throw new DataError(`${source.name} has no records.`);
  if (batchSize === undefined) return new Dataset(records.stage());
  const batches = dropRemainder ? Math.floor(length / batchSize) : Math.ceil(length / batchSize);
  if (batches === 0) throw tooFew(source.name, length, batchSize);
  return new Dataset(records.batches(batchSize, batches, dropRemainder));
}

class Records<R, B> {
  readonly length: number;
  readonly #starts: Float64Array;
  readonly #cache: GroupCache<Block<R, B>>;
  readonly #locality: Locality;
  /** The group of the last record that was asked for. */
  #last = 0;

  constructor(
    readonly source: GroupSource<R, B>,
    cacheBytes: number,
  ) {
    const groups = source.groups.length;
    this.#starts = new Float64Array(groups + 1);
    source.groups.forEach(({ rows }, group) => (this.#starts[group + 1] = this.#starts[group]! + rows));
    this.length = this.#starts[groups]!;
    const sizes = source.groups.map(({ bytes }) => bytes);
    this.#cache = new GroupCache(sizes, cacheBytes, (group) => source.read(group));
    this.#locality = { starts: this.#starts.subarray(0, groups), kept: this.#cache.kept, keep: () => this.#cache.keep() };
  }

  stage() {
    return randomStage<R>(`${this.source.name}(${this.length})`, {
      length: this.length,
      locality: this.#locality,
      at: (_, position) => {
        const group = this.#groupOf(position);
        const row = position - this.#starts[group]!;
        return chain(this.#cache.get(group), (block) => block.row(row));
      },
      locate: (_, position) => {
        const group = this.#groupOf(position);
        return this.source.locate(group, position - this.#starts[group]!);
      },
      rows: { index: (_, position) => position, gather: (indices, count) => this.#gather((i) => indices[i]!, count) },
    });
  }

  batches(size: number, batches: number, dropRemainder: boolean) {
    const label = `${this.source.name}(${this.length}) in batches(${size}${dropRemainder ? ', drop remainder' : ''})`;
    return randomStage<B>(label, {
      length: batches,
      locality: {
        ...this.#locality,
        starts: Float64Array.from(this.#locality.starts, (start) => Math.min(batches, Math.ceil(start / size))),
      },
      at: (_, position) => {
        const begin = position * size;
        const end = Math.min(this.length, begin + size);
        const group = this.#groupOf(begin);
        const start = this.#starts[group]!;
        if (end > this.#starts[group + 1]!) return this.#gather((i) => begin + i, end - begin);
        return chain(this.#cache.get(group), (block) => block.slice(begin - start, end - start));
      },
    });
  }

  #groupOf(position: number): number {
    const last = this.#last;
    if (position >= this.#starts[last]! && position < this.#starts[last + 1]!) return last;
    return (this.#last = lastAtMost(this.#starts, position, 0, this.#starts.length - 1));
  }

  /** A batch of records from any groups, column by column. */
  #gather(index: (i: number) => number, count: number): Maybe<B> {
    const places = new Map<number, number>();
    const groups: Maybe<Block<R, B>>[] = [];
    const block = new Uint32Array(count);
    const row = new Uint32Array(count);
    for (let i = 0; i < count; i++) {
      const position = index(i);
      const group = this.#groupOf(position);
      let place = places.get(group);
      if (place === undefined) {
        place = groups.push(this.#cache.get(group)) - 1;
        places.set(group, place);
      }
      block[i] = place;
      row[i] = position - this.#starts[group]!;
    }
    return chain(all(groups), (blocks) => blocks[0]!.gather(blocks, block, row));
  }
}
