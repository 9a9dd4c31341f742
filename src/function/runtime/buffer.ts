/** Memory that ONNX Runtime reads and writes in place. */
import { sizeOf, zeros, type DType, type TensorSpec, type TypedArray } from '../dtype.js';
import { elementType } from '../graph/onnx.js';
import { countHandle } from './handles.js';
import { ort, type Handle } from './ort.js';

/**
 * A typed array and the OrtValue over it. The value holds a raw pointer into the array: whoever holds the buffer keeps
 * both alive, and nothing resizes or transfers the array.
 */
export class NativeBuffer {
  readonly array: TypedArray;
  readonly handle: Handle;
  readonly byteLength: number;

  /**
   * @param spec dtype and shape.
   * @param array the memory to use; fresh zeros by default. Must have the shape's size (one element for an empty shape).
   */
  constructor(
    readonly spec: TensorSpec,
    array?: TypedArray,
  ) {
    const size = sizeOf(spec.shape);
    // ONNX Runtime wants a pointer even for an empty tensor.
    this.array = array ?? zeros(spec.dtype, Math.max(size, 1));
    this.byteLength = size * bytesPerElement(spec.dtype);
    const { api, make, memoryInfo } = ort();
    const dims = BigInt64Array.from(spec.shape, BigInt);
    const type = elementType[spec.dtype];
    this.handle = make((out) => api.createTensorWithData(memoryInfo, this.array, this.byteLength, dims, spec.shape.length, type, out));
    countHandle('value', 1);
    finalizer.register(this, this.handle, this);
  }

  /** Gives the native handle back; the array stays usable. */
  close(): void {
    if (finalizer.unregister(this)) release(this.handle);
  }
}

/** Buffers that nobody closed are released when they become unreachable. */
const finalizer = new FinalizationRegistry<Handle>(release);

function release(handle: Handle): void {
  countHandle('value', -1);
  ort().api.releaseValue(handle);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: DType): number {
  return dtype === 'bool' ? 1 : 4;
}
