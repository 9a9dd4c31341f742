/** Nested arguments and results of compiled functions, flattened to lists of tensors and back. */
import * as tf from '#tf';
import { TraceError, UsageError } from '../errors.js';
import { isDType, sizeOf, type DType, type TensorSpec, type TypedArray } from './dtype.js';

/** An array that can stand where a compiled function takes a tensor: typed data with a shape. */
export interface ArrayInput {
  readonly data: ArrayLike<number>;
  readonly shape: readonly number[];
  /** Default: float32 for Float32Array, int32 for Int32Array, bool for Uint8Array. */
  readonly dtype?: DType;
}

/** What may be passed for a parameter of type T: arrays stand for tensors, at any depth. */
export type Feed<T> = T extends tf.Tensor
  ? tf.Tensor | ArrayInput
  : T extends readonly unknown[] | Record<string, unknown>
    ? { [K in keyof T]: Feed<T[K]> }
    : T;

/** A tensor argument: its dtype and shape, and how to get at its data. */
export interface Leaf extends TensorSpec {
  readonly data: () => TypedArray;
}

/** Flattened arguments. */
export interface Flat {
  readonly leaves: readonly Leaf[];
  /** Text that two calls share exactly when one trace serves both. */
  readonly key: string;
  /** What the key is made of, argument by argument: the place and its dtype and shape, or its fixed value. */
  parts(): ReadonlyMap<string, string>;
  /** Puts tensors in the place of the leaves. */
  rebuild(tensors: readonly tf.Tensor[]): unknown[];
}

type Rebuild = (tensors: readonly tf.Tensor[]) => unknown;

/** Flattens the arguments of a call. Anything that is no tensor or array is part of the signature. */
export function flattenArguments(args: readonly unknown[], name: string): Flat {
  const leaves: Leaf[] = [];
  const fixed: [path: string, start: number, end: number][] = [];
  let key = '';
  const note = (path: string, text: string): void => {
    fixed.push([path, key.length, (key += text).length - 1]);
  };
  const walk = (value: unknown, path: string): Rebuild => {
    const leaf = toLeaf(value, path, name);
    if (leaf !== undefined) {
      const i = leaves.push(leaf) - 1;
      note(path, `${leaf.dtype}[${leaf.shape.join()}];`);
      return (tensors) => tensors[i];
    }
    if (Array.isArray(value)) {
      key += '(';
      const parts = value.map((v, i) => walk(v, `${path}[${i}]`));
      key += ')';
      return (tensors) => parts.map((part) => part(tensors));
    }
    if (isPlainObject(value)) {
      key += '{';
      const parts = Object.entries(value).map(([k, v]) => {
        key += `${k}:`;
        return [k, walk(v, `${path}.${k}`)] as const;
      });
      key += '}';
      return (tensors) => Object.fromEntries(parts.map(([k, part]) => [k, part(tensors)]));
    }
    note(path, staticKey(value, path, name));
    return () => value;
  };
  const rebuilds = args.map((arg, i) => walk(arg, `argument ${i + 1}`));
  const parts = (): Map<string, string> => new Map(fixed.map(([path, start, end]) => [path, key.slice(start, end)]));
  return { leaves, key, parts, rebuild: (tensors) => rebuilds.map((r) => r(tensors)) };
}

/** Flattens a result to its tensors. The rest is fixed at trace time. */
export function flattenResult(result: unknown, name: string): { tensors: tf.Tensor[]; rebuild: Rebuild } {
  if (result instanceof Promise) {
    result.catch(() => {}); // what it fails with is the consequence of being asynchronous
    throw new TraceError(
      `The compiled function "${name}" returned a promise. Compiled functions are synchronous: await what they need before, outside.`,
    );
  }
  const tensors: tf.Tensor[] = [];
  const walk = (value: unknown): Rebuild => {
    if (value instanceof tf.Tensor) {
      const i = tensors.push(value) - 1;
      return (made) => made[i];
    }
    if (Array.isArray(value)) {
      const parts = value.map(walk);
      return (made) => parts.map((part) => part(made));
    }
    if (isPlainObject(value)) {
      const parts = Object.entries(value).map(([k, v]) => [k, walk(v)] as const);
      return (made) => Object.fromEntries(parts.map(([k, part]) => [k, part(made)]));
    }
    return () => value;
  };
  const rebuild = walk(result);
  return { tensors, rebuild };
}

function toLeaf(value: unknown, path: string, name: string): Leaf | undefined {
  if (value instanceof tf.Tensor) {
    if (!isDType(value.dtype)) {
      throw new UsageError(`${path} of the compiled function "${name}" has dtype ${value.dtype}; float32, int32 and bool can be passed.`);
    }
    return { dtype: value.dtype, shape: value.shape, data: () => value.dataSync() as TypedArray };
  }
  if (ArrayBuffer.isView(value))
    return arrayLeaf(value as unknown as ArrayLike<number>, [(value as unknown as ArrayLike<number>).length], undefined, path, name);
  if (value !== null && typeof value === 'object' && 'shape' in value && 'data' in value && typeof value.data === 'object') {
    const { data, shape, dtype } = value as ArrayInput;
    return arrayLeaf(data, shape, dtype, path, name);
  }
  return undefined;
}

function arrayLeaf(data: ArrayLike<number>, shape: readonly number[], dtype: DType | undefined, path: string, name: string): Leaf {
  const type = dtype ?? dtypeOf(data);
  if (type === undefined || !isDType(type)) {
    throw new UsageError(
      `${path} of the compiled function "${name}" is neither a Float32Array, Int32Array nor Uint8Array and names no dtype (float32, int32 or bool).`,
    );
  }
  if (sizeOf(shape) !== data.length) {
    throw new UsageError(
      `${path} of the compiled function "${name}" has ${data.length} values, but its shape [${shape.join(',')}] needs ${sizeOf(shape)}.`,
    );
  }
  return { dtype: type, shape, data: () => data as TypedArray };
}

function dtypeOf(data: ArrayLike<number>): DType | undefined {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  return data instanceof Uint8Array ? 'bool' : undefined;
}

function staticKey(value: unknown, path: string, name: string): string {
  if (value === null || value === undefined || ['number', 'string', 'boolean', 'bigint'].includes(typeof value)) {
    return `${typeof value}:${typeof value === 'string' ? JSON.stringify(value) : String(value)};`;
  }
  // Objects and functions (a model, an optimizer) are the same argument when they are the same object.
  if (typeof value === 'object' || typeof value === 'function') return `object:${objectId(value as object)};`;
  throw new UsageError(`${path} of the compiled function "${name}" is a ${typeof value}, which cannot be passed.`);
}

const ids = new WeakMap<object, number>();
let nextId = 0;

function objectId(value: object): number {
  let id = ids.get(value);
  if (id === undefined) ids.set(value, (id = nextId++));
  return id;
}

function isPlainObject(value: unknown): value is Record<string, unknown> {
  if (value === null || typeof value !== 'object') return false;
  const prototype = Object.getPrototypeOf(value) as unknown;
  return prototype === Object.prototype || prototype === null;
}
