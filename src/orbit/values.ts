/** Turns tensors of any framework into plain numbers and nested arrays. */
import { UsageError } from '../errors.js';
import type { MaybePromise, Output, OutputValue } from './types.js';

interface TensorMethods {
  shape: readonly number[];
  arraySync?: () => unknown;
  dataSync?: () => ArrayLike<unknown>;
  array?: () => Promise<unknown>;
  data?: ArrayLike<unknown> | (() => Promise<ArrayLike<unknown>>);
}

/**
 * The value of a tensor or variable as a number (scalar) or nested array; anything else unchanged. Tensors are recognised
 * by a `shape` and one of `arraySync`, `dataSync`, `array`, `data` (a method or the array itself).
 * @returns the value, or a promise of it where the tensor can only be read asynchronously
 */
export function getValue(value: unknown): MaybePromise<OutputValue> {
  if (!isTensor(value)) return value as OutputValue;
  if (typeof value.arraySync === 'function') return value.arraySync() as OutputValue;
  const shape = value.shape;
  if (typeof value.dataSync === 'function') return toNested(value.dataSync(), shape);
  if (typeof value.array === 'function') return value.array() as Promise<OutputValue>;
  if (typeof value.data === 'function') return value.data().then((data) => toNested(data, shape));
  return toNested(value.data!, shape);
}

/** {@link getValue} of every leaf, in a new dictionary of the same nesting. */
export async function getValues(output: Output): Promise<Output> {
  const values: Output = {};
  for (const [key, value] of Object.entries(output)) {
    values[key] = isDictionary(value) ? await getValues(value) : await getValue(value);
  }
  return values;
}

/**
 * The value as one number.
 * @param what name used in the error
 * @throws UsageError if it is not a number, or holds more or less than one
 */
export async function getNumber(value: unknown, what: string): Promise<number> {
  return toNumber(await getValue(value), what);
}

/** Like {@link getNumber}, for a value that is no tensor any more. */
export function toNumber(value: unknown, what: string): number {
  let single = value;
  while (isArray(single) && single.length === 1) single = single[0];
  if (typeof single === 'number') return single;
  if (typeof single === 'bigint' || typeof single === 'boolean') return Number(single);
  throw new UsageError(`${what} should be one number, but it is ${describe(value)}.`);
}

/** Whether a value is a nested dictionary of results, as against a leaf. */
export function isDictionary(value: unknown): value is Output {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return (prototype === Object.prototype || prototype === null) && !isTensor(value);
}

function isTensor(value: unknown): value is TensorMethods {
  if (typeof value !== 'object' || value === null || !('shape' in value) || !Array.isArray(value.shape)) return false;
  const tensor = value as Partial<TensorMethods>;
  return (
    typeof tensor.arraySync === 'function' ||
    typeof tensor.dataSync === 'function' ||
    typeof tensor.array === 'function' ||
    typeof tensor.data === 'function' ||
    isArray(tensor.data)
  );
}

function isArray(value: unknown): value is ArrayLike<unknown> {
  return Array.isArray(value) || (ArrayBuffer.isView(value) && !(value instanceof DataView));
}

function toNested(data: ArrayLike<unknown>, shape: readonly number[]): OutputValue {
  let position = 0;
  const take = (axis: number): OutputValue => {
    if (axis === shape.length) return data[position++] as OutputValue;
    return Array.from({ length: shape[axis]! }, () => take(axis + 1));
  };
  return take(0);
}

function describe(value: unknown): string {
  if (isArray(value)) return `an array of ${value.length} elements`;
  if (value === null || value === undefined) return `${value}`;
  return typeof value === 'object' ? 'an object' : `the ${typeof value} ${JSON.stringify(value)}`;
}

/** What an inner loop returned as a dictionary; nothing is an empty one, anything else a `UsageError`. */
export function requireOutput(output: unknown, what: string): Output {
  if (output === null || output === undefined) return {};
  if (isDictionary(output)) return output;
  throw new UsageError(
    `\`${what}\` should return results by name such as \`{ loss: 0.5 }\`, or nothing, but it returned ${describe(output)}.`,
  );
}
