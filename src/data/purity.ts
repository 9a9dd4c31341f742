import { DataError } from '../errors.js';
import { NDArray } from './ndarray.js';
import { chain, type Maybe } from './stage.js';
import { isRecord } from './structure.js';
import { copiesOf, decode, encode } from './workers/codec.js';

/** The environment variable is passed on to worker threads. */
const variable = 'ORBIT_CHECK_PURE';
let checking = process.env[variable] === '1';

/**
 * Has every function given to `map`, `filter`, `flatMap` and `interleave`, also in workers, called twice with equal elements: a
 * {@link DataError} names one that answers differently or changes its element. For debugging: data take twice as long. The
 * environment variable `ORBIT_CHECK_PURE=1` does the same from the start.
 */
export function checkPureFunctions(on = true): void {
  checking = on;
  if (on) process.env[variable] = '1';
  else delete process.env[variable];
}

/** The function, checked where {@link checkPureFunctions} says so. */
export function pure<A, B>(operator: string, fn: (element: A) => Maybe<B>): (element: A) => Maybe<B> {
  return (element) => (checking ? callTwice(operator, fn, element) : fn(element));
}

function callTwice<A, B>(operator: string, fn: (element: A) => Maybe<B>, element: A): Maybe<B> {
  const untouched = copyOf(element);
  const second = copyOf(element);
  return chain(fn(element), (result) => {
    const changed = difference(untouched, element, '');
    if (changed !== undefined) throw impure(operator, `changed its element (${changed})`);
    return chain(fn(second), (again) => {
      const differs = difference(result, again, '');
      if (differs !== undefined) throw impure(operator, `gave two results for equal elements (${differs})`);
      return result;
    });
  });
}

function impure(operator: string, what: string): DataError {
  return new DataError(
    `The function given to ${operator} is not pure: it ${what}. A resumed run calls it again, so its result may depend on the element alone; ` +
      'copy what it changes, and take random numbers from the rng that functions in workers are given.',
  );
}

/** A copy of an element; what cannot be copied is used as it is. */
function copyOf<T>(element: T): T {
  try {
    const { text, size, write } = encode(element);
    const bytes = new ArrayBuffer(size);
    write(new Uint8Array(bytes));
    return decode(text, copiesOf(bytes)) as T;
  } catch {
    return element;
  }
}

/** Where two values differ, in words; undefined where they are equal or cannot be compared. */
function difference(a: unknown, b: unknown, path: string): string | undefined {
  const place = path === '' ? '' : `${path}: `;
  if (a instanceof NDArray && b instanceof NDArray) {
    if (a.shape.join() !== b.shape.join()) return `${place}shapes [${a.shape.join(', ')}] and [${b.shape.join(', ')}]`;
    return difference(a.data, b.data, path);
  }
  if (ArrayBuffer.isView(a) && ArrayBuffer.isView(b)) return difference(Array.from(a as Uint8Array), Array.from(b as Uint8Array), path);
  if ((Array.isArray(a) && Array.isArray(b)) || (isRecord(a) && isRecord(b))) {
    const [keys, others] = [Object.keys(a), Object.keys(b)];
    if (keys.length !== others.length) return `${place}${keys.length} and ${others.length} parts`;
    for (const key of keys) {
      const inner = Array.isArray(a) ? `${path}[${key}]` : path === '' ? key : `${path}.${key}`;
      const found = difference((a as Record<string, unknown>)[key], (b as Record<string, unknown>)[key], inner);
      if (found !== undefined) return found;
    }
    return undefined;
  }
  const isPlain = (value: unknown): boolean => typeof value !== 'object' || value === null;
  return isPlain(a) && isPlain(b) && !Object.is(a, b) ? `${place}${String(a)} and ${String(b)}` : undefined;
}
