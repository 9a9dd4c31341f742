/** The few shapes that inner loops, actions and the controller exchange. */

/** A tensor of any framework, recognised by its methods: something with a `shape` that can give its values. */
export interface TensorLike {
  /** Size of each axis; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Values as nested arrays (a number for a scalar), blocking. */
  arraySync?(): unknown;
  /** Values in row-major order, blocking. */
  dataSync?(): ArrayLike<number | string>;
  /** Values as nested arrays (a number for a scalar). */
  array?(): Promise<unknown>;
  /** Values in row-major order. */
  data?(): Promise<ArrayLike<number | string>>;
}

/** Arrays of numbers as JavaScript stores them. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** One entry of an {@link Output}: a number, something that holds numbers, or a nested dictionary. */
export type OutputValue =
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | NumericArray
  | TensorLike
  | readonly OutputValue[]
  | { [key: string]: OutputValue };

/**
 * What an inner loop returns: results by name. A nested dictionary becomes a sub-directory of summaries. Actions see
 * tensors as they are; summaries, log lines and what `evaluate` returns have plain numbers and nested arrays.
 */
export type Output = { [key: string]: OutputValue };

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** An action written as a function. */
export type ActionFunction = (output: Output) => unknown;

/** An action written as an object. What `run` returns is awaited and otherwise ignored. */
export interface ActionObject {
  /** Called with the raw output of the inner loop that just ended; may change it. An error ends the training. */
  run(output: Output): unknown;
}

/** Something to do after every inner training loop or every evaluation: a function, or an object with `run(output)`. */
export type Action = ActionFunction | ActionObject;

/**
 * The count of training steps done: a counter of the host, owned by the trainer, who adds the steps it makes. The
 * controller only reads it (and restores it with everything else).
 */
export interface GlobalStep {
  /** Steps done; an integer from 0. */
  readonly value: number;
  /** Sets the count. */
  assign(value: number): void;
  /** Adds `delta` steps to the count. */
  assignAdd(delta: number): void;
}
