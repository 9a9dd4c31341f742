import { rename, rm } from 'node:fs/promises';
import { createWriteStream } from 'node:fs';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';

import { DataError, UsageError } from '../../errors.js';
import { readerOptions } from '../arguments.js';
import { maskedCrc32c } from './crc32c.js';

/** Writes a record file from payloads, one after the other. It appears under its name when it is complete. Throws a {@link DataError}. */
export async function writeTfRecords(
  path: string,
  records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>,
  options?: { readonly compression?: 'none' | 'gzip' },
): Promise<void> {
  const { compression = 'none' } = readerOptions<{ compression?: 'none' | 'gzip' }>(options, 'writeTfRecords', { compression: 'value' });
  if (compression !== 'none' && compression !== 'gzip')
    throw new UsageError(`Record files cannot be written with compression ${JSON.stringify(compression)}; expected none or gzip.`);
  const unfinished = `${path}.tmp-${process.pid}`;
  const framed = Readable.from(frames(records), { objectMode: false });
  try {
    const file = createWriteStream(unfinished);
    await (compression === 'gzip' ? pipeline(framed, createGzip(), file) : pipeline(framed, file));
    await rename(unfinished, path);
  } catch (error) {
    await rm(unfinished, { force: true });
    if (error instanceof DataError) throw error;
    throw new DataError(`${path} cannot be written: ${(error as Error).message}.`, { cause: error });
  }
}

async function* frames(records: Iterable<Uint8Array> | AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  for await (const record of records) yield frame(record);
}

/** One record as it stands in a file. */
export function frame(payload: Uint8Array): Uint8Array {
  const bytes = new Uint8Array(12 + payload.length + 4);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, payload.length, true);
  view.setUint32(4, Math.floor(payload.length / 2 ** 32), true);
  view.setUint32(8, maskedCrc32c(bytes, 0, 8), true);
  bytes.set(payload, 12);
  view.setUint32(12 + payload.length, maskedCrc32c(payload), true);
  return bytes;
}
