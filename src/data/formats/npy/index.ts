import { statSync } from 'node:fs';
import { readFile } from 'node:fs/promises';

import { DataError } from '../../../errors.js';
import { Dataset } from '../../dataset.js';
import { cannotRead } from '../../files/index.js';
import { firstBytesSync } from '../../files/first-bytes.js';
import { allocate, NDArray, shapeSize } from '../../ndarray.js';
import { tableStage, type ColumnTree } from '../../sources/columns.js';
import { readStored, StoredColumn, type StoredArray } from '../../sources/stored-array.js';
import { NPY_HEADER_BYTES, parseNpyHeader, type NpyHeader } from './header.js';

/** Where the array of a `.npy` file lies; only its header is read. Throws a {@link DataError} for a missing, damaged or truncated file. */
export function npyArray(path: string): StoredArray & { readonly fortran: boolean } {
  const header = parseNpyHeader(firstBytesSync(path, NPY_HEADER_BYTES), path);
  const { shape, dtype, valueBytes, headerBytes, fortran } = header;
  const expected = headerBytes + shapeSize(shape) * valueBytes;
  const actual = statSync(path).size;
  if (actual < expected)
    throw new DataError(
      `${path} is truncated: ${dtype}[${shape.join(', ')}] takes ${expected} bytes, but there are ${actual}. Copy it again.`,
    );
  return { path, shape, dtype, offset: headerBytes, valueBytes, fortran, decode: (bytes, target) => header.decode(bytes, target) };
}

/** A whole `.npy` array in memory. 64-bit integers become int32, half floats float32. */
export function readNpy(path: string): NDArray {
  const array = npyArray(path);
  const read = readStored(array);
  return array.fortran ? rowMajor(read) : read;
}

/**
 * A data set with one element per row of `.npy` arrays: of one file, or of a tuple or record of files with equally many rows.
 * Rows are read from the files when they are asked for, in any order: the arrays may be larger than memory.
 */
export function fromNpy<const P extends string | readonly string[] | Readonly<Record<string, string>>>(
  paths: P,
): Dataset<P extends string ? NDArray : { -readonly [K in keyof P]: NDArray }> {
  const column = (path: string): StoredColumn => {
    const array = npyArray(path);
    if (array.fortran)
      throw new DataError(`${path} is stored column by column (Fortran order); load it with readNpy, or save numpy.ascontiguousarray(x).`);
    return new StoredColumn(array);
  };
  const tree: ColumnTree =
    typeof paths === 'string'
      ? column(paths)
      : Array.isArray(paths)
        ? (paths as readonly string[]).map(column)
        : Object.fromEntries(Object.entries(paths as Readonly<Record<string, string>>).map(([name, path]) => [name, column(path)]));
  return new Dataset(tableStage(`npy ${JSON.stringify(paths)} `, tree));
}

/** The arrays of a `.npz` file by name, in memory: `fromArrays` makes a data set of them. */
export async function readNpz(path: string): Promise<Record<string, NDArray>> {
  const { unzipSync } = await import('fflate');
  const bytes = await readFile(path).catch((error: unknown) => {
    throw cannotRead(path, error);
  });
  let entries: Record<string, Uint8Array>;
  try {
    entries = unzipSync(bytes);
  } catch (error) {
    throw new DataError(`${path} is not a .npz file, or it is truncated (${(error as Error).message}).`, { cause: error });
  }
  const arrays = Object.entries(entries).filter(([name]) => name.endsWith('.npy'));
  return Object.fromEntries(arrays.map(([name, content]) => [name.slice(0, -4), decode(content, `${path}, array ${name.slice(0, -4)}`)]));
}

function decode(content: Uint8Array, place: string): NDArray {
  const header: NpyHeader = parseNpyHeader(content, place);
  const { shape, dtype, valueBytes, headerBytes } = header;
  const data = allocate(dtype, shapeSize(shape));
  const values = content.subarray(headerBytes);
  if (values.length !== data.length * valueBytes)
    throw new DataError(`${place} is truncated: ${data.length * valueBytes} bytes were expected, ${values.length} are there.`);
  header.decode(values, data);
  const array = new NDArray(data, shape, dtype);
  return header.fortran ? rowMajor(array) : array;
}

/** The array whose values lie with the first axis fastest, in the usual order. */
function rowMajor({ data, shape, dtype }: NDArray): NDArray {
  const made = allocate(dtype, data.length);
  const index = shape.map(() => 0);
  const strides = shape.map((_, axis) => shapeSize(shape.slice(0, axis)));
  for (let out = 0; out < made.length; out++) {
    made[out] = data[index.reduce((sum, i, axis) => sum + i * strides[axis]!, 0)]!;
    for (let axis = shape.length - 1; axis >= 0 && ++index[axis]! === shape[axis]; axis--) index[axis] = 0;
  }
  return new NDArray(made, shape, dtype);
}
