import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open, readFile } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, gunzip, gunzipSync } from 'node:zlib';

import { DataError } from '../errors.js';
import { allocate, NDArray, shapeSize, type DType } from './ndarray.js';

/**
 * The IDX format: two zero bytes, a type code, the number of axes, one 32-bit big-endian size per axis, then the values,
 * row-major and big-endian. Files may be compressed with gzip.
 */

const types: Readonly<Record<number, { dtype: DType; bytes: number }>> = {
  0x08: { dtype: 'uint8', bytes: 1 },
  0x09: { dtype: 'int8', bytes: 1 },
  0x0b: { dtype: 'int16', bytes: 2 },
  0x0c: { dtype: 'int32', bytes: 4 },
  0x0d: { dtype: 'float32', bytes: 4 },
  0x0e: { dtype: 'float64', bytes: 8 },
};

/** Bytes read to see the header: enough for 255 axes, compressed or not. */
const HEADER_BYTES = 2048;

/** What the header of an IDX file says. */
export interface IdxHeader {
  /** Path of the file. */
  readonly path: string;
  readonly dtype: DType;
  readonly shape: readonly number[];
  /** Bytes before the first value. */
  readonly headerBytes: number;
  /** Bytes of all values. */
  readonly valueBytes: number;
  /** Whether the file is compressed. */
  readonly gzip: boolean;
}

/** Reads the header of an IDX file and checks what can be checked without reading the values. Throws a {@link DataError}. */
export function readIdxHeader(path: string): IdxHeader {
  let head: Uint8Array;
  let fileBytes: number;
  try {
    const file = openSync(path, 'r');
    try {
      fileBytes = fstatSync(file).size;
      const buffer = new Uint8Array(HEADER_BYTES);
      head = buffer.subarray(0, readSync(file, buffer));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw unreadable(path, error);
  }
  const gzip = head[0] === 0x1f && head[1] === 0x8b;
  if (gzip) {
    try {
      head = gunzipSync(head, { finishFlush: constants.Z_SYNC_FLUSH });
    } catch (error) {
      throw damagedGzip(path, error);
    }
  }
  const header = parseHeader(path, head, gzip);
  if (!gzip) checkSize(header, fileBytes);
  return header;
}

/** Reads a whole IDX file, plain or gzip. The data of one-byte types lie in the file's buffer, uncopied. Throws a {@link DataError}. */
export async function readIdx(path: string): Promise<NDArray> {
  return decodeIdx(path, await readBytes(path));
}

/** Decodes the bytes of an IDX file, plain or gzip; `path` names it in errors. */
async function decodeIdx(path: string, file: Uint8Array): Promise<NDArray> {
  const gzip = file[0] === 0x1f && file[1] === 0x8b;
  let bytes = file;
  if (gzip) {
    try {
      bytes = await promisify(gunzip)(file);
    } catch (error) {
      throw damagedGzip(path, error);
    }
  }
  const header = parseHeader(path, bytes, gzip);
  checkSize(header, bytes.length);
  const { dtype, shape, headerBytes } = header;
  if (dtype === 'uint8') return new NDArray(bytes.subarray(headerBytes), shape, dtype);
  if (dtype === 'int8') return new NDArray(new Int8Array(bytes.buffer, bytes.byteOffset + headerBytes, shapeSize(shape)), shape, dtype);
  const data = allocate(dtype, shapeSize(shape));
  const view = new DataView(bytes.buffer, bytes.byteOffset + headerBytes);
  const get = { int16: view.getInt16, int32: view.getInt32, float32: view.getFloat32, float64: view.getFloat64 }[dtype as 'int16'];
  for (let i = 0; i < data.length; i++) data[i] = get.call(view, i * data.BYTES_PER_ELEMENT, false);
  return new NDArray(data, shape, dtype);
}

/** The bytes of a file, in one read where it is not compressed: chunks of `readFile` cost several times as much. */
async function readBytes(path: string): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { size } = await file.stat();
      if (size === 0 || size >= 2 ** 31) return await readFile(path);
      const bytes = new Uint8Array(Buffer.allocUnsafeSlow(size).buffer);
      let filled = 0;
      while (filled < size) {
        const { bytesRead } = await file.read(bytes, filled, size - filled, filled);
        if (bytesRead === 0) break;
        filled += bytesRead;
      }
      return bytes.subarray(0, filled);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw unreadable(path, error);
  }
}

function parseHeader(path: string, bytes: Uint8Array, gzip: boolean): IdxHeader {
  if (bytes.length < 4) throw new DataError(`${path} is not an IDX file: it has only ${bytes.length} bytes${gzip ? ' after decompression' : ''}.`);
  const type = types[bytes[2]!];
  if (bytes[0] !== 0 || bytes[1] !== 0 || type === undefined) {
    const magic = Array.from(bytes.subarray(0, 4), (byte) => byte.toString(16).padStart(2, '0')).join(' ');
    throw new DataError(`${path} is not an IDX file: it begins with ${magic}, expected 00 00, a type code (08, 09, 0b to 0e) and the number of axes.`);
  }
  const axes = bytes[3]!;
  const headerBytes = 4 + 4 * axes;
  if (bytes.length < headerBytes) throw new DataError(`${path} is truncated: its header of ${headerBytes} bytes ends after ${bytes.length}.`);
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  const shape = Array.from({ length: axes }, (_, axis) => view.getUint32(4 + 4 * axis, false));
  return { path, dtype: type.dtype, shape, headerBytes, valueBytes: shapeSize(shape) * type.bytes, gzip };
}

function checkSize({ path, shape, dtype, headerBytes, valueBytes }: IdxHeader, actual: number): void {
  const expected = headerBytes + valueBytes;
  if (actual === expected) return;
  const state = actual < expected ? 'is truncated' : 'has bytes after its last value';
  throw new DataError(`${path} ${state}: ${dtype}[${shape.join(', ')}] takes ${expected} bytes, but there are ${actual}. Download or copy it again.`);
}

function unreadable(path: string, error: unknown): DataError {
  const { code, message } = error as NodeJS.ErrnoException;
  const reason = code === 'ENOENT' ? 'there is no such file' : code === 'EISDIR' ? 'it is a directory' : code === 'EACCES' ? 'permission denied' : message;
  return new DataError(`${path} cannot be read: ${reason}.`, { cause: error });
}

function damagedGzip(path: string, error: unknown): DataError {
  return new DataError(`${path} cannot be decompressed: ${(error as Error).message}. Download or copy it again.`, { cause: error });
}
