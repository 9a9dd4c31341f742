/** Records of event files: length (8 bytes), its checksum (4), the data, their checksum (4); all little-endian. */
import { DataError } from '../errors.js';
import { maskedCrc32c } from './crc32c.js';

/** Bytes that a record needs besides its data. */
export const recordOverhead = 16;

/** Writes a record to `target` from `at` on; returns the place after it. */
export function putRecord(target: Buffer, at: number, data: Uint8Array): number {
  target.writeUInt32LE(data.length, at);
  target.writeUInt32LE(0, at + 4);
  target.writeUInt32LE(maskedCrc32c(target, at, at + 8), at + 8);
  target.set(data, at + 12);
  const end = at + 12 + data.length;
  target.writeUInt32LE(maskedCrc32c(target, at + 12, end), end);
  return end + 4;
}

/**
 * Takes the records of a file apart. A record cut short at the end, as a killed process leaves it, ends the sequence.
 * @param name file name for messages
 * @throws DataError when a checksum is wrong
 */
export function* takeRecords(bytes: Buffer, name: string): Generator<Uint8Array, void, undefined> {
  for (let at = 0; at + recordOverhead <= bytes.length;) {
    const length = Number(bytes.readBigUInt64LE(at));
    if (bytes.readUInt32LE(at + 8) !== maskedCrc32c(bytes, at, at + 8)) throw damaged(name, at, 'length');
    const end = at + 12 + length;
    if (end + 4 > bytes.length) return;
    if (bytes.readUInt32LE(end) !== maskedCrc32c(bytes, at + 12, end)) throw damaged(name, at, 'data');
    yield bytes.subarray(at + 12, end);
    at = end + 4;
  }
}

function damaged(name: string, at: number, part: string): DataError {
  return new DataError(
    `"${name}" is damaged: the ${part} of the record at byte ${at} does not match its checksum. It is not an event file, or was changed.`,
  );
}
