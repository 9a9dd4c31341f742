import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import { constants, gunzipSync } from 'node:zlib';

import { DataError } from '../errors.js';
import { cannotDecompress, cannotRead, compressionOf, openBytes, otherFormat, required, type Compression } from './files/index.js';
import { allocate, NDArray, shapeSize, type DType } from './ndarray.js';

/**
 * The IDX format: two zero bytes, a type code, the number of axes, one 32-bit big-endian size per axis, then the values,
 * row-major and big-endian. Files may be compressed with gzip or zstd.
 */

const types: Readonly<Record<number, { dtype: DType; bytes: number }>> = {
  0x08: { dtype: 'uint8', bytes: 1 },
  0x09: { dtype: 'int8', bytes: 1 },
  0x0b: { dtype: 'int16', bytes: 2 },
  0x0c: { dtype: 'int32', bytes: 4 },
  0x0d: { dtype: 'float32', bytes: 4 },
  0x0e: { dtype: 'float64', bytes: 8 },
};

/** Bytes read to see the header: enough for 255 axes, plain or in gzip, and for the first block of a zstd file. */
const HEADER_BYTES = 2048;
const ZSTD_HEADER_BYTES = 2 ** 18;

/** Bytes of one read call: the system's own limit is 2 GiB. */
const LARGEST_READ_BYTES = 2 ** 30;

/** What the header of an IDX file says. */
export interface IdxHeader {
  /** Path of the file. */
  readonly path: string;
  /** Type of the elements. */
  readonly dtype: DType;
  /** Shape of the whole array; the first dimension counts the examples. */
  readonly shape: readonly number[];
  /** Bytes before the first value. */
  readonly headerBytes: number;
  /** Bytes of all values. */
  readonly valueBytes: number;
  /** How the file is compressed. */
  readonly compression: Exclude<Compression, 'auto'>;
}

/** Reads the header of an IDX file and checks what can be checked without reading the values. Throws a {@link DataError}. */
export function readIdxHeader(path: string): IdxHeader {
  let head: Uint8Array;
  let fileBytes: number;
  try {
    const file = openSync(path, 'r');
    try {
      fileBytes = fstatSync(file).size;
      const buffer = new Uint8Array(ZSTD_HEADER_BYTES);
      head = buffer.subarray(0, readSync(file, buffer, 0, HEADER_BYTES, 0));
      if (compressionOf(head) === 'zstd') head = buffer.subarray(0, readSync(file, buffer, 0, ZSTD_HEADER_BYTES, 0));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
  const compression = compressionOf(head);
  if (compression !== 'none') head = decompressHead(path, compression, head);
  const header = parseHeader(path, head, compression);
  if (compression === 'none') checkSize(header, fileBytes);
  return header;
}

/** Reads a whole IDX file, plain or compressed. Throws a {@link DataError} where it is missing, damaged or of another format. */
export async function readIdx(path: string): Promise<NDArray> {
  const header = readIdxHeader(path);
  const bytes = new Uint8Array(header.valueBytes);
  await readIdxValues(header, bytes);
  return decodeIdx(bytes, header.dtype, header.shape);
}

/** The array whose values, big-endian, are `bytes`; their memory is used where that is possible. */
export function decodeIdx(bytes: Uint8Array, dtype: DType, shape: readonly number[]): NDArray {
  if (dtype === 'uint8') return new NDArray(bytes, shape, dtype);
  if (dtype === 'int8') return new NDArray(new Int8Array(bytes.buffer, bytes.byteOffset, bytes.length), shape, dtype);
  const data = allocate(dtype, shapeSize(shape));
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const get = { int16: view.getInt16, int32: view.getInt32, float32: view.getFloat32, float64: view.getFloat64 }[dtype as 'int16'];
  for (let i = 0; i < data.length; i++) data[i] = get.call(view, i * data.BYTES_PER_ELEMENT, false);
  return new NDArray(data, shape, dtype);
}

/** Reads the values of an IDX file into `target` (`valueBytes` long), as they lie in the file: row-major, big-endian. */
export async function readIdxValues(header: IdxHeader, target: Uint8Array): Promise<void> {
  const { path, headerBytes, compression } = header;
  if (compression !== 'none') return readCompressed(header, target);
  // Large reads into one place: the chunks of readFile cost several times as much.
  let filled = 0;
  try {
    const file = await open(path, 'r');
    try {
      while (filled < target.length) {
        const { bytesRead } = await file.read(target, filled, Math.min(target.length - filled, LARGEST_READ_BYTES), headerBytes + filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
  checkSize(header, headerBytes + filled);
}

async function readCompressed(header: IdxHeader, target: Uint8Array): Promise<void> {
  const bytes = openBytes(header.path, header.compression);
  let there = 0;
  try {
    for (let piece = await bytes.next(); piece !== undefined; piece = await bytes.next()) {
      const first = Math.max(0, header.headerBytes - there);
      const at = Math.max(0, there - header.headerBytes);
      if (first < piece.length && at < target.length) target.set(piece.subarray(first, first + target.length - at), at);
      there += piece.length;
    }
  } finally {
    await bytes.close();
  }
  checkSize(header, there);
}

function decompressHead(path: string, compression: 'gzip' | 'zstd', head: Uint8Array): Uint8Array {
  try {
    if (compression === 'gzip') return gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    const { Decompress } = required<typeof import('fzstd')>('fzstd');
    const made: Uint8Array[] = [];
    new Decompress((piece) => void made.push(piece.slice())).push(head.slice());
    return Buffer.concat(made);
  } catch (error) {
    throw cannotDecompress(path, compression, error);
  }
}

function parseHeader(path: string, bytes: Uint8Array, compression: IdxHeader['compression']): IdxHeader {
  if (bytes.length < 4)
    throw new DataError(
      `${path} is not an IDX file: it has only ${bytes.length} bytes${compression === 'none' ? '' : ' after decompression'}.`,
    );
  const type = types[bytes[2]!];
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new DataError(
      `${path} is not an IDX file: it begins with ${magic}, expected 00 00, a type code (08, 09, 0b to 0e) and the number of axes.${otherFormat(bytes)}`,
    );
  }
  const axes = bytes[3]!;
  const headerBytes = 4 + 4 * axes;
  if (bytes.length < headerBytes)
    throw new DataError(`${path} is truncated: its header of ${headerBytes} bytes ends after ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis, false));
  return { path, dtype: type.dtype, shape, headerBytes, valueBytes: shapeSize(shape) * type.bytes, compression };
}

function checkSize({ path, shape, dtype, headerBytes, valueBytes }: IdxHeader, actual: number): void {
  const expected = headerBytes + valueBytes;
  if (actual === expected) return;
  const state = actual < expected ? 'is truncated' : 'has bytes after its last value';
  throw new DataError(
    `${path} ${state}: ${dtype}[${shape.join(', ')}] takes ${expected} bytes, but there are ${actual}. Download or copy it again.`,
  );
}
