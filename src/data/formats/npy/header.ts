import { DataError } from '../../../errors.js';
import { decodeNpyHeader } from '../../../npz/index.js';
import { allocate, NDArray, shapeSize } from '../../ndarray.js';
import { storedType, type StoredType } from '../../sources/stored-types.js';

/** What the header of an array in NumPy's format says. */
export interface NpyHeader extends StoredType {
  readonly shape: readonly number[];
  /** Whether the first axis varies fastest. */
  readonly fortran: boolean;
  /** Bytes before the values. */
  readonly headerBytes: number;
}

/** Bytes that hold any usual header. */
export const NPY_HEADER_BYTES = 65536;

/** Parses a header. Throws a {@link DataError} that names the file where it is none, or its type cannot be read. */
export function parseNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  const { descr, ...header } = decodeNpyHeader(bytes, path);
  const type = descr === undefined ? undefined : storedType(descr.slice(1), descr[0] !== '>', path);
  if (type === undefined) {
    throw new DataError(
      `${path} holds values of the type ${descr ?? 'of a structure'}, which cannot be read; save floats, integers or booleans, or name the arrays to read.`,
    );
  }
  return { ...type, ...header };
}

/** The array whose values lie with the first axis fastest, in the usual order. */
export function rowMajor({ data, shape, dtype }: NDArray): NDArray {
  const made = allocate(dtype, data.length);
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => shapeSize(shape.slice(0, axis)));
  for (let out = 0; out < made.length; out++) {
    made[out] = data[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return new NDArray(made, shape, dtype);
}
