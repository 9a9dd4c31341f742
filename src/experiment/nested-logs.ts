/** Reading nested logs by path. */
import { getValue } from '../orbit/index.js';
import { UsageError } from '../errors.js';
import type { Output, OutputValue } from '../orbit/index.js';

/** Whether a value of logs is a nested dictionary rather than a leaf. */
export function isNested(value: OutputValue): value is Output {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  const proto: unknown = Object.getPrototypeOf(value);
  return proto === Object.prototype || proto === null;
}

/**
 * The leaf of nested logs at a path of keys.
 * @throws UsageError when a key is missing (naming the keys that are there) or the path ends at a dictionary
 */
export function getLeafNestedDict(logs: Output, keys: readonly string[]): OutputValue {
  let value: OutputValue = logs;
  for (const [depth, key] of keys.entries()) {
    if (!isNested(value) || !Object.hasOwn(value, key)) {
      const found = isNested(value) ? Object.keys(value).join(', ') || 'nothing' : 'a value, not a dictionary';
      throw new UsageError(`The logs have no "${keys.slice(0, depth + 1).join('|')}": at that place there is ${found}.`);
    }
    value = value[key];
  }
  if (isNested(value)) {
    throw new UsageError(
      `"${keys.join('|')}" of the logs is a dictionary of ${Object.keys(value).join(', ') || 'nothing'}; name one of its entries.`,
    );
  }
  return value;
}

/** Applies `fn` to every leaf of nested logs in place and returns them. */
export function castLeafNestedDict(logs: Output, fn: (leaf: OutputValue) => OutputValue): Output {
  for (const [key, value] of Object.entries(logs)) {
    if (isNested(value)) castLeafNestedDict(value, fn);
    else logs[key] = fn(value);
  }
  return logs;
}

/** A leaf as one number: a number, a scalar tensor or an array of length 1; null for anything of more elements. */
export function leafToNumber(leaf: OutputValue): number | null {
  let value: unknown = getValue(leaf);
  if (ArrayBuffer.isView(value)) value = [...(value as unknown as Iterable<number>)];
  if (Array.isArray(value)) {
    if (value.length !== 1 || Array.isArray(value[0])) return null;
    value = value[0];
  }
  if (value === null || value === undefined || (typeof value === 'string' && !/^(NaN|-?Infinity)$/.test(value))) return null;
  return Number(value);
}
