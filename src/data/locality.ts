import { hashKey, permutation } from './random.js';
import type { Locality } from './stage.js';

/** Orders of windows that are kept: enough for what is worked on ahead of a window's end. */
const KEPT_WINDOWS = 3;

/**
 * A permutation of 0…length-1 for a key that reads little at a time: the groups come in a random order, and the elements of
 * `kept` of them at a time are in a random order among themselves. Where all groups are kept it is one permutation of everything.
 */
export function groupedPermutation(length: number, locality: Locality, key: number): (position: number) => number {
  const { starts, kept } = locality;
  locality.keep();
  const groups = starts.length;
  if (groups <= kept) return permutation(length, key);
  const order = permutation(groups, key);
  const source = Float64Array.from({ length: groups }, (_, k) => starts[order(k)]!);
  const first = new Float64Array(groups + 1); // position of the first element of the k-th group of the order
  for (let k = 0; k < groups; k++) first[k + 1] = first[k]! + (starts[order(k) + 1] ?? length) - source[k]!;
  const windows = new Map<number, (position: number) => number>();
  const within = (window: number, begin: number, end: number): ((position: number) => number) => {
    let inner = windows.get(window);
    if (inner === undefined) {
      inner = permutation(end - begin, hashKey(key, window));
      windows.set(window, inner);
      if (windows.size > KEPT_WINDOWS) windows.delete(windows.keys().next().value!);
    }
    return inner;
  };
  return (position) => {
    const window = Math.floor(lastAtMost(first, position, 0, groups) / kept);
    const low = window * kept;
    const high = Math.min(groups, low + kept);
    const begin = first[low]!;
    const place = begin + within(window, begin, first[high]!)(position - begin);
    const k = lastAtMost(first, place, low, high);
    return source[k]! + place - first[k]!;
  };
}

/** The last index from `low` up to `high` (excluded) whose value is at most `value`; the values ascend. */
export function lastAtMost(values: ArrayLike<number>, value: number, low: number, high: number): number {
  while (high - low > 1) {
    const middle = (low + high) >> 1;
    if (values[middle]! <= value) low = middle;
    else high = middle;
  }
  return low;
}

/**
 * The locality of the `length` elements that an operator makes; `place` gives the first of them that reads a position of the source
 * or a later one.
 */
export function movedLocality(locality: Locality | undefined, length: number, place: (start: number) => number): Locality | undefined {
  return locality && { ...locality, starts: Float64Array.from(locality.starts, (start) => Math.min(length, Math.max(0, place(start)))) };
}

/** The locality of `times` repetitions of a source of `length` elements; undefined for endless ones, which are shuffled one by one. */
export function repeatedLocality(locality: Locality | undefined, length: number, times: number): Locality | undefined {
  if (locality === undefined || times === Infinity) return undefined;
  const { starts } = locality;
  return {
    ...locality,
    starts: Float64Array.from({ length: starts.length * times }, (_, i) => {
      const round = Math.floor(i / starts.length);
      return round * length + starts[i - round * starts.length]!;
    }),
  };
}

/** The locality of two sources one after the other: groups of both are kept. */
export function joinedLocality(a: Locality | undefined, b: Locality | undefined, firstLength: number): Locality | undefined {
  if (a === undefined || b === undefined) return undefined;
  return {
    starts: Float64Array.from([...Array.from(a.starts), ...Array.from(b.starts, (start) => firstLength + start)]),
    kept: Math.min(a.kept, b.kept),
    keep: () => (a.keep(), b.keep()),
  };
}
