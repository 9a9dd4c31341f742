import { DataError } from '../errors.js';

/** The typed array behind each element type. `bool` holds 0 or 1 per byte. */
export interface DTypeArrays {
  /** 32-bit floats. */
  float32: Float32Array;
  /** 64-bit floats. */
  float64: Float64Array;
  /** 32-bit integers. */
  int32: Int32Array;
  /** 16-bit integers. */
  int16: Int16Array;
  /** 8-bit integers. */
  int8: Int8Array;
  /** 16-bit integers without sign. */
  uint16: Uint16Array;
  /** 8-bit integers without sign. */
  uint8: Uint8Array;
  bool: Uint8Array;
}

/** Element types of an {@link NDArray}. A compiled step takes `float32`, `int32` and `bool`; the others are what files hold. */
export type DType = keyof DTypeArrays;

/** A typed array of any element type that an {@link NDArray} can hold. */
export type TypedArray = DTypeArrays[DType];

/** Maps a typed array class to the dtype that it stands for when none is given. */
export type DTypeOf<A> = A extends Float32Array
  ? 'float32'
  : A extends Float64Array
    ? 'float64'
    : A extends Int32Array
      ? 'int32'
      : A extends Int16Array
        ? 'int16'
        : A extends Int8Array
          ? 'int8'
          : A extends Uint16Array
            ? 'uint16'
            : A extends Uint8Array
              ? 'uint8'
              : never;

const constructors = {
  float32: Float32Array,
  float64: Float64Array,
  int32: Int32Array,
  int16: Int16Array,
  int8: Int8Array,
  uint16: Uint16Array,
  uint8: Uint8Array,
  bool: Uint8Array,
} as const;

/**
 * Dense values with a shape, in row-major order, on the host. The leaf of every data set element and batch: anything with
 * these three fields can be given to a compiled step.
 */
export class NDArray<D extends DType = DType> {
  /** The values, row-major; its length is the product of `shape`. */
  readonly data: DTypeArrays[D];
  /** Size of each axis; `[]` for a scalar. */
  readonly shape: number[];
  /** Element type. */
  readonly dtype: D;

  /** Throws a {@link DataError} where `shape` does not fit the number of values or `data` is not the dtype's array. */
  constructor(data: DTypeArrays[D], shape: readonly number[], dtype: D) {
    if (shapeSize(shape) !== data.length) {
      throw new DataError(`An array of shape [${shape.join(', ')}] needs ${shapeSize(shape)} values, but ${data.length} were given.`);
    }
    if (!Object.hasOwn(constructors, dtype)) {
      const known = Object.keys(constructors).join(', ');
      throw new DataError(
        `new NDArray: the dtype is ${String(dtype)}; one of ${known} was expected. NDArray.of(data, shape) takes it from the data.`,
      );
    }
    if (!(data instanceof constructors[dtype])) {
      throw new DataError(`An array of dtype ${dtype} needs a ${constructors[dtype].name}, but a ${data.constructor.name} was given.`);
    }
    this.data = data;
    this.shape = shape.slice();
    this.dtype = dtype;
  }

  /** Wraps a typed array without copying; the shape defaults to one axis, the dtype follows the array's class. */
  static of<A extends TypedArray>(data: A, shape: readonly number[] = [data.length]): NDArray<DTypeOf<A>> {
    const dtype = dtypeOf(data) as DTypeOf<A>;
    return new NDArray(data as unknown as DTypeArrays[DTypeOf<A>], shape, dtype);
  }

  /** One value without axes. `dtype` defaults to float32. */
  static scalar<D extends DType = 'float32'>(value: number | boolean, dtype: D = 'float32' as D): NDArray<D> {
    const data = allocate(dtype, 1);
    data[0] = Number(value);
    return new NDArray(data, [], dtype);
  }

  /** Number of values. */
  get size(): number {
    return this.data.length;
  }

  /** A copy of rows `begin` up to `end` along the first axis (`end` excluded; default: to the last row). */
  slice(begin: number, end: number = this.rows): NDArray<D> {
    const rowSize = shapeSize(this.shape.slice(1));
    const data = this.data.slice(begin * rowSize, end * rowSize) as DTypeArrays[D];
    return new NDArray(data, [end - begin, ...this.shape.slice(1)], this.dtype);
  }

  /** A copy of row `index` of the first axis, without that axis. */
  row(index: number): NDArray<D> {
    const shape = this.shape.slice(1);
    const rowSize = shapeSize(shape);
    return new NDArray(this.data.slice(index * rowSize, (index + 1) * rowSize) as DTypeArrays[D], shape, this.dtype);
  }

  /** Length of the first axis. Throws a {@link DataError} for a scalar. */
  get rows(): number {
    const [rows] = this.shape;
    if (rows === undefined) throw new DataError('A scalar has no rows; an array with at least one axis was expected.');
    return rows;
  }

  /** The same values (shared, not copied) under another shape of equal size. */
  reshape(shape: readonly number[]): NDArray<D> {
    return new NDArray(this.data, shape, this.dtype);
  }

  /** The values converted to another dtype as assignment to its typed array would (`bool`: non-zero is 1); a copy. */
  astype<E extends DType>(dtype: E): NDArray<E> {
    const data = allocate(dtype, this.data.length);
    if (dtype === 'bool') for (let i = 0; i < data.length; i++) data[i] = this.data[i] === 0 ? 0 : 1;
    else data.set(this.data);
    return new NDArray(data, this.shape, dtype);
  }
}

/** Product of the axes; 1 for a scalar. */
export function shapeSize(shape: readonly number[]): number {
  let size = 1;
  for (const axis of shape) size *= axis;
  return size;
}

/** A zeroed typed array for `length` values of `dtype`. */
export function allocate<D extends DType>(dtype: D, length: number): DTypeArrays[D] {
  return new constructors[dtype](length) as DTypeArrays[D];
}

/** The array of a dtype over memory. */
export function arrayOver<D extends DType>(dtype: D, memory: ArrayBufferLike, byteOffset: number, length: number): DTypeArrays[D] {
  return new constructors[dtype](memory as ArrayBuffer, byteOffset, length) as DTypeArrays[D];
}

/** Bytes of one value of a dtype. */
export function valueBytes(dtype: DType): number {
  return constructors[dtype].BYTES_PER_ELEMENT;
}

/** The dtype that a typed array's class stands for; a {@link DataError} for classes that no dtype uses (64-bit integers, clamped bytes). */
export function dtypeOf(data: ArrayBufferView): Exclude<DType, 'bool'> {
  if (data instanceof Float32Array) return 'float32';
  if (data instanceof Int32Array) return 'int32';
  if (data instanceof Uint8Array) return 'uint8';
  if (data instanceof Float64Array) return 'float64';
  if (data instanceof Int16Array) return 'int16';
  if (data instanceof Int8Array) return 'int8';
  if (data instanceof Uint16Array) return 'uint16';
  throw new DataError(
    `A ${data.constructor.name} cannot be used as tensor data; use one of Float32Array, Float64Array, Int32Array, Int16Array, Int8Array, Uint16Array, Uint8Array.`,
  );
}
