import { closeSync, readSync } from 'node:fs';

import { DataError } from '../../errors.js';
import { openToRead } from '../files/index.js';
import { allocate, NDArray, shapeSize, type DType, type TypedArray } from '../ndarray.js';
import { firstBroken, wrongNumber, type ValueRules } from '../value-rules.js';
import type { Column } from './columns.js';

/** Row-major values that lie in one piece of a file. */
export interface StoredArray {
  readonly path: string;
  /** Name of the array, in a file of several. */
  readonly name?: string;
  readonly shape: readonly number[];
  /** What the values become. */
  readonly dtype: DType;
  /** Byte of the first value in the file. */
  readonly offset: number;
  /** Bytes of one value in the file. */
  readonly valueBytes: number;
  /** Turns bytes of the file into values. */
  decode(bytes: Uint8Array, target: TypedArray, place?: (index: number) => string): void;
}

/** Memory for reading that a column keeps. */
const LARGEST_ROOM_BYTES = 2 ** 22;

const files = new FinalizationRegistry<number>((file) => closeSync(file));

/** Some values of the array, from value `first` on. */
export function readValues(array: StoredArray, first: number, count: number): NDArray {
  const file = openToRead(array.path);
  try {
    const data = allocate(array.dtype, count);
    const name = array.name === undefined ? '' : `, array ${array.name}`;
    array.decode(readBytes(array, file, first, count), data, (i) => `${array.path}${name}, value ${first + i} (from 0)`);
    return new NDArray(data, [count], array.dtype);
  } finally {
    closeSync(file);
  }
}

/** Reads the whole array. Throws a {@link DataError} where the file is missing or too short. */
export function readStored(array: StoredArray): NDArray {
  return readValues(array, 0, shapeSize(array.shape)).reshape(array.shape);
}

/**
 * A column whose rows are read from the file when they are asked for, so that the array may be larger than memory. Rows next to
 * each other are read together. A value that breaks the rules is a DataError with file, array and row.
 */
export class StoredColumn implements Column {
  readonly length: number;
  readonly #array: StoredArray;
  readonly #shape: readonly number[];
  readonly #size: number;
  #file: number | undefined;
  /** What rows are read into before they are decoded: new memory for each would cost more than reading. */
  #room = new Uint8Array(0);

  constructor(
    array: StoredArray,
    readonly rules: ValueRules = {},
  ) {
    const [rows, ...shape] = array.shape;
    if (rows === undefined) {
      const what = array.name === undefined ? `${array.path} holds` : `${array.path}, array ${array.name}, is`;
      throw new DataError(
        `${what} a single value; ${array.name === undefined ? 'an array with rows was expected' : 'name the arrays with rows'}.`,
      );
    }
    this.#array = array;
    this.length = rows;
    this.#shape = shape;
    this.#size = shapeSize(shape);
  }

  row(index: number): NDArray {
    return this.gather(Uint32Array.of(index), 1).row(0);
  }

  gather(indices: Uint32Array, count: number): NDArray {
    const data = allocate(this.#array.dtype, count * this.#size);
    for (let from = 0; from < count;) {
      let to = from + 1;
      while (to < count && indices[to] === indices[to - 1]! + 1) to++;
      const values = (to - from) * this.#size;
      const room = this.#roomFor(values * this.#array.valueBytes);
      const bytes = readBytes(this.#array, this.#open(), indices[from]! * this.#size, values, room);
      const first = indices[from]!;
      this.#array.decode(bytes, data.subarray(from * this.#size, to * this.#size), (i) => this.#place(first + Math.floor(i / this.#size)));
      from = to;
    }
    const broken = firstBroken(data, this.#array.dtype, this.rules);
    if (broken >= 0) throw this.#broken(indices[Math.floor(broken / this.#size)]!, broken % this.#size, data[broken]!);
    return new NDArray(data, [count, ...this.#shape], this.#array.dtype);
  }

  #roomFor(bytes: number): Uint8Array {
    if (bytes > LARGEST_ROOM_BYTES) return new Uint8Array(bytes);
    if (bytes > this.#room.length) this.#room = new Uint8Array(bytes);
    return this.#room;
  }

  #broken(row: number, at: number, value: number): DataError {
    return new DataError(`${this.#place(row)}: the value${this.#size > 1 ? ` ${at}` : ''} ${wrongNumber(value, this.rules)}.`);
  }

  #place(row: number): string {
    const { path, name } = this.#array;
    return `${path}${name === undefined ? '' : `, array ${name}`}, row ${row} (from 0)`;
  }

  /** The file stays open as long as the column is in use. */
  #open(): number {
    if (this.#file === undefined) {
      this.#file = openToRead(this.#array.path);
      files.register(this, this.#file);
    }
    return this.#file;
  }
}

/** The bytes of some values; `room`, where it is long enough, is filled with them. */
function readBytes(
  { path, offset, valueBytes }: StoredArray,
  file: number,
  first: number,
  count: number,
  room: Uint8Array = new Uint8Array(count * valueBytes),
): Uint8Array {
  const bytes = room.subarray(0, count * valueBytes);
  let filled = 0;
  while (filled < bytes.length) {
    const read = readSync(file, bytes, filled, Math.min(bytes.length - filled, 2 ** 30), offset + first * valueBytes + filled);
    if (read === 0)
      throw new DataError(
        `${path} is truncated: value ${first + Math.floor(filled / valueBytes)} of the array at byte ${offset} lies after its end.`,
      );
    filled += read;
  }
  return bytes;
}
