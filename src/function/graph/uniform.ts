/** Arrays of one repeated value, such as the ones and zeros of gradients: large, many, and all alike. */
import { zeros, type DType, type TypedArray } from '../dtype.js';

/** Below this many elements an array costs nothing. */
const WORTH_SHARING = 1024;

const known = new WeakMap<TypedArray, { readonly value: number | undefined }>();
const shared = new Map<string, WeakRef<TypedArray>>();

/** The value that all elements of a constant have; undefined when they differ or there are none. Constants never change, so it is looked up once. */
export function uniformValue(data: TypedArray): number | undefined {
  if (data.length < WORTH_SHARING) return scan(data);
  let found = known.get(data);
  if (found === undefined) known.set(data, (found = { value: scan(data) }));
  return found.value;
}

/** A copy of what the host wrote; equal uniform arrays are one array. */
export function constantOf(values: ArrayLike<number>, dtype: DType, size: number): TypedArray {
  const value = size < WORTH_SHARING || values.length !== size ? undefined : scan(values);
  if (value === undefined) {
    const data = zeros(dtype, size);
    data.set(values);
    return data;
  }
  const key = `${dtype}:${size}:${Object.is(value, -0) ? '-0' : value}`;
  let data = shared.get(key)?.deref();
  if (data === undefined) {
    data = zeros(dtype, size).fill(value);
    known.set(data, { value: data[0] });
    shared.set(key, new WeakRef(data));
  }
  return data;
}

function scan(values: ArrayLike<number>): number | undefined {
  const first = values[0];
  for (let i = 1; i < values.length; i++) {
    if (!Object.is(values[i], first)) return undefined;
  }
  return first;
}
