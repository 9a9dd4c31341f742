import { allocate, NDArray, shapeSize, type DTypeArrays } from '../ndarray.js';
import type { Column } from './columns.js';
import { ReturnedArrays } from './returned-arrays.js';
import { ScaleKernel } from './scale-kernel.js';

/** Bytes as they lie in a file, rows of `shape` values each, given as float32 or int32 numbers times `scale`. */
export class ScaledBytesColumn<D extends 'float32' | 'int32'> implements Column {
  readonly length: number;
  readonly #shape: readonly number[];
  readonly #size: number;
  readonly #scale: number;
  readonly #dtype: D;
  readonly #load: (target: Uint8Array) => Promise<void>;
  readonly #arrays = new ReturnedArrays<D>();
  #bytes: Uint8Array = new Uint8Array(0);
  #kernel: ScaleKernel | undefined;
  #loading: Promise<void> | undefined;
  #loaded = false;

  /** `load` is called once, when the first element is asked for (or earlier, through `ready`), with the memory to fill. */
  constructor(rows: number, shape: readonly number[], scale: number, dtype: D, load: (target: Uint8Array) => Promise<void>) {
    this.length = rows;
    this.#shape = shape;
    this.#size = shapeSize(shape);
    this.#scale = scale;
    this.#dtype = dtype;
    this.#load = load;
  }

  ready(): Promise<void> | undefined {
    if (this.#loaded) return undefined;
    this.#loading ??= this.#start();
    return this.#loading;
  }

  async #start(): Promise<void> {
    const length = this.length * this.#size;
    this.#kernel = this.#dtype === 'float32' ? ScaleKernel.create(length, this.#size, this.#scale) : undefined;
    this.#bytes = this.#kernel?.bytes ?? new Uint8Array(length);
    await this.#load(this.#bytes);
    this.#loaded = true;
  }

  row(index: number): NDArray<D> {
    return new NDArray(this.#fill(Uint32Array.of(index), 1, allocate(this.#dtype, this.#size)), this.#shape, this.#dtype);
  }

  gather(indices: Uint32Array, count: number): NDArray<D> {
    const length = count * this.#size;
    const data = this.#fill(
      indices,
      count,
      this.#arrays.take(this.#dtype, length, () => this.#memory(length)),
    );
    return this.#arrays.give(new NDArray(data, [count, ...this.#shape], this.#dtype));
  }

  #fill(indices: Uint32Array, count: number, data: DTypeArrays[D]): DTypeArrays[D] {
    if (this.#kernel !== undefined) this.#kernel.gather(indices, count, data as Float32Array);
    else gatherBytes(this.#bytes, this.#scale, indices, count, this.#size, data);
    return data;
  }

  /** Memory where the kernel needs no copy goes only to those who give it back: there is little of it. */
  #memory(length: number): DTypeArrays[D] {
    const inPlace = this.#arrays.returned ? (this.#kernel?.allocate(length) as DTypeArrays[D] | undefined) : undefined;
    return inPlace ?? allocate(this.#dtype, length);
  }

  release(batch: unknown): void {
    this.#arrays.takeBack(
      batch,
      (array) => this.#kernel === undefined || this.#kernel.writesTo(array) || !this.#kernel.hasRoom(array.length),
    );
  }
}

function gatherBytes(
  bytes: Uint8Array,
  scale: number,
  indices: Uint32Array,
  count: number,
  size: number,
  out: Float32Array | Int32Array,
): void {
  for (let i = 0, o = 0; i < count; i++) {
    const first = indices[i]! * size;
    for (let j = first; j < first + size; j++) out[o++] = bytes[j]! * scale;
  }
}
