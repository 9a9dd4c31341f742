import { closeSync, openSync, readSync } from 'node:fs';

import { cannotRead } from './failures.js';

/** Bytes of a file from `offset` on, at most `length`. Throws a DataError where it cannot be read. */
export function firstBytesSync(path: string, length: number, offset = 0): Uint8Array {
  try {
    const file = openSync(path, 'r');
    try {
      const bytes = new Uint8Array(length);
      return bytes.subarray(0, readSync(file, bytes, 0, length, offset));
    } finally {
      closeSync(file);
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}
