/**
 * The state protocol: what an object gives to a checkpoint and takes back from it. Plain data only, so that state can be
 * stored, compared and shown without the code that made it.
 */

/** Element types that a checkpoint stores, by their names in tfjs and NumPy. */
export type StateDType =
  'float32' | 'float64' | 'float16' | 'bfloat16' | 'int8' | 'uint8' | 'int16' | 'uint16' | 'int32' | 'uint32' | 'int64' | 'uint64' | 'bool';

/** The arrays that hold tensor data: float16 and bfloat16 as their bits in a `Uint16Array`, bool as 0 and 1 in a `Uint8Array`. */
export type StateArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Uint8Array
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** A tensor in a state: recognised by its three fields. Data are flat and row-major, as many as the shape says. */
export interface StateTensor {
  /** Type of the elements. */
  readonly dtype: StateDType;
  readonly shape: readonly number[];
  /** The elements in row-major order. */
  readonly data: StateArray;
  /** Whether nobody else holds `data`, so that `loadStateDict` may keep it without a copy. Default false. */
  readonly owned?: boolean;
}

/** One value in a state. Numbers keep every bit, NaN, infinities and -0 included. */
export type StateValue = number | string | boolean | null | StateTensor | readonly StateValue[] | StateDict;

/** A nested record of values. Entries that are undefined are left out. */
export interface StateDict {
  readonly [key: string]: StateValue | undefined;
}

/**
 * Anything that can join a checkpoint.
 *
 * `stateDict` returns the whole state at this moment, synchronously. `loadStateDict` puts such a state back; it copies what
 * it keeps (tensors that are `owned` excepted), and throws when the state does not fit. Both run between two steps.
 */
export interface Stateful {
  stateDict(): StateDict;
  loadStateDict(state: StateDict): void;
}

/** Tells whether `x` has both methods of {@link Stateful}. */
export function isStateful(x: unknown): x is Stateful {
  if (typeof x !== 'object' || x === null) return false;
  const s = x as Partial<Stateful>;
  return typeof s.stateDict === 'function' && typeof s.loadStateDict === 'function';
}

/** Tells whether `x` is a {@link StateTensor}. */
export function isStateTensor(x: unknown): x is StateTensor {
  if (typeof x !== 'object' || x === null) return false;
  const t = x as Partial<StateTensor>;
  return typeof t.dtype === 'string' && Array.isArray(t.shape) && ArrayBuffer.isView(t.data);
}
