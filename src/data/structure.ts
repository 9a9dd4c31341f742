import { DataError } from '../errors.js';
import { notice } from './notice.js';
import { unequal } from './unequal.js';
import { allocate, NDArray, type DType, type DTypeArrays, type DTypeOf, type TypedArray } from './ndarray.js';

/**
 * What a data set element is made of. Arrays and plain records are structure (a tuple `[features, labels]`, named columns);
 * everything else is a leaf: `NDArray`, typed array, number, boolean, string.
 */
export type Leaf = NDArray | TypedArray | number | boolean | string;

/** An element type after batching: every leaf gets a first axis. Numbers become float32, booleans bool, strings a list. */
export type Batched<T> = T extends NDArray
  ? T
  : T extends TypedArray
    ? NDArray<DTypeOf<T>>
    : T extends number
      ? NDArray<'float32'>
      : T extends boolean
        ? NDArray<'bool'>
        : T extends string
          ? string[]
          : T extends object
            ? { -readonly [K in keyof T]: Batched<T[K]> }
            : never;

/** An element type after taking one row of every leaf. */
export type Unbatched<T> = T extends NDArray
  ? T
  : T extends readonly string[]
    ? string
    : T extends object
      ? { -readonly [K in keyof T]: Unbatched<T[K]> }
      : never;

/** True for a record made by `{…}` or without a prototype: the objects that count as structure. */
export function isRecord(value: unknown): value is Record<string, unknown> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

/** Makes the array of a batch; its values may be anything. */
export type MakeBatchArray = <D extends DType>(dtype: D, length: number) => DTypeArrays[D];

/** Joins elements of equal structure, shapes and dtypes along a new first axis. Throws a {@link DataError} that names element and place. */
export function stack<T>(elements: readonly T[]): Batched<T> {
  return stackIn(elements, allocate);
}

/** Like {@link stack}, with arrays that `make` makes. */
export function stackIn<T>(elements: readonly T[], make: MakeBatchArray): Batched<T> {
  if (elements.length === 0) throw new DataError('A batch needs at least one element.');
  return stackAt(elements, '', make) as Batched<T>;
}

function stackAt(elements: readonly unknown[], path: string, make: MakeBatchArray): unknown {
  const first = elements[0];
  if (first instanceof NDArray) return stackArrays(elements, first, path, make);
  if (ArrayBuffer.isView(first)) {
    const arrays = elements.map((e, i) => (ArrayBuffer.isView(e) ? NDArray.of(e as TypedArray) : mismatch(path, i, first, e)));
    return stackArrays(arrays, arrays[0]!, path, make);
  }
  if (typeof first === 'number') {
    const data = make('float32', elements.length);
    elements.forEach((e, i) => (data[i] = typeof e === 'number' ? e : mismatch(path, i, first, e)));
    tellRounded(elements as number[], data, path);
    return NDArray.of(data);
  }
  if (typeof first === 'boolean') {
    const data = make('bool', elements.length);
    elements.forEach((e, i) => (data[i] = typeof e === 'boolean' ? Number(e) : mismatch(path, i, first, e)));
    return new NDArray(data, [data.length], 'bool');
  }
  if (typeof first === 'string') return elements.map((e, i) => (typeof e === 'string' ? e : mismatch(path, i, first, e)));
  if (Array.isArray(first)) {
    elements.forEach((e, i) => (Array.isArray(e) && e.length === first.length ? undefined : mismatch(path, i, first, e)));
    return first.map((_, k) =>
      stackAt(
        elements.map((e) => (e as unknown[])[k]),
        `${path}[${k}]`,
        make,
      ),
    );
  }
  if (isRecord(first)) {
    const keys = Object.keys(first);
    elements.forEach((e, i) =>
      isRecord(e) && Object.keys(e).length === keys.length && keys.every((key) => key in e) ? undefined : mismatch(path, i, first, e),
    );
    return Object.fromEntries(
      keys.map((key) => [
        key,
        stackAt(
          elements.map((e) => (e as Record<string, unknown>)[key]),
          path ? `${path}.${key}` : key,
          make,
        ),
      ]),
    );
  }
  throw new DataError(
    `${place(path)} is ${describe(first)}, which cannot be batched; map it to numbers, booleans, strings or NDArrays first.`,
  );
}

/** From here on float32 knows only every second whole number, or fewer. */
const FLOAT32_WHOLE = 2 ** 24;
let told = false;

/** Says, once, that whole numbers such as ids were rounded. */
function tellRounded(elements: readonly number[], data: Float32Array, path: string): void {
  if (told) return;
  const at = elements.findIndex((e, i) => e !== data[i] && Number.isSafeInteger(e) && Math.abs(e) > FLOAT32_WHOLE);
  if (at < 0) return;
  told = true;
  notice(
    `${place(path)} is ${elements[at]}, which a batch of numbers (float32) rounds to ${data[at]}; map it to Int32Array.of(x), or Float64Array.of(x), to keep it.`,
  );
}

function stackArrays(elements: readonly unknown[], first: NDArray, path: string, make: MakeBatchArray): NDArray {
  const data = make(first.dtype, elements.length * first.size);
  let offset = 0;
  elements.forEach((e, i) => {
    if (!(e instanceof NDArray) || e.dtype !== first.dtype || !sameShape(e.shape, first.shape)) mismatch(path, i, first, e);
    data.set((e as NDArray).data, offset);
    offset += first.size;
  });
  return new NDArray(data, [elements.length, ...first.shape], first.dtype);
}

