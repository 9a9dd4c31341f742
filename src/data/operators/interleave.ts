import { failAt } from '../failure.js';
import { itemsStage } from '../sources/items.js';
import { isNoBatch } from './no-batch.js';
import { count, fetchGroups, list } from '../random-access.js';
import { laterOpener } from './exact.js';
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
  type Stage,
} from '../stage.js';

const nothing = itemsStage<never>('nothing', 0, () => undefined as never);

/** An element of the source that is open in a slot. */
interface Slot<B> {
  /** How to read the source's element again: its address, or the source's position before it. */
  readonly address: PositionValue | undefined;
  readonly before: PositionValue;
  readonly cursor: Cursor<B>;
}

/** How {@link interleave} takes turns. */
export interface Turns {
  /** Elements of the source that are open at a time. */
  readonly cycleLength: number;
  /** Consecutive elements taken from one before the next one's turn. */
  readonly blockLength: number;
}

/**
 * Makes a sequence of every element and takes turns between `cycleLength` of them. Slots are served in a ring; one that runs
 * out passes the turn on and opens the next unread element when its turn comes again.
 */
export function interleave<A, B>(source: Stage<A>, expand: (element: A) => Maybe<Stage<B>>, turns: Turns, operator: string): Stage<B> {
  return {
    label: `${source.label} > ${operator}`,
    length: source.length === 0 ? 0 : undefined,
    open: (pass) => new InterleaveCursor(source, expand, turns, operator, pass),
  };
}

class InterleaveCursor<A, B> implements Cursor<B> {
  readonly #source: Cursor<A>;
  readonly #slots: (Slot<B> | undefined)[];
  readonly #open = laterOpener();
  readonly #fetchers = new Map<string, Cursor<B>>();
  #turn = 0;
  #given = 0;
  #ended = false;
  /** Whether there was an element at all, and what was too short as long as there was none. */
  #some = false;
  #tooShort: Error | undefined;
  #address: PositionValue | undefined;

  constructor(
    readonly source: Stage<A>,
    readonly expand: (element: A) => Maybe<Stage<B>>,
    readonly turns: Turns,
    readonly operator: string,
    readonly pass: number,
  ) {
    this.#source = source.open(pass);
    this.#slots = new Array<Slot<B> | undefined>(turns.cycleLength).fill(undefined);
  }

  pull(): Maybe<B | End> {
    return loop<B | End>(() => {
      const slot = this.#slots[this.#turn];
      if (slot === undefined) return this.#openNext();
      return chain<B | End, B | typeof AGAIN>(this.#pullFrom(slot.cursor), (element) => {
        if (element === END) {
          this.#slots[this.#turn] = undefined;
          this.#passTurn();
          return chain(slot.cursor.close(), () => AGAIN);
        }
        const inner = slot.cursor.address();
        this.#address = slot.address === undefined || inner === undefined ? undefined : [slot.address, inner];
        this.#tooShort = undefined;
        this.#some = true;
        if (++this.#given >= this.turns.blockLength) this.#passTurn();
        return element as B;
      });
    });
  }

  /** The next element of a slot. One too short for a batch is told only where none of them has one. */
  #pullFrom(cursor: Cursor<B>): Maybe<B | End> {
    const end = (error: unknown): End => {
      if (!isNoBatch(error)) throw error;
      if (!this.#some) this.#tooShort ??= error;
      return END;
    };
    try {
      const pulled = cursor.pull();
      return pulled instanceof Promise ? pulled.catch(end) : pulled;
    } catch (error) {
      return end(error);
    }
  }

