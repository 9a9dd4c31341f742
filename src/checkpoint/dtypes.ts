/** The element types of checkpoints: their safetensors names, sizes and arrays. */
import type { StateArray, StateDType } from './state.js';

interface ElementType {
  /** Name in a safetensors header. */
  readonly tag: string;
  readonly array: { new (length: number): StateArray; readonly BYTES_PER_ELEMENT: number };
}

/** One entry per {@link StateDType}. */
export const elementTypes: Readonly<Record<StateDType, ElementType>> = {
  float64: { tag: 'F64', array: Float64Array },
  float32: { tag: 'F32', array: Float32Array },
  float16: { tag: 'F16', array: Uint16Array },
  bfloat16: { tag: 'BF16', array: Uint16Array },
  int64: { tag: 'I64', array: BigInt64Array },
  uint64: { tag: 'U64', array: BigUint64Array },
  int32: { tag: 'I32', array: Int32Array },
  uint32: { tag: 'U32', array: Uint32Array },
  int16: { tag: 'I16', array: Int16Array },
  uint16: { tag: 'U16', array: Uint16Array },
  int8: { tag: 'I8', array: Int8Array },
  uint8: { tag: 'U8', array: Uint8Array },
  bool: { tag: 'BOOL', array: Uint8Array },
};

const byTag = new Map(Object.entries(elementTypes).map(([dtype, type]) => [type.tag, dtype as StateDType]));

/** The dtype of a safetensors name, undefined for one that we do not know. */
export function dtypeOfTag(tag: unknown): StateDType | undefined {
  return typeof tag === 'string' ? byTag.get(tag) : undefined;
}

/** Tells whether a dtype's name is one that a checkpoint can store. */
export function isStateDType(dtype: string): dtype is StateDType {
  return Object.hasOwn(elementTypes, dtype);
}

/** Bytes of one element. */
export function bytesPerElement(dtype: StateDType): number {
  return elementTypes[dtype].array.BYTES_PER_ELEMENT;
}

/** Number of elements of a shape; 1 for a scalar. */
export function elementCount(shape: readonly number[]): number {
  return shape.reduce((product, size) => product * size, 1);
}

/** Text for messages: `float32[128,10]`. */
export function describeTensor(tensor: { readonly dtype: string; readonly shape: readonly number[] }): string {
  return `${tensor.dtype}[${tensor.shape.join(',')}]`;
}
