import { movedLocality } from '../locality.js';
import { list, randomStage } from '../random-access.js';
import {
  AGAIN,
  derived,
  END,
  fetchAll,
  locate,
  loop,
  onElement,
  restoreCursor,
  skipElements,
  chain,
  type Cursor,
  type End,
  type Maybe,
  type PositionValue,
  type RandomAccess,
  type Stage,
} from '../stage.js';
import { stack, type Batched } from '../structure.js';
import { joined } from '../unequal.js';
import { noBatch } from './no-batch.js';

/** Groups `size` elements into one; the last short group is dropped or given. A pass that drops all it has ends in a DataError. */
export function batch<T>(source: Stage<T>, size: number, dropRemainder: boolean, needsOne = true): Stage<Batched<T>> {
  if (source.work !== undefined) return derived(source, source.work.batch(size, dropRemainder, needsOne) as Stage<Batched<T>>);
  return derived(source, group(source, `batch(${size}${dropRemainder ? ', drop remainder' : ''})`, size, dropRemainder, stack, needsOne));
}

/** Groups `size` elements and joins each group with `join`. With `needsOne`, a pass that drops all it has ends in a DataError. */
export function group<T, B>(
  source: Stage<T>,
  operator: string,
  size: number,
  dropRemainder: boolean,
  join: (elements: T[]) => B,
  needsOne = true,
): Stage<B> {
  const label = `${source.label} > ${operator}`;
  const isShort = source.length !== undefined && source.length > 0 && source.length < size;
  if (needsOne && dropRemainder && isShort) throw noBatch(operator, `one batch of ${size}`, source.length!);
  const { random } = source;
  if (random !== undefined) return randomStage(label, groupRandom(random, size, dropRemainder, join));
  const { length } = source;
  return {
    label,
    length: length === undefined ? undefined : dropRemainder ? Math.floor(length / size) : Math.ceil(length / size),
    addressable: source.addressable,
    open: (pass) => groupCursor(source.open(pass), size, dropRemainder, join, needsOne ? operator : undefined),
  };
}

function groupRandom<T, B>(random: RandomAccess<T>, size: number, dropRemainder: boolean, make: (elements: T[]) => B): RandomAccess<B> {
  const { length, rows } = random;
  const whole = (position: number): number => Math.min(size, length - position * size);
  const batches = dropRemainder ? Math.floor(length / size) : Math.ceil(length / size);
  const common = {
    length: batches,
    readAhead: random.readAhead,
    locality: movedLocality(random.locality, batches, (start) => Math.ceil(start / size)),
    ready: random.ready && ((): Promise<void> | undefined => random.ready?.()),
  };
  // Rows of columns go straight into the batch; a joined list of elements would cost a copy and an object per row.
  if (rows !== undefined && (make as unknown) === stack) {
    const indices = new Uint32Array(size);
    return {
      ...common,
      release: rows.release,
      at: (pass, position) => {
        const count = whole(position);
        for (let i = 0, first = position * size; i < count; i++) indices[i] = rows.index(pass, first + i);
        return rows.gather(indices, count) as B;
      },
    };
  }
  return {
    ...common,
    at: (pass, position) => {
      const elements = Array.from({ length: whole(position) }, (_, i) => random.at(pass, position * size + i));
      const join = (known: T[]): Maybe<B> => joined(known, make, (i) => random.locate?.(pass, position * size + i));
      return elements.some((element) => element instanceof Promise) ? Promise.all(elements).then(join) : join(elements as T[]);
    },
  };
}

/** `needsOne`: the operator's name, where a pass that drops all it has is an error. */
function groupCursor<T, B>(
  source: Cursor<T>,
  size: number,
  dropRemainder: boolean,
  join: (elements: T[]) => B,
  needsOne: string | undefined,
): Cursor<B> {
  let given = false;
  let addresses: (PositionValue | undefined)[] = [];
  return {
    pull: () => {
      const elements: T[] = [];
      addresses = [];
      return onElement(
        loop<T[] | End>(() =>
          chain<T | End, T[] | End | typeof AGAIN>(source.pull(), (element) => {
            if (element === END) {
              if (elements.length === 0) return END;
              if (dropRemainder && !given && needsOne !== undefined) throw noBatch(needsOne, `one batch of ${size}`, elements.length);
              return dropRemainder ? END : elements;
            }
            elements.push(element as T);
            addresses.push(source.address());
            if (elements.length < size) return AGAIN;
            given = true;
            return elements;
          }),
        ),
        (elements) => joined(elements, join, (i) => locate(source, addresses[i])),
      );
    },
    state: () => [source.state()], // in a list: a position to skip from would count this operator's elements
    restore: (state) => {
      given = true; // the position may be the end
      return restoreCursor(source, list(state, 'batch position')[0]!);
    },
    address: () => (addresses.includes(undefined) ? undefined : (addresses as PositionValue[])),
    fetch: (address) => {
      const members = list(address, 'batch');
      return chain(fetchAll(source, members), (elements): Maybe<B> => joined(elements, join, (i) => locate(source, members[i])));
    },
    skip: (count) => {
      given = true;
      return skipElements(source, count * size);
    },
    close: () => source.close(),
  };
}