/** Makes an NDArray of everything of its form in a nesting: modules of other copies of the package have classes of their own. */
export function ownArrays(value: unknown): unknown {
  if (value instanceof NDArray) return value;
  if (Array.isArray(value)) return value.map(ownArrays);
  if (isArrayForm(value)) return new NDArray(value.data, value.shape, value.dtype);
  return isRecord(value) ? Object.fromEntries(Object.entries(value).map(([key, item]) => [key, ownArrays(item)])) : value;
}

/** Whether a value has the form of an {@link NDArray}, of whatever class. */
export function isArrayForm(value: unknown): value is NDArray {
  if (typeof value !== 'object' || value === null) return false;
  const { data, shape, dtype } = value as Partial<NDArray>;
  return ArrayBuffer.isView(data) && Array.isArray(shape) && typeof dtype === 'string';
}

/** Number of rows that every leaf of a batch has. Throws a {@link DataError} where they differ or a leaf has no rows. */
export function rowCount(batch: unknown): number {
  let rows: number | undefined;
  const visit = (value: unknown, path: string): void => {
    let own: number;
    if (value instanceof NDArray) own = value.rows;
    else if (Array.isArray(value) && value.every((item) => typeof item === 'string')) own = value.length;
    else if (Array.isArray(value)) return value.forEach((item, k) => visit(item, `${path}[${k}]`));
    else if (isRecord(value)) return Object.entries(value).forEach(([key, item]) => visit(item, path ? `${path}.${key}` : key));
    else throw new DataError(`${place(path)} is ${describe(value)}, which has no rows; unbatch needs NDArrays (or lists of strings).`);
    if (rows !== undefined && own !== rows)
      throw new DataError(`${place(path)} has ${own} rows, but another part of the element has ${rows}.`);
    rows = own;
  };
  visit(batch, '');
  if (rows === undefined) throw new DataError('The element is empty: it has no arrays whose rows could be counted.');
  return rows;
}

/** Row `index` of every leaf of a batch: the inverse of {@link stack} (scalars come back as arrays without axes). */
export function rowOf<T>(batch: T, index: number): Unbatched<T> {
  return row(batch, index) as Unbatched<T>;
}

function row(value: unknown, index: number): unknown {
  if (value instanceof NDArray) return value.row(index);
  if (Array.isArray(value)) return typeof value[0] === 'string' ? value[index] : value.map((item) => row(item, index));
  return Object.fromEntries(Object.entries(value as object).map(([key, item]) => [key, row(item, index)]));
}

/** Joins two batches of equal structure along their first axis. */
export function concatenateBatches<T>(first: T, second: T): T {
  return concatenate(first, second, '') as T;
}

function concatenate(a: unknown, b: unknown, path: string): unknown {
  if (a instanceof NDArray && b instanceof NDArray && a.dtype === b.dtype && sameShape(a.shape.slice(1), b.shape.slice(1))) {
    const data = allocate(a.dtype, a.size + b.size);
    data.set(a.data);
    data.set(b.data, a.size);
    return new NDArray(data, [a.rows + b.rows, ...a.shape.slice(1)], a.dtype);
  }
  if (Array.isArray(a) && Array.isArray(b)) {
    if (typeof a[0] === 'string') return [...a, ...b];
    if (a.length === b.length) return a.map((item, k) => concatenate(item, b[k], `${path}[${k}]`));
  }
  if (isRecord(a) && isRecord(b) && Object.keys(a).length === Object.keys(b).length) {
    return Object.fromEntries(Object.entries(a).map(([key, item]) => [key, concatenate(item, b[key], path ? `${path}.${key}` : key)]));
  }
  throw new DataError(`${place(path)} is ${describe(a)} in one batch and ${describe(b)} in the other; they cannot be joined.`);
}

/** Whether two shapes are the same. */
export function sameShape(a: readonly number[], b: readonly number[]): boolean {
  return a.length === b.length && a.every((axis, i) => axis === b[i]);
}

function mismatch(path: string, index: number, first: unknown, other: unknown): never {
  throw unequal(
    `${place(path)} is ${describe(first)} in the first element of the batch but ${describe(other)} in element ${index}. ` +
      'All elements of a batch need the same structure, shapes and dtypes; pad or crop them in a map before batch, or use paddedBatch.',
    index,
  );
}

function place(path: string): string {
  return path === '' ? 'The element' : `Part ${path} of the element`;
}

/** What a value is, in words, for error messages. */
export function describe(value: unknown): string {
  if (value instanceof NDArray) return `${value.dtype}[${value.shape.join(', ')}]`;
  if (ArrayBuffer.isView(value)) return `a ${value.constructor.name}`;
  if (Array.isArray(value)) return `a list of ${value.length}`;
  if (isRecord(value)) return `a record {${Object.keys(value).join(', ')}}`;
  if (value === null || value === undefined) return String(value);
  if (typeof value === 'object') return `a ${value.constructor?.name ?? 'object'}`;
  return `a ${typeof value}`;
}
