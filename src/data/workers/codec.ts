import { DataError } from '../../errors.js';
import { NDArray, type DType, type DTypeArrays, type TypedArray } from '../ndarray.js';
import { isArrayForm } from '../structure.js';

/**
 * Elements as a text (their structure) and bytes (their arrays), for other threads and for cache files. Known are numbers,
 * texts, booleans, null, undefined, bigints, typed arrays, anything with `data`, `shape` and `dtype`, and lists, records and
 * maps of these.
 */

/** Arrays begin at multiples of this. */
const ALIGNMENT = 8;

const arrayTypes = {
  Float32Array,
  Float64Array,
  Int8Array,
  Int16Array,
  Int32Array,
  Uint8Array,
  Uint8ClampedArray,
  Uint16Array,
  Uint32Array,
  BigInt64Array,
  BigUint64Array,
} as const;
type AnyArray = InstanceType<(typeof arrayTypes)[keyof typeof arrayTypes]>;

type Node =
  | number
  | string
  | boolean
  | null
  | readonly Node[]
  | { readonly r: { readonly [key: string]: Node } } // record
  | { readonly m: readonly (readonly [Node, Node])[] } // map
  | { readonly n: readonly [dtype: string, shape: readonly number[], type: string, offset: number] } // NDArray
  | { readonly t: readonly [type: string, length: number, offset: number] } // typed array
  | { readonly b: readonly number[]; readonly o: number } // list of byte arrays, one after the other
  | { readonly s: string } // number that JSON does not know, or undefined
  | { readonly i: string }; // bigint

/** A value that was taken apart. */
export interface Encoded {
  /** The structure, with the places of the arrays. */
  readonly text: string;
  /** Bytes of all arrays. */
  readonly size: number;
  /** Copies the arrays to their places in `target`, of `size` bytes at least. */
  write(target: Uint8Array): void;
}

/** Takes a value apart. Throws a {@link DataError} for what cannot be passed on, with its place. */
export function encode(value: unknown): Encoded {
  const parts: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  let size = 0;
  const place = (array: ArrayBufferView): number => {
    const offset = Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    parts.push({ bytes: bytesOf(array), offset });
    size = offset + array.byteLength;
    return offset;
  };
  const byteList = (arrays: readonly Uint8Array[]): Node => {
    const o = Math.ceil(size / ALIGNMENT) * ALIGNMENT;
    size = o;
    for (const bytes of arrays) {
      parts.push({ bytes, offset: size });
      size += bytes.length;
    }
    return { b: arrays.map(({ length }) => length), o };
  };
  const node = (item: unknown, path: string): Node => {
    if (typeof item === 'string' || typeof item === 'boolean' || item === null) return item;
    if (typeof item === 'number')
      return Number.isFinite(item) && !Object.is(item, -0) ? item : { s: Object.is(item, -0) ? '-0' : String(item) };
    if (item === undefined) return { s: 'undefined' };
    if (typeof item === 'bigint') return { i: String(item) };
    if (ArrayBuffer.isView(item)) return { t: [typeName(item, path), (item as AnyArray).length, place(item)] };
    if (Array.isArray(item)) {
      if (item.length > 0 && item.every((bytes) => bytes instanceof Uint8Array)) return byteList(item as Uint8Array[]);
      return item.map((part, index) => node(part, `${path}[${index}]`));
    }
    if (isArrayForm(item)) return { n: [item.dtype, item.shape, typeName(item.data, path), place(item.data)] };
    if (item instanceof Map) return { m: [...item].map(([key, part]) => [node(key, path), node(part, `${path}.${String(key)}`)]) };
    if (isPlain(item))
      return { r: Object.fromEntries(Object.entries(item).map(([key, part]) => [key, node(part, path === '' ? key : `${path}.${key}`)])) };
    throw cannotPass(item, path);
  };
  const text = JSON.stringify(node(value, ''));
  return {
    text,
    size,
    write: (target) => {
      for (const { bytes, offset } of parts) target.set(bytes, offset);
    },
  };
}

/** How {@link decode} makes an array over memory; default: a view, or a copy where memory is given away. */
export type MakeArray = (type: string, offset: number, length: number) => AnyArray;

/** Arrays that lie in `memory` itself. */
export function viewsOf(memory: ArrayBufferLike, base = 0): MakeArray {
  return (type, offset, length) => new arrayTypes[type as keyof typeof arrayTypes](memory as ArrayBuffer, base + offset, length);
}

/** Arrays of their own with the values that lie in `memory`. */
export function copiesOf(memory: ArrayBufferLike, base = 0): MakeArray {
  const views = viewsOf(memory, base);
  return (type, offset, length) => {
    const copy = new arrayTypes[type as keyof typeof arrayTypes](length);
    (copy as Uint8Array).set(views(type, offset, length) as Uint8Array);
    return copy;
  };
}

/** Puts a value together again. */
export function decode(text: string, array: MakeArray): unknown {
  return value(JSON.parse(text) as Node, array);
}

function value(node: Node, array: MakeArray): unknown {
  if (typeof node !== 'object' || node === null) return node;
  if (isList(node)) return node.map((part) => value(part, array));
  if ('n' in node) {
    const [dtype, shape, type, offset] = node.n;
    const size = shape.reduce((product, axis) => product * axis, 1);
    return new NDArray(array(type, offset, size) as TypedArray as DTypeArrays[DType], shape, dtype as DType);
  }
  if ('t' in node) return array(node.t[0], node.t[2], node.t[1]);
  if ('b' in node) {
    let offset = node.o;
    return node.b.map((length) => array('Uint8Array', (offset += length) - length, length));
  }
  if ('r' in node) return Object.fromEntries(Object.entries(node.r).map(([key, part]) => [key, value(part, array)]));
  if ('m' in node) return new Map(node.m.map(([key, part]) => [value(key, array), value(part, array)]));
  if ('i' in node) return BigInt(node.i);
  return node.s === 'undefined' ? undefined : Number(node.s);
}

function isList(node: object): node is readonly Node[] {
  return Array.isArray(node);
}

function bytesOf(array: ArrayBufferView): Uint8Array {
  return new Uint8Array(array.buffer, array.byteOffset, array.byteLength);
}

function typeName(array: ArrayBufferView, path: string): string {
  if (array instanceof Uint8Array) return 'Uint8Array'; // a Buffer too
  const name = array.constructor.name;
  if (name in arrayTypes) return name;
  throw cannotPass(array, path);
}

function isPlain(item: unknown): item is object {
  if (typeof item !== 'object' || item === null) return false;
  const prototype: unknown = Object.getPrototypeOf(item);
  return prototype === Object.prototype || prototype === null;
}

function cannotPass(item: unknown, path: string): DataError {
  const what = typeof item === 'object' && item !== null ? `a ${item.constructor.name}` : `a ${typeof item}`;
  return new DataError(
    `${path === '' ? 'The element' : `Part ${path} of the element`} is ${what}, which cannot be passed to another thread or file; ` +
      'numbers, texts, booleans, arrays, and lists, records and maps of them can.',
  );
}
