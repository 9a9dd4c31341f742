import { allocate, NDArray, shapeSize, type DTypeArrays } from '../ndarray.js';
import type { Column } from './columns.js';

const tables = new Map<number, { single: Float32Array; pairs: Float64Array }>();

/** Bytes as they lie in a file, rows of `shape` values each, given as float32 or int32 numbers times `scale`. */
export class ScaledBytesColumn<D extends 'float32' | 'int32'> implements Column {
  readonly length: number;
  readonly #shape: readonly number[];
  readonly #size: number;
  readonly #scale: number;
  readonly #dtype: D;
  readonly #load: () => Promise<Uint8Array>;
  #bytes: Uint8Array = new Uint8Array(0);
  /** The same bytes two at a time, where a row holds an even number and the memory is aligned. */
  #pairs: Uint16Array | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;

  /** `load` is called once, when the first element is asked for (or earlier, through `ready`). */
  constructor(rows: number, shape: readonly number[], scale: number, dtype: D, load: () => Promise<Uint8Array>) {
    this.length = rows;
    this.#shape = shape;
    this.#size = shapeSize(shape);
    this.#scale = scale;
    this.#dtype = dtype;
    this.#load = load;
  }

  ready(): Promise<void> | undefined {
    if (this.#loaded) return undefined;
    this.#loading ??= this.#load().then((bytes) => {
      this.#bytes = bytes;
      if (this.#size % 2 === 0 && bytes.byteOffset % 2 === 0) {
        this.#pairs = new Uint16Array(bytes.buffer, bytes.byteOffset, bytes.length >> 1);
      }
      this.#loaded = true;
    });
    return this.#loading;
  }

  row(index: number): NDArray<D> {
    return this.gather(Uint32Array.of(index), 1).reshape(this.#shape);
  }

  gather(indices: Uint32Array, count: number): NDArray<D> {
    const size = this.#size;
    const data = allocate<'float32' | 'int32'>(this.#dtype, count * size);
    if (data instanceof Int32Array) gatherIntegers(this.#bytes, this.#scale, indices, count, size, data);
    else if (this.#pairs === undefined) gatherBytes(this.#bytes, tableFor(this.#scale).single, indices, count, size, data);
    else gatherPairs(this.#pairs, tableFor(this.#scale).pairs, indices, count, size >> 1, data);
    return new NDArray(data as DTypeArrays[D], [count, ...this.#shape], this.#dtype);
  }
}

function gatherIntegers(bytes: Uint8Array, scale: number, indices: Uint32Array, count: number, size: number, out: Int32Array): void {
  for (let i = 0, o = 0; i < count; i++) {
    const first = indices[i]! * size;
    for (let j = first; j < first + size; j++) out[o++] = bytes[j]! * scale;
  }
}

function gatherBytes(bytes: Uint8Array, table: Float32Array, indices: Uint32Array, count: number, size: number, out: Float32Array): void {
  for (let i = 0, o = 0; i < count; i++) {
    const first = indices[i]! * size;
    for (let j = first; j < first + size; j++) out[o++] = table[bytes[j]!]!;
  }
}

/** Two values with one look-up: the table holds the bits of two float32 as one float64. Half the time of the loop over bytes. */
function gatherPairs(pairs: Uint16Array, table: Float64Array, indices: Uint32Array, count: number, size: number, out: Float32Array): void {
  const out64 = new Float64Array(out.buffer, out.byteOffset, count * size);
  for (let i = 0, o = 0; i < count; i++) {
    const first = indices[i]! * size;
    for (let j = first; j < first + size; j++) out64[o++] = table[pairs[j]!]!;
  }
}

/** Tables of the scaled values of all bytes and of all pairs of bytes (in this machine's byte order); 0.5 MB per scale. */
function tableFor(scale: number): { single: Float32Array; pairs: Float64Array } {
  const known = tables.get(scale);
  if (known !== undefined) return known;
  const single = Float32Array.from({ length: 256 }, (_, value) => value * scale);
  const both = new Float32Array(2 ** 17);
  const bytes = new Uint8Array(Uint16Array.from({ length: 2 ** 16 }, (_, pair) => pair).buffer);
  for (let i = 0; i < both.length; i++) both[i] = single[bytes[i]!]!;
  const table = { single, pairs: new Float64Array(both.buffer) };
  tables.set(scale, table);
  return table;
}
