import { count, list, randomStage, rearranged } from '../random-access.js';
import { movedLocality } from '../locality.js';
import {
  AGAIN,
  END,
  fetchAll,
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

/** Which positions of a pass are kept: `offset`, `offset + stride`, … below `end`. */
interface Slice {
  readonly offset: number;
  readonly stride: number;
  readonly end: number;
}

/** The first `count` elements. */
export function take<T>(source: Stage<T>, elements: number): Stage<T> {
  return slice(source, `take(${elements})`, { offset: 0, stride: 1, end: elements });
}

/** All but the first `count` elements. */
export function skip<T>(source: Stage<T>, elements: number): Stage<T> {
  return slice(source, `skip(${elements})`, { offset: elements, stride: 1, end: Infinity });
}

/** Every `shards`-th element, beginning with number `index`. */
export function shard<T>(source: Stage<T>, shards: number, index: number): Stage<T> {
  if (shards === 1) return source;
  const { part = { index: 0, of: 1 } } = source;
  const share = slice(source, `shard(${index} of ${shards})`, { offset: index, stride: shards, end: Infinity });
  return { ...share, part: { index: part.index + part.of * index, of: part.of * shards } };
}

function slice<T>(source: Stage<T>, operator: string, part: Slice): Stage<T> {
  if (source.work !== undefined) return source.work.over((inner) => slice(inner, operator, part));
  const label = `${source.label} > ${operator}`;
  const { offset, stride } = part;
  const { random } = source;
  if (random !== undefined) {
    const length = sliceLength(random.length, part);
    const locality = movedLocality(random.locality, length, (start) => Math.ceil((start - offset) / stride));
    return randomStage(label, { ...rearranged(random, length, (_, position) => offset + position * stride), locality });
  }
  return {
    label,
    length: source.length === undefined ? undefined : sliceLength(source.length, part),
    addressable: source.addressable,
    open: (pass) => sliceCursor(source.open(pass), part),
  };
}

function sliceLength(length: number, { offset, stride, end }: Slice): number {
  return Math.max(0, Math.ceil((Math.min(length, end) - offset) / stride));
}

function sliceCursor<T>(source: Cursor<T>, { offset, stride, end }: Slice): Cursor<T> {
  let pulled = 0;
  return {
    pull: (): Maybe<T | End> =>
      loop<T | End>(() => {
        if (pulled >= end) return END;
        return chain<T | End, T | End | typeof AGAIN>(source.pull(), (element) => {
          if (element === END) return END;
          const at = pulled++;
          return at >= offset && (at - offset) % stride === 0 ? element : AGAIN;
        });
      }),
    state: (): PositionValue => [pulled, source.state()],
    restore: (state) => {
      const [at, inner] = list(state, 'slice');
      pulled = count(at, 'count of elements');
      return restoreCursor(source, inner!);
    },
    address: () => source.address(),
    fetch: (address) => source.fetch(address),
    fetchAll: (addresses) => fetchAll(source, addresses),
    locate: (address) => locate(source, address),
    release: (element) => source.release?.(element),
    close: () => source.close(),
  };
}
