import { DataError } from '../../errors.js';
import type { DType, TypedArray } from '../ndarray.js';

/** How values of a type are stored, and what they become. */
export interface StoredType {
  readonly dtype: DType;
  readonly valueBytes: number;
  /** Turns bytes into values; `place` names a value by its number in `target`, for errors. */
  decode(bytes: Uint8Array, target: TypedArray, place?: (index: number) => string): void;
}

type Getter = (view: DataView, at: number, little: boolean) => number;

const getters: Readonly<Record<string, { dtype: DType; bytes: number; get: Getter }>> = {
  f2: { dtype: 'float32', bytes: 2, get: (view, at, little) => halfToNumber(view.getUint16(at, little)) },
  bf2: { dtype: 'float32', bytes: 2, get: (view, at, little) => brainToNumber(view.getUint16(at, little)) },
  f4: { dtype: 'float32', bytes: 4, get: (view, at, little) => view.getFloat32(at, little) },
  f8: { dtype: 'float64', bytes: 8, get: (view, at, little) => view.getFloat64(at, little) },
  i1: { dtype: 'int8', bytes: 1, get: (view, at) => view.getInt8(at) },
  u1: { dtype: 'uint8', bytes: 1, get: (view, at) => view.getUint8(at) },
  i2: { dtype: 'int16', bytes: 2, get: (view, at, little) => view.getInt16(at, little) },
  u2: { dtype: 'uint16', bytes: 2, get: (view, at, little) => view.getUint16(at, little) },
  i4: { dtype: 'int32', bytes: 4, get: (view, at, little) => view.getInt32(at, little) },
  u4: { dtype: 'int32', bytes: 4, get: (view, at, little) => view.getUint32(at, little) },
  i8: { dtype: 'int32', bytes: 8, get: (view, at, little) => Number(view.getBigInt64(at, little)) },
  u8: { dtype: 'int32', bytes: 8, get: (view, at, little) => Number(view.getBigUint64(at, little)) },
  b1: { dtype: 'bool', bytes: 1, get: (view, at) => view.getUint8(at) },
};

const inPlace = new Set(['f4', 'f8', 'i1', 'u1', 'i2', 'u2', 'i4', 'b1']);

/**
 * The stored type with a code such as `f4` or `i8` (kind, bytes), or undefined. Half floats become float32, 32-bit integers
 * without sign and 64-bit integers int32; a value that does not fit is a {@link DataError} with `path`.
 */
export function storedType(code: string, little: boolean, path: string): StoredType | undefined {
  const type = getters[code];
  if (type === undefined) return undefined;
  const { dtype, bytes: size, get } = type;
  const direct = inPlace.has(code) && (little || size === 1);
  const narrowed = code === 'i8' || code === 'u8' || code === 'u4';
  return {
    dtype,
    valueBytes: size,
    decode: (bytes, target, place = () => path) => {
      if (direct) {
        new Uint8Array(target.buffer, target.byteOffset, target.byteLength).set(bytes);
        return;
      }
      const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
      for (let i = 0; i < target.length; i++) {
        const value = get(view, i * size, little);
        if (narrowed && value !== (value | 0))
          throw new DataError(`${place(i)}: the value ${exactly(view, code, i * size, little)} does not fit into int32. ${HINT}`);
        target[i] = value;
      }
    },
  };
}

const HINT = 'Save the array as float64, which holds whole numbers up to 2^53.';

/** All digits of a whole number. */
function exactly(view: DataView, code: string, at: number, little: boolean): string {
  if (code === 'u4') return String(view.getUint32(at, little));
  return String(code === 'i8' ? view.getBigInt64(at, little) : view.getBigUint64(at, little));
}

function halfToNumber(bits: number): number {
  const exponent = (bits >> 10) & 31;
  const fraction = bits & 1023;
  const size =
    exponent === 0
      ? fraction * 2 ** -24
      : exponent === 31
        ? fraction === 0
          ? Infinity
          : NaN
        : (1 + fraction / 1024) * 2 ** (exponent - 15);
  return bits & 0x8000 ? -size : size;
}

const float = new Float32Array(1);
const word = new Uint32Array(float.buffer);

function brainToNumber(bits: number): number {
  word[0] = bits << 16;
  return float[0]!;
}
