import { DataError } from '../../errors.js';
import { otherFormat } from '../files/index.js';
import { maskedCrc32c } from './crc32c.js';

/** Bytes of a record before its payload. */
export const HEADER_BYTES = 12;
/** Bytes of a record after its payload. */
export const FOOTER_BYTES = 4;
/** No payload is this long: a larger length comes from a damaged or another file. */
const LARGEST_RECORD_BYTES = 2 ** 31;

/** Length of the payload of the record whose head stands at byte `at`. */
export function payloadLength(path: string, position: number, bytes: Uint8Array, at: number): number {
  const view = new DataView(bytes.buffer, bytes.byteOffset + at, HEADER_BYTES);
  if (view.getUint32(8, true) !== maskedCrc32c(bytes, at, at + 8)) {
    throw new DataError(
      `${path}: the record at byte ${position} has a damaged length. ` +
        (position > 0
          ? 'Download or copy the file again.'
          : `Is it a record file, and is its compression stated rightly?${otherFormat(bytes.subarray(at), 'fromTfExamples')}`),
    );
  }
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > LARGEST_RECORD_BYTES)
    throw new DataError(`${path}: the record at byte ${position} is said to have ${length} bytes, more than can be read.`);
  return length;
}

/**
 * The record that begins at byte `at` of a buffer: where its payload begins and the record ends, and whether its checksum fails;
 * undefined where the buffer cuts it off. `position` is its place in the file, for messages.
 */
export function recordAt(
  path: string,
  buffer: Buffer,
  at: number,
  position: number,
): { readonly begin: number; readonly end: number; readonly damaged: boolean } | undefined {
  if (at + HEADER_BYTES > buffer.length) return undefined;
  const begin = at + HEADER_BYTES;
  const end = begin + payloadLength(path, position, buffer, at) + FOOTER_BYTES;
  if (end > buffer.length) return undefined;
  return { begin, end, damaged: buffer.readUInt32LE(end - FOOTER_BYTES) !== maskedCrc32c(buffer, begin, end - FOOTER_BYTES) };
}
