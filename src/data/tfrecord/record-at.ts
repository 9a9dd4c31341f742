import { DataError } from '../../errors.js';
import { compressionOf, otherFormat } from '../files/index.js';
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
    const likely = position > 0 ? 'Download or copy the file again.' : noRecords(bytes.subarray(at));
    throw new DataError(`${path}: the record at byte ${position} has a damaged length. ${likely}`);
  }
  const length = view.getUint32(0, true) + view.getUint32(4, true) * 2 ** 32;
  if (length > LARGEST_RECORD_BYTES)
    throw new DataError(`${path}: the record at byte ${position} is said to have ${length} bytes, more than can be read.`);
  return length;
}

/** What to say of a file that does not begin with a record. */
function noRecords(head: Uint8Array): string {
  const compression = compressionOf(head);
  if (compression !== 'none') {
    const reader = compression === 'gzip' ? " (in an InputReader: datasetFn: pickDatasetFn('tfrecord_compressed'))" : '';
    return `It is compressed with ${compression}: give tfRecords compression: '${compression}'${reader}.`;
  }
  const other = otherFormat(head, 'fromTfExamples');
  const reader = /from[A-Z]\w+/.exec(other)?.[0];
  const inReader = reader === undefined ? '' : ` In an InputReader: datasetFn: (paths) => ${reader}(paths).`;
  return `Is it a record file, and is its compression stated rightly?${other}${inReader}`;
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
