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

/** As {@link zeros}, in memory that other threads can read. */
export function sharedZeros(dtype: DType, size: number): TypedArray {
  const bytes = dtype === 'bool' ? size : size * 4;
  const memory = new SharedArrayBuffer(bytes);
  return dtype === 'float32' ? new Float32Array(memory) : dtype === 'int32' ? new Int32Array(memory) : new Uint8Array(memory);
}

/** True for the dtypes that can be compiled (complex64 and string tensors cannot). */
export function isDType(dtype: string): dtype is DType {
  return dtype === 'float32' || dtype === 'int32' || dtype === 'bool';
}

/** `float32[2,3]`. */
export function formatSpec(spec: TensorSpec): string {
  return `${spec.dtype}[${spec.shape.join(',')}]`;
}
