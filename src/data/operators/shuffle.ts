import { optionsOf, whole } from '../arguments.js';
import { count, list, randomStage, rearranged } from '../random-access.js';
import { groupedPermutation } from '../locality.js';
import { hashKey, permutation, RandomStream } from '../random.js';
import {
  AGAIN,
  END,
  fetchAll,
  forEachIndex,
  locate,
  loop,
  restoreCursor,
  chain,
  type Cursor,
  type End,
  type Maybe,
  type PositionValue,
  type RandomAccess,
  type Stage,
} from '../stage.js';
import { notice } from '../notice.js';
import { exactRequired, replayRefused } from './exact.js';
import { repeatRandom } from './repeat.js';

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

/** How {@link shuffle} shuffles. */
export interface ShufflePlan {
  /** Elements held back to choose from, where the source can only be read in order. */
  readonly bufferSize: number;
  readonly seed: number;
  /** A new order in every pass. */
  readonly reshuffle: boolean;
}

/** Checks what a shuffle is told. */
export function shufflePlan(options: ShuffleOptions | null | undefined): ShufflePlan {
  const known = ['bufferSize', 'seed', 'reshuffleEachIteration'];
  const { bufferSize, seed, reshuffleEachIteration } = optionsOf(options, 'shuffle', known, 'reshuffleEachIteration');
  return {
    bufferSize: whole(bufferSize ?? 10_000, 'shuffle: bufferSize', 1),
    seed: whole(seed ?? 0, 'shuffle: seed', -Number.MAX_SAFE_INTEGER),
    reshuffle: reshuffleEachIteration ?? true,
  };
}

/** Tables of this many passes are kept: enough for batches that cross the border of two passes. */
const KEPT_ORDERS = 3;

/** Puts the elements into a random order: all of them where the source is random-access, else within a moving buffer. */
export function shuffle<T>(source: Stage<T>, plan: ShufflePlan): Stage<T> {
  if (plan.bufferSize === 1) return source;
  if (source.work !== undefined) return source.work.over((inner) => shuffle(inner, plan));
  const { random } = source;
  const endless = random?.length === Infinity;
  if (random !== undefined && (!endless || random.cycle !== undefined)) {
    const { locality } = random.cycle ?? random;
    const windows = locality !== undefined && locality.kept < locality.starts.length ? `, ${locality.kept} groups at a time` : '';
    const label = `${source.label} > shuffle(seed ${plan.seed}${windows}${plan.reshuffle ? '' : ', same order'})`;
    return randomStage(label, endless ? repeatRandom(shuffleRandom(random.cycle!, plan), Infinity) : shuffleRandom(random, plan));
  }
  return {
    label: `${source.label} > shuffle(seed ${plan.seed}, buffer ${plan.bufferSize}${plan.reshuffle ? '' : ', same order'})`,
    length: source.length,
    addressable: source.addressable,
    open: (pass) => new ShuffleCursor(source, plan, pass),
  };
}

function shuffleRandom<T>(random: RandomAccess<T>, { seed, reshuffle }: ShufflePlan): RandomAccess<T> {
  const { length, locality } = random;
  const orders = new Map<number, (position: number) => number>();
  let lastPass = -1;
  let lastOrder: (position: number) => number = (position) => position;
  const order = (pass: number): ((position: number) => number) => {
    if (pass === lastPass) return lastOrder;
    lastPass = pass;
    const known = orders.get(pass);
    if (known !== undefined) return (lastOrder = known);
    const key = hashKey(seed, reshuffle ? pass : 0);
    lastOrder = locality === undefined ? permutation(length, key) : groupedPermutation(length, locality, key);
    orders.set(pass, lastOrder);
    if (orders.size > KEPT_ORDERS) orders.delete(orders.keys().next().value!);
    return lastOrder;
  };
  return rearranged(random, length, (pass, position) => order(pass)(position));
}

/**
 * The moving buffer: filled with the first `bufferSize` elements; each pull gives a uniformly chosen one and puts the next of
 * the source in its place. Its contents are saved as addresses and read again on restore. Where the source has none, the state
 * is the count of elements given, and a restore replays them.
 */
class ShuffleCursor<T> implements Cursor<T> {
  readonly #source: Cursor<T>;
  readonly #random: RandomStream;
  readonly #buffer: T[] = [];
  readonly #addresses: (PositionValue | undefined)[] = [];
  #given = 0;
  #ended = false;
  #last: PositionValue | undefined;
  #addressable = true;
  readonly #exact = exactRequired();

  constructor(
    source: Stage<T>,
    readonly plan: ShufflePlan,
    pass: number,
  ) {
    this.#source = source.open(pass);
    this.#random = new RandomStream(hashKey(plan.seed, plan.reshuffle ? pass : 0));
  }

  pull(): Maybe<T | End> {
    return chain(this.#fill(), () => {
      if (this.#buffer.length === 0) return END;
      const chosen = this.#random.below(this.#buffer.length);
      const element = this.#buffer[chosen]!;
      this.#last = this.#addresses[chosen];
      // The last one takes the place; the fill of the next pull appends.
      const moved = this.#buffer.pop()!;
      const movedAddress = this.#addresses.pop();
      if (chosen < this.#buffer.length) {
        this.#buffer[chosen] = moved;
        this.#addresses[chosen] = movedAddress;
      }
      this.#given++;
      return element;
    });
  }

  #fill(): Maybe<void> {
    return loop<void>(() => {
      if (this.#ended || this.#buffer.length >= this.plan.bufferSize) return undefined;
      return chain<T | End, void | typeof AGAIN>(this.#source.pull(), (element) => {
        if (element === END) {
          this.#ended = true;
          return undefined;
        }
        const address = this.#source.address();
        this.#addressable &&= address !== undefined;
        this.#buffer.push(element as T);
        this.#addresses.push(address);
        return AGAIN;
      });
    });
  }

  state(): PositionValue {
    if (this.#given === 0) return 0;
    if (!this.#addressable) {
      if (this.#exact) throw replayRefused('shuffle', 'its source cannot read single elements again');
      return this.#given;
    }
    return [this.#given, this.#random.count, this.#ended, this.#source.state(), this.#addresses.slice() as PositionValue[]];
  }

  restore(state: PositionValue): Maybe<void> {
    if (typeof state === 'number') {
      if (state > 0) notice(`shuffle: resuming by reading and dropping the ${state} elements that were taken before.`);
      return forEachIndex(count(state, 'count of shuffled elements'), () => chain(this.pull(), () => undefined));
    }
    const [given, draws, ended, source, addresses] = list(state, 'shuffle buffer');
    const saved = list(addresses, 'shuffle buffer');
    return chain(restoreCursor(this.#source, source!), () =>
      chain(
        chain(fetchAll(this.#source, saved), (elements) => {
          for (const element of elements) this.#buffer.push(element);
          for (const address of saved) this.#addresses.push(address);
        }),
        () => {
          this.#given = count(given, 'count of shuffled elements');
          this.#random.count = count(draws, 'count of random numbers');
          this.#ended = ended === true;
        },
      ),
    );
  }

  address(): PositionValue | undefined {
    return this.#last;
  }

  fetch(address: PositionValue): Maybe<T> {
    return this.#source.fetch(address);
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<T[]> {
    return fetchAll(this.#source, addresses);
  }

  locate(address: PositionValue): Maybe<string | undefined> {
    return locate(this.#source, address);
  }

  close(): Maybe<void> {
    return this.#source.close();
  }
}
