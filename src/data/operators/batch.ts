import { movedLocality } from '../locality.js';
import { list, randomStage } from '../random-access.js';
import {
  AGAIN,
  END,
  fetchAll,
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

/** Groups `size` elements into one; the last short group is dropped or given. */
export function batch<T>(source: Stage<T>, size: number, dropRemainder: boolean): Stage<Batched<T>> {
  if (source.work !== undefined) return source.work.batch(size, dropRemainder) as Stage<Batched<T>>;
  return group(source, `batch(${size}${dropRemainder ? ', drop remainder' : ''})`, size, dropRemainder, stack);
}

/** Groups `size` elements and joins each group with `join`. */
export function group<T, B>(
  source: Stage<T>,
  operator: string,
  size: number,
  dropRemainder: boolean,
  join: (elements: T[]) => B,
): Stage<B> {
  const label = `${source.label} > ${operator}`;
  const { random } = source;
  if (random !== undefined) return randomStage(label, groupRandom(random, size, dropRemainder, join));
  const { length } = source;
  return {
    label,
    length: length === undefined ? undefined : dropRemainder ? Math.floor(length / size) : Math.ceil(length / size),
    addressable: source.addressable,
    open: (pass) => groupCursor(source.open(pass), size, dropRemainder, join),
  };
}

function groupRandom<T, B>(random: RandomAccess<T>, size: number, dropRemainder: boolean, join: (elements: T[]) => B): RandomAccess<B> {
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
  if (rows !== undefined && (join as unknown) === stack) {
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
      return elements.some((element) => element instanceof Promise) ? Promise.all(elements).then(join) : join(elements as T[]);
    },
  };
}

function groupCursor<T, B>(source: Cursor<T>, size: number, dropRemainder: boolean, join: (elements: T[]) => B): Cursor<B> {
  let addresses: (PositionValue | undefined)[] = [];
  return {
    pull: () => {
      const elements: T[] = [];
      addresses = [];
      return onElement(
        loop<T[] | End>(() =>
          chain<T | End, T[] | End | typeof AGAIN>(source.pull(), (element) => {
            if (element === END) return elements.length === 0 || dropRemainder ? END : elements;
            elements.push(element as T);
            addresses.push(source.address());
            return elements.length === size ? elements : AGAIN;
          }),
        ),
        join,
      );
    },
    state: () => [source.state()], // in a list: a position to skip from would count this operator's elements
    restore: (state) => restoreCursor(source, list(state, 'batch position')[0]!),
    address: () => (addresses.includes(undefined) ? undefined : (addresses as PositionValue[])),
    fetch: (address) => {
      const members = list(address, 'batch');
      return chain(fetchAll(source, members), (elements): Maybe<B> => join(elements));
    },
    skip: (count) => skipElements(source, count * size),
    close: () => source.close(),
  };
}