  #passTurn(): void {
    this.#turn = (this.#turn + 1) % this.turns.cycleLength;
    this.#given = 0;
  }

  #openNext(): Maybe<End | typeof AGAIN> {
    if (this.#ended) {
      if (this.#slots.every((slot) => slot === undefined)) {
        if (this.#tooShort !== undefined) throw this.#tooShort;
        return END;
      }
      this.#passTurn();
      return AGAIN;
    }
    // A position is only noted where it is needed: it may be long.
    const before = this.source.addressable ? null : this.#source.state();
    return chain<A | End, typeof AGAIN>(this.#source.pull(), (element) => {
      if (element === END) {
        this.#ended = true;
        return AGAIN;
      }
      const address = this.source.addressable ? this.#source.address() : undefined;
      return chain(this.#expanded(element as A), (cursor) => {
        this.#slots[this.#turn] = { address, before, cursor };
        this.#given = 0;
        return AGAIN;
      });
    });
  }

  #expanded(element: A, address = this.#source.address()): Maybe<Cursor<B>> {
    const failed = (error: unknown): Maybe<Cursor<B>> => {
      if (!isNoBatch(error)) return failAt(this.operator, this.#source, address, error);
      if (!this.#some) this.#tooShort ??= error;
      return this.#open(nothing as Stage<B>, this.pass);
    };
    try {
      const opened = chain(this.expand(element), (stage) => this.#open(stage, this.pass));
      return opened instanceof Promise ? opened.catch(failed) : opened;
    } catch (error) {
      return failed(error);
    }
  }

  state(): PositionValue {
    const slots = this.#slots.map((slot): PositionValue => {
      if (slot === undefined) return null;
      const inner = slot.cursor.state();
      return slot.address === undefined ? { before: slot.before, inner } : { at: slot.address, inner };
    });
    return [this.#turn, this.#given, this.#ended, this.#source.state(), slots];
  }

  restore(state: PositionValue): Maybe<void> {
    const [turn, given, ended, source, slots] = list(state, `${this.operator} position`);
    this.#turn = count(turn, 'turn');
    this.#given = count(given, 'turn');
    this.#ended = ended === true;
    this.#some = true; // perhaps: the position may be anywhere
    const saved = list(slots, 'slots');
    return chain(restoreCursor(this.#source, source!), () => forEachIndex(saved.length, (i) => this.#restoreSlot(i, saved[i]!)));
  }

  #restoreSlot(index: number, saved: PositionValue): Maybe<void> {
    if (saved === null) return;
    const { at, before, inner } = saved as { at?: PositionValue; before?: PositionValue; inner: PositionValue };
    return chain(at === undefined ? this.#reread(before!) : this.#source.fetch(at), (element) =>
      chain(this.#expanded(element), (cursor) => {
        this.#slots[index] = { address: at, before: before ?? null, cursor };
        return restoreCursor(cursor, inner);
      }),
    );
  }

  /** Reads the element that follows a position of the source, with a cursor of its own. */
  #reread(before: PositionValue): Maybe<A> {
    const cursor = this.#open(this.source, this.pass);
    return chain(restoreCursor(cursor, before), () => chain(cursor.pull(), (element) => chain(cursor.close(), () => element as A)));
  }

  address(): PositionValue | undefined {
    return this.#address;
  }

  fetch(address: PositionValue): Maybe<B> {
    const [outer, inner] = list(address, `${this.operator} address`);
    return chain(this.#fetcher(outer!), (cursor) => cursor.fetch(inner!));
  }

  fetchAll(addresses: readonly PositionValue[]): Maybe<B[]> {
    return fetchGroups(addresses, `${this.operator} address`, (outer, inner) =>
      chain(this.#fetcher(outer), (cursor) => fetchAll(cursor, inner)),
    );
  }

  locate(address: PositionValue): Maybe<string | undefined> {
    const [outer, inner] = list(address, `${this.operator} address`);
    return chain(this.#fetcher(outer!), (cursor) => locate(cursor, inner));
  }

  /** A cursor that reads single elements of an element of the source; the last few are kept. */
  #fetcher(outer: PositionValue): Maybe<Cursor<B>> {
    const key = JSON.stringify(outer);
    const known = this.#fetchers.get(key);
    if (known !== undefined) return known;
    return chain(this.#source.fetch(outer), (element) =>
      chain(this.#expanded(element, outer), (cursor) => {
        this.#fetchers.set(key, cursor);
        const [oldest] = this.#fetchers;
        const dropped = this.#fetchers.size > this.turns.cycleLength + 1 && oldest !== undefined ? oldest : undefined;
        if (dropped !== undefined) this.#fetchers.delete(dropped[0]);
        return chain(dropped?.[1].close(), () => cursor);
      }),
    );
  }

  close(): Maybe<void> {
    const open = [...this.#slots.flatMap((slot) => (slot === undefined ? [] : [slot.cursor])), ...this.#fetchers.values(), this.#source];
    return forEachIndex(open.length, (i) => open[i]!.close());
  }
}
