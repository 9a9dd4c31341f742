/** Element types of compiled values: tfjs's numeric ones. */
export type DType = 'float32' | 'int32' | 'bool';

/** The typed array that holds values of a dtype; `bool` takes one byte each. */
export type TypedArray = Float32Array | Int32Array | Uint8Array;

/** dtype and shape of a value. */
export interface TensorSpec {
  readonly dtype: DType;
  readonly shape: readonly number[];
}

/** Number of elements of a shape. */
export function sizeOf(shape: readonly number[]): number {
  let size = 1;
  for (const d of shape) size *= d;
  return size;
}

/** Allocates zeros of a dtype. */
export function zeros(dtype: DType, size: number): TypedArray {
  return dtype === 'float32' ? new Float32Array(size) : dtype === 'int32' ? new Int32Array(size) : new Uint8Array(size);
}

/**
 * As {@link zeros}, in memory that other threads can read. Large arrays begin at different distances from a page's start: an
 * update reads and writes some seven of them side by side, and a processor takes a read for dependent on a write to the same
 * place of another page (4K aliasing), which costs a fifth of the time.
 */
export function sharedZeros(dtype: DType, size: number): TypedArray {
  const bytes = dtype === 'bool' ? size : size * 4;
  const at = bytes < staggeredBytes ? 0 : lineBytes - headBytes + (arrays++ % phases) * phaseBytes;
  const memory = new SharedArrayBuffer(at + bytes);
  if (dtype === 'float32') return new Float32Array(memory, at, size);
  return dtype === 'int32' ? new Int32Array(memory, at, size) : new Uint8Array(memory, at, size);
}

/** Arrays from this size on are staggered. */
const staggeredBytes = 1 << 20;
/** Bytes of a cache line. */
const lineBytes = 64;
/** Large memory from the system begins as many bytes behind a page's start on most platforms. */
const headBytes = 16;
/** Distance of one array's place in its page from the next one's: whole lines, spread over a page. */
const phaseBytes = 17 * lineBytes;
const phases = 8;
let arrays = 0;

/** True for the dtypes that can be compiled (complex64 and string tensors cannot). */
export function isDType(dtype: string): dtype is DType {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

/** `float32[2,3]`. */
export function formatSpec(spec: TensorSpec): string {
  return `${spec.dtype}[${spec.shape.join(',')}]`;
}
