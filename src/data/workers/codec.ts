import { DataError } from '../../errors.js';
import { NDArray, type DType, type DTypeArrays, type TypedArray } from '../ndarray.js';
import { isArrayForm, sameShape } from '../structure.js';

/**
 * Elements as a text (their structure) and bytes (their arrays), for other threads and for cache files. Known are numbers,
 * texts, booleans, null, undefined, bigints, typed arrays, anything with `data`, `shape` and `dtype`, and lists, records and
 * maps of these.
 */

/** Arrays begin at multiples of this. */
export const ALIGNMENT = 8;

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

/**
 * Takes a value apart. Arrays that lie in `within`, whose first `used` bytes they take, stay there. Throws a {@link DataError} for
 * what cannot be passed on, with its place.
 */
export function encode(value: unknown, within?: ArrayBufferLike, used = 0): Encoded {
  const places = new Places(within, used);
  const node = (item: unknown, path: string): Node => {
    if (typeof item === 'string' || typeof item === 'boolean' || item === null) return item;
    if (typeof item === 'number')
      return Number.isFinite(item) && !Object.is(item, -0) ? item : { s: Object.is(item, -0) ? '-0' : String(item) };
    if (item === undefined) return { s: 'undefined' };
    if (typeof item === 'bigint') return { i: String(item) };
    if (ArrayBuffer.isView(item)) return { t: [typeName(item, path), (item as AnyArray).length, places.add(item)] };
    if (Array.isArray(item)) {
      if (item.length > 0 && item.every((bytes) => bytes instanceof Uint8Array))
        return { b: item.map((bytes: Uint8Array) => bytes.length), o: places.addAll(item as Uint8Array[]) };
      return item.map((part, index) => node(part, `${path}[${index}]`));
    }
    if (isArrayForm(item)) return { n: [item.dtype, item.shape, typeName(item.data, path), places.add(item.data)] };
    if (item instanceof Map) return { m: [...item].map(([key, part]) => [node(key, path), node(part, `${path}.${String(key)}`)]) };
    if (isPlain(item))
      return { r: Object.fromEntries(Object.entries(item).map(([key, part]) => [key, node(part, path === '' ? key : `${path}.${key}`)])) };
    throw cannotPass(item, path);
  };
  return places.encoded(node(value, ''));
}

/**
 * Takes elements apart as one batch of them: of arrays of the same shapes that costs far less than one by one. Undefined where
 * they are something else.
 */
export function encodeRows(elements: readonly unknown[]): Encoded | undefined {
  const places = new Places();
  const node = (items: readonly unknown[]): Node | undefined => {
    const [first] = items;
    if (typeof first === 'string') return items.every((item) => typeof item === 'string') ? items : undefined;
    if (isArrayForm(first)) {
      const alike = (item: unknown): item is NDArray =>
        isArrayForm(item) && item.dtype === first.dtype && sameShape(item.shape, first.shape);
      if (!items.every(alike)) return undefined;
      return { n: [first.dtype, [items.length, ...first.shape], typeName(first.data, ''), places.addAll(items.map(({ data }) => data))] };
    }
    if (!Array.isArray(first) && !isPlain(first)) return undefined;
    const keys = Object.keys(first as object);
    const alike = (item: unknown): boolean =>
      Array.isArray(item) === Array.isArray(first) &&
      isStructure(item) &&
      Object.keys(item).length === keys.length &&
      keys.every((key) => key in item);
    if (keys.length === 0 || !items.every(alike)) return undefined;
    const parts: [string, Node][] = [];
    for (const key of keys) {
      const part = node(items.map((item) => (item as Record<string, unknown>)[key]));
      if (part === undefined) return undefined;
      parts.push([key, part]);
    }
    return Array.isArray(first) ? parts.map(([, part]) => part) : { r: Object.fromEntries(parts) };
  };
  const batch = elements.length > 1 ? node(elements) : undefined;
  return batch === undefined ? undefined : places.encoded(batch);
}

/** Where the arrays of a value go. */
class Places {
  readonly #parts: { readonly bytes: Uint8Array; readonly offset: number }[] = [];
  #size: number;

  constructor(
    readonly within?: ArrayBufferLike,
    used = 0,
  ) {
    this.#size = used;
  }

  /** The place of an array. */
  add(array: ArrayBufferView): number {
    return array.buffer === this.within ? array.byteOffset : this.addAll([array]);
  }

  /** The place of the first of several arrays, which lie one after the other. */
  addAll(arrays: readonly ArrayBufferView[]): number {
    const first = Math.ceil(this.#size / ALIGNMENT) * ALIGNMENT;
    this.#size = first;
    for (const array of arrays) {
      this.#parts.push({ bytes: bytesOf(array), offset: this.#size });
      this.#size += array.byteLength;
    }
    return first;
  }

  encoded(node: Node): Encoded {
    const parts = this.#parts;
    return {
      text: JSON.stringify(node),
      size: this.#size,
      write: (target) => {
        for (const { bytes, offset } of parts) target.set(bytes, offset);
      },
    };
  }
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

function isStructure(item: unknown): item is object {
  return Array.isArray(item) || isPlain(item);
}

function cannotPass(item: unknown, path: string): DataError {
  const what = typeof item === 'object' && item !== null ? `a ${item.constructor.name}` : `a ${typeof item}`;
  return new DataError(
    `${path === '' ? 'The element' : `Part ${path} of the element`} is ${what}, which cannot be passed to another thread or file; ` +
      'numbers, texts, booleans, arrays, and lists, records and maps of them can.',
  );
}
