import { utf8Text } from '../../files/index.js';
import type { NDArray } from '../../ndarray.js';
import { NDArray as Arrays, allocate, shapeSize } from '../../ndarray.js';
import type { FeatureSpec } from '../../tfrecord/index.js';
import { firstBroken } from '../../value-rules.js';

/**
 * Reads features of one fixed shape straight from the bytes of encoded examples into columns, without an object per example.
 * Whatever is unusual (a missing feature, another kind, another size, a value that does not fit) is left to the general parser.
 */
export class ColumnParser {
  readonly #keys: readonly Buffer[];
  readonly #specs: readonly FeatureSpec[];
  readonly #sizes: readonly number[];
  readonly #data: readonly (ReturnType<typeof allocate> | string[])[];
  #at = 0;
  #next = 0;

  constructor(
    readonly names: readonly string[],
    specs: readonly FeatureSpec[],
    rows: number,
  ) {
    this.#keys = names.map((name) => Buffer.from(name));
    this.#specs = specs;
    this.#sizes = specs.map(({ shape }) => shapeSize(shape!));
    this.#data = specs.map(({ dtype }, i) => (dtype === 'float32' || dtype === 'int32' ? allocate(dtype, rows * this.#sizes[i]!) : []));
  }

  /** Whether every spec has what the fast way needs. */
  static takes(specs: readonly FeatureSpec[]): boolean {
    return specs.every(
      ({ dtype, shape }) => shape !== undefined && (dtype === 'float32' || dtype === 'int32' || (dtype === 'string' && shape.length === 0)),
    );
  }

  /** Parses an example into row `row`; false where the general parser has to look at it. */
  parse(buffer: Buffer, begin: number, end: number, row: number): boolean {
    let found = 0;
    this.#at = begin;
    while (this.#at < end) {
      if (buffer[this.#at++] !== 0x0a) return false;
      const featuresEnd = this.#length(buffer, end);
      while (this.#at < featuresEnd) {
        if (buffer[this.#at++] !== 0x0a) return false;
        const entryEnd = this.#length(buffer, featuresEnd);
        if (entryEnd < 0 || buffer[this.#at++] !== 0x0a) return false;
        const keyEnd = this.#length(buffer, entryEnd);
        if (keyEnd < 0) return false;
        const column = this.#column(buffer, this.#at, keyEnd);
        this.#at = keyEnd;
        if (column >= 0) {
          if (!this.#feature(buffer, entryEnd, column, row)) return false;
          found++;
        }
        this.#at = entryEnd;
      }
      if (featuresEnd < 0) return false;
    }
    return found === this.#keys.length;
  }

  /** Reads a length; gives where what follows ends, or -1 where that is beyond `limit`. */
  #length(buffer: Buffer, limit: number): number {
    let value = 0;
    for (let shift = 0; shift < 35; shift += 7) {
      const byte = buffer[this.#at++]!;
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return this.#at + value <= limit ? this.#at + value : -1;
    }
    return -1;
  }

  /** The column with a key, tried in the order of the example before. */
  #column(buffer: Buffer, begin: number, end: number): number {
    const keys = this.#keys;
    for (let tried = 0; tried < keys.length; tried++) {
      const column = this.#next < keys.length ? this.#next : 0;
      const key = keys[column]!;
      this.#next = column + 1;
      if (key.length !== end - begin) continue;
      let i = 0;
      while (i < key.length && key[i] === buffer[begin + i]) i++;
      if (i === key.length) return column;
    }
    return -1;
  }

  #feature(buffer: Buffer, end: number, column: number, row: number): boolean {
    if (buffer[this.#at++] !== 0x12) return false;
    const featureEnd = this.#length(buffer, end);
    if (featureEnd !== end) return false;
    const { dtype } = this.#specs[column]!;
    const tag = dtype === 'float32' ? 0x12 : dtype === 'int32' ? 0x1a : 0x0a;
    if (buffer[this.#at++] !== tag || this.#length(buffer, end) !== end) return false;
    if (buffer[this.#at++] !== 0x0a) return false;
    const listEnd = this.#length(buffer, end);
    if (listEnd !== end) return false;
    if (dtype === 'string') {
      const text = utf8Text(buffer, this.#at, end);
      if (text !== undefined) (this.#data[column] as string[])[row] = text;
      return text !== undefined;
    }
    const size = this.#sizes[column]!;
    const target = this.#data[column] as Float32Array | Int32Array;
    if (dtype === 'float32') {
      if (end - this.#at !== size * 4) return false;
      new Uint8Array(target.buffer, target.byteOffset + row * size * 4, size * 4).set(buffer.subarray(this.#at, end));
    } else if (!this.#integers(buffer, end, target, row * size, size)) return false;
    return firstBroken(target, dtype as 'float32', this.#specs[column]!, row * size, (row + 1) * size) < 0;
  }

  #integers(buffer: Buffer, end: number, target: Float32Array | Int32Array, first: number, size: number): boolean {
    let filled = 0;
    while (this.#at < end) {
      let value = 0;
      let shift = 0;
      let byte: number;
      do {
        byte = buffer[this.#at++]!;
        value += (byte & 127) * 2 ** shift;
        shift += 7;
      } while (byte >= 128 && shift < 35);
      if (byte >= 128 || value > 0x7fffffff || filled === size || this.#at > end) return false; // negative, or too large
      target[first + filled++] = value;
    }
    return filled === size;
  }

  /** Takes a row from the general parser. */
  put(row: number, example: Readonly<Record<string, unknown>>): void {
    this.names.forEach((name, column) => {
      const value = example[name];
      const data = this.#data[column]!;
      if (Array.isArray(data)) data[row] = value as string;
      else data.set((value as NDArray<'float32'>).data, row * this.#sizes[column]!);
    });
  }

  /** The first `rows` rows. */
  finish(rows: number): Record<string, NDArray | string[]> {
    return Object.fromEntries(
      this.names.map((name, column) => {
        const data = this.#data[column]!;
        const { dtype, shape } = this.#specs[column]!;
        if (Array.isArray(data)) return [name, data.slice(0, rows)];
        return [name, new Arrays(data.subarray(0, rows * this.#sizes[column]!) as Float32Array, [rows, ...shape!], dtype as 'float32')];
      }),
    );
  }
}
