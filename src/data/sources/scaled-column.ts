import { allocate, NDArray, shapeSize, type DTypeArrays } from '../ndarray.js';
import type { Column } from './columns.js';
import { ScaleKernel } from './scale-kernel.js';

/** Bytes as they lie in a file, rows of `shape` values each, given as float32 or int32 numbers times `scale`. */
export class ScaledBytesColumn<D extends 'float32' | 'int32'> implements Column {
  readonly length: number;
  readonly #shape: readonly number[];
  readonly #size: number;
  readonly #scale: number;
  readonly #dtype: D;
  readonly #load: (target: Uint8Array) => Promise<void>;
  readonly #free: DTypeArrays[D][] = [];
  readonly #given = new WeakSet<NDArray>();
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
    return this.gather(Uint32Array.of(index), 1).reshape(this.#shape);
  }

  gather(indices: Uint32Array, count: number): NDArray<D> {
    const size = this.#size;
    const length = count * size;
    const data = this.#free.at(-1)?.length === length ? this.#free.pop()! : allocate(this.#dtype, length);
    if (this.#kernel !== undefined) this.#kernel.gather(indices, count, data as Float32Array);
    else gatherBytes(this.#bytes, this.#scale, indices, count, size, data);
    const batch = new NDArray(data, [count, ...this.#shape], this.#dtype);
    this.#given.add(batch);
    return batch;
  }

  release(batch: unknown): void {
    // Only what was given and not yet released: a second release must not free memory that serves a later batch.
    if (batch instanceof NDArray && this.#given.delete(batch) && this.#free.length < KEPT_ARRAYS) {
      this.#free.push(batch.data as DTypeArrays[D]);
    }
  }
}

/** Released arrays that are kept for the next batches. */
const KEPT_ARRAYS = 4;

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
