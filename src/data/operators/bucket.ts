import { DataError, UsageError } from '../../errors.js';
import { whole } from '../arguments.js';
import { failAt } from '../failure.js';
import { notice } from '../notice.js';
import { count, list } from '../random-access.js';
import {
  AGAIN,
  chain,
  END,
  fetchAll,
  forEachIndex,
  loop,
  restoreCursor,
  type Cursor,
  type End,
  type Maybe,
  type PositionValue,
  type Stage,
} from '../stage.js';
import { noBatch } from './no-batch.js';
import { exactRequired, replayRefused } from './exact.js';

/** How {@link bucketByLength} groups. */
export interface BucketPlan<T, B> {
  readonly length: (element: T) => number;
  /** Lengths at which a new bucket begins, ascending: n of them make n + 1 buckets. */
  readonly boundaries: readonly number[];
  /** Elements of a batch, for every bucket. */
  readonly batchSizes: readonly number[];
  readonly dropRemainder: boolean;
  /** Makes a batch of the elements of a bucket. */
  readonly join: (elements: T[], bucket: number) => B;
}

/** Collects elements of similar length; a bucket that is full becomes a batch. At the end the others follow, shortest first. */
export function bucketByLength<T, B>(source: Stage<T>, plan: BucketPlan<T, B>): Stage<B> {
  const { boundaries, batchSizes, dropRemainder } = plan;
  const isWrong = (boundary: unknown, i: number): boolean =>
    typeof boundary !== 'number' || Number.isNaN(boundary) || (i > 0 && boundary <= boundaries[i - 1]!);
  if (batchSizes.length !== boundaries.length + 1 || boundaries.some(isWrong)) {
    throw new UsageError(
      `bucketBySequenceLength needs ascending boundaries (numbers) and one batch size more than boundaries; ${JSON.stringify(boundaries)} and ${JSON.stringify(batchSizes)} were given.`,
    );
  }
  batchSizes.forEach((size) => whole(size, 'bucketBySequenceLength: a batch size', 1));
  return {
    label: `${source.label} > bucket([${boundaries.join(', ')}], sizes [${batchSizes.join(', ')}]${dropRemainder ? ', drop remainder' : ''})`,
    length: source.length === 0 ? 0 : source.length === Infinity ? Infinity : undefined,
    open: (pass) => new BucketCursor(source.open(pass), plan),
  };
}

interface Bucket<T> {
  elements: T[];
  addresses: (PositionValue | undefined)[];
}

/** What waits in the buckets is saved as addresses; where the source has none, a restore replays the batches given. */
class BucketCursor<T, B> implements Cursor<B> {
  readonly #buckets: Bucket<T>[];
  #given = 0;
  #ended = false;
  #pulled = 0;
  #addressable = true;
  readonly #exact = exactRequired();
  #address: PositionValue | undefined;

  constructor(
    readonly source: Cursor<T>,
    readonly plan: BucketPlan<T, B>,
  ) {
    this.#buckets = plan.batchSizes.map(() => ({ elements: [], addresses: [] }));
  }

  pull(): Maybe<B | End> {
    return loop<B | End>(() => {
      if (this.#ended) return this.#rest();
      return chain<T | End, B | typeof AGAIN>(this.source.pull(), (element) => {
        if (element === END) {
          this.#ended = true;
          return AGAIN;
        }
        this.#pulled++;
        return chain(this.#bucketOf(element as T), (number): B | typeof AGAIN => {
          const bucket = this.#buckets[number]!;
          const address = this.source.address();
          this.#addressable &&= address !== undefined;
          bucket.elements.push(element as T);
          bucket.addresses.push(address);
          return bucket.elements.length < this.plan.batchSizes[number]! ? AGAIN : this.#give(number);
        });
      });
    });
  }

  #bucketOf(element: T): Maybe<number> {
    let length: number;
    try {
      length = this.plan.length(element);
    } catch (error) {
      return failAt('bucketBySequenceLength', this.source, this.source.address(), error);
    }
    if (!Number.isFinite(length)) {
      throw new DataError(`bucketBySequenceLength: the length of an element is ${String(length)}; its function must return a number.`);
    }
    const number = this.plan.boundaries.findIndex((boundary) => length < boundary);
    return number < 0 ? this.plan.boundaries.length : number;
  }

  #give(number: number): B {
    const { elements, addresses } = this.#buckets[number]!;
    this.#buckets[number] = { elements: [], addresses: [] };
    this.#given++;
    this.#address = addresses.includes(undefined) ? undefined : [number, addresses as PositionValue[]];
    return this.plan.join(elements, number);
  }

  #rest(): B | End {
    if (this.plan.dropRemainder && this.#given === 0 && this.#pulled > 0)
      throw noBatch('bucketBySequenceLength', `the batch of any bucket (of ${this.plan.batchSizes.join(', ')})`, this.#pulled);
    const number = this.plan.dropRemainder ? -1 : this.#buckets.findIndex(({ elements }) => elements.length > 0);
    return number < 0 ? END : this.#give(number);
  }

  state(): PositionValue {
    if (this.#given === 0) return 0;
    if (!this.#addressable) {
      if (this.#exact) throw replayRefused('bucketBySequenceLength', 'its source cannot read single elements again');
      return this.#given;
    }
    return [this.#given, this.#ended, this.source.state(), this.#buckets.map(({ addresses }) => addresses.slice() as PositionValue[])];
  }

  restore(state: PositionValue): Maybe<void> {
    if (typeof state === 'number') {
      if (state > 0) notice(`bucketBySequenceLength: resuming by reading and dropping the ${state} batches that were taken before.`);
      return forEachIndex(count(state, 'count of batches'), () => chain(this.pull(), () => undefined));
    }
    const [given, ended, source, buckets] = list(state, 'buckets');
    const saved = list(buckets, 'buckets').map((addresses) => list(addresses, 'bucket'));
    this.#given = count(given, 'count of batches');
    this.#ended = ended === true;
    return chain(restoreCursor(this.source, source!), () =>
      forEachIndex(saved.length, (i) =>
        chain(fetchAll(this.source, saved[i]!), (elements) => void (this.#buckets[i] = { elements, addresses: [...saved[i]!] })),
      ),
    );
  }

  address(): PositionValue | undefined {
    return this.#address;
  }

  fetch(address: PositionValue): Maybe<B> {
    const [number, members] = list(address, 'bucket');
    return chain(fetchAll(this.source, list(members, 'bucket')), (elements) => this.plan.join(elements, count(number, 'bucket')));
  }

  close(): Maybe<void> {
    return this.source.close();
  }
}
