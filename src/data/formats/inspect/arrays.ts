import { basename } from 'node:path';

import { DataError } from '../../../errors.js';
import { openBytes } from '../../files/index.js';
import { decodeIdx, readIdxHeader } from '../../idx.js';
import { shapeSize, type NDArray } from '../../ndarray.js';
import { readValues, type StoredArray } from '../../sources/stored-array.js';
import { npyArray, npzMembers, npzNames } from '../npy/index.js';
import { safetensorsArrays, safetensorsNames } from '../safetensors/index.js';
import type { Found } from './summary.js';

/** Values of an array that are read to be shown. */
const HEAD_VALUES = 100;

const typeOf = ({ dtype, shape }: { readonly dtype: string; readonly shape: readonly number[] }): string => `${dtype}[${shape.join(', ')}]`;

/** Looks into one file; of several, which are arrays of their own, into each, for what it holds and its first row. */
function eachFile(
  look: (path: string, rows: number) => Promise<Found> | Found,
): (paths: readonly string[], rows: number) => Promise<Found> {
  return async (paths, rows) => {
    if (paths.length === 1) return look(paths[0]!, rows);
    const found = await Promise.all(paths.map(async (path) => ({ file: basename(path), ...(await look(path, Math.min(rows, 1))) })));
    return {
      schema: found.flatMap(({ file, schema }) =>
        schema.map(({ name, type }) => ({ name: name === 'array' ? file : `${file}: ${name}`, type })),
      ),
      records: undefined,
      first: rows === 0 ? [] : [Object.fromEntries(found.map(({ file, first }) => [file, first[0]]))],
    };
  };
}

/** A `.npy` array: its header, and the beginnings of its first rows. */
export const inspectNpy = eachFile((path, rows) => {
  const array = npyArray(path);
  return {
    schema: [{ name: 'array', type: typeOf(array) }],
    records: array.shape[0],
    first: firstRows(array.shape, rows, (row, count) => (array.fortran ? strided(array, row, count) : readValues(array, row, count))),
  };
});

/** The arrays of a `.npz` file: their headers and first values. */
export const inspectNpz = eachFile((path) =>
  inspectArrays(npzNames(path), (name) => {
    const member = npzMembers(path, [name])[name]!;
    return [typeOf(member.header), member.head(HEAD_VALUES)];
  }),
);

/** The arrays of a safetensors file: their places and first values. */
export const inspectSafetensors = eachFile((path) =>
  inspectArrays(safetensorsNames(path), (name) => {
    const array = safetensorsArrays(path, [name])[name]!;
    return [typeOf(array), readValues(array, 0, Math.min(HEAD_VALUES, shapeSize(array.shape)))];
  }),
);

/** Several arrays; of one that cannot be read, why. */
function inspectArrays(names: readonly string[], look: (name: string) => [type: string, head: NDArray]): Found {
  const heads: [string, NDArray][] = [];
  const schema = names.map((name) => {
    try {
      const [type, head] = look(name);
      heads.push([name, head]);
      return { name, type };
    } catch (error) {
      if (!(error instanceof DataError)) throw error;
      return { name, type: `which cannot be read: ${error.message}` };
    }
  });
  return { schema, records: undefined, first: heads.length === 0 ? [] : [Object.fromEntries(heads)] };
}

/** An IDX file, plain or compressed: its header, and the beginnings of its first rows; no more is decompressed than that takes. */
export const inspectIdx = eachFile(async (path, rows) => {
  const header = readIdxHeader(path);
  const { shape, dtype, headerBytes, valueBytes } = header;
  const total = shapeSize(shape);
  const size = total === 0 ? 1 : valueBytes / total;
  const rowValues = shapeSize(shape.slice(1));
  const wanted = shape.length === 0 ? 1 : Math.min(total, Math.max(0, rows - 1) * rowValues + Math.min(rowValues, HEAD_VALUES));
  const bytes = await firstUncompressed(path, headerBytes + wanted * size);
  return {
    schema: [{ name: 'array', type: typeOf(header) }],
    records: shape[0],
    first: firstRows(shape, rows, (from, count) =>
      decodeIdx(bytes.slice(headerBytes + from * size, headerBytes + (from + count) * size), dtype, [count]),
    ),
  };
});

/** The first rows, whole where they are short, else their beginnings. `read` gives some values from one on. */
function firstRows(shape: readonly number[], rows: number, read: (from: number, count: number) => NDArray): NDArray[] {
  const [length, ...inner] = shape;
  if (length === undefined) return [read(0, 1).reshape([])];
  const values = shapeSize(inner);
  return Array.from({ length: Math.min(rows, length) }, (_, row) => {
    const head = read(row * values, Math.min(values, HEAD_VALUES));
    return values <= HEAD_VALUES ? head.reshape(inner) : head;
  });
}

/** Values `from` and on, in row-major order, of an array that lies in column-major order. */
function strided(array: StoredArray, from: number, count: number): NDArray {
  const { shape } = array;
  const one = (position: number): NDArray => {
    let at = 0;
    for (let axis = shape.length - 1, rest = position; axis >= 0; axis--) {
      at += (rest % shape[axis]!) * shapeSize(shape.slice(0, axis));
      rest = Math.floor(rest / shape[axis]!);
    }
    return readValues(array, at, 1);
  };
  const made = readValues(array, 0, count); // its type and room
  for (let i = 0; i < count; i++) made.data[i] = one(from + i).data[0]!;
  return made;
}

async function firstUncompressed(path: string, length: number): Promise<Uint8Array> {
  const bytes = openBytes(path);
  const pieces: Uint8Array[] = [];
  let there = 0;
  try {
    while (there < length) {
      const piece = await bytes.next();
      if (piece === undefined) break;
      pieces.push(piece);
      there += piece.length;
    }
  } finally {
    await bytes.close();
  }
  return new Uint8Array(Buffer.concat(pieces).subarray(0, length));
}
