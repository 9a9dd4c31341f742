/** Where the messages of Arrow files lie. Not in a file whose types users see: they would need those of the optional package. */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { RecordBatch, Schema } from 'apache-arrow';

import { DataError } from '../../../errors.js';
import { cannotRead } from '../../files/index.js';
import { loadArrow } from './package.js';

/** Bytes from one place up to another (excluded). */
interface Span {
  readonly begin: number;
  readonly end: number;
}

/** A record batch of a file. */
export interface StoredBatch extends Span {
  readonly rows: number;
  readonly compressed: boolean;
  /** Dictionaries that stand before it: how many of the file's. */
  readonly dictionaries: number;
}

/** The messages of an Arrow file or stream. */
export interface ArrowMessages {
  readonly path: string;
  readonly schema: Schema;
  readonly batches: readonly StoredBatch[];
  /** Reads a record batch by itself. */
  read(batch: StoredBatch): Promise<RecordBatch>;
}

const FILE_MAGIC = 'ARROW1';
const CONTINUATION = 0xffffffff;

/** Finds the messages of a file or stream by their headers. Throws a {@link DataError} where it is missing, damaged or of another format. */
export function arrowMessages(path: string): ArrowMessages {
  const { Message, RecordBatchReader } = loadArrow(path);
  const dictionaries: Span[] = [];
  const batches: StoredBatch[] = [];
  let head: Span | undefined;
  let schema: Schema | undefined;
  let file: number;
  try {
    file = openSync(path, 'r');
  } catch (error) {
    throw cannotRead(path, error);
  }
  try {
    const { size } = fstatSync(file);
    const isFile = bytesAt(file, 0, 6).toString('latin1') === FILE_MAGIC;
    if (isFile && bytesAt(file, Math.max(0, size - 6), 6).toString('latin1') !== FILE_MAGIC) throw new Error('its end is missing');
    for (let at = isFile ? 8 : 0; at < size;) {
      const prefix = bytesAt(file, at, 8);
      const continued = prefix.readUInt32LE(0) === CONTINUATION; // left out by the first writers
      const metadataBytes = prefix.readInt32LE(continued ? 4 : 0);
      if (metadataBytes === 0) break;
      const bodyAt = at + (continued ? 8 : 4) + metadataBytes;
      if (metadataBytes < 0 || bodyAt > size) throw new Error('a message is longer than the file');
      const message = Message.decode(bytesAt(file, bodyAt - metadataBytes, metadataBytes));
      const span = { begin: at, end: bodyAt + message.bodyLength };
      if (span.end > size) throw new Error('it ends inside a record batch');
      if (message.isSchema()) {
        head = span;
        schema = message.header();
      } else if (message.isDictionaryBatch()) dictionaries.push(span);
      else if (message.isRecordBatch()) {
        const { length, compression } = message.header();
        batches.push({ ...span, rows: length, compressed: compression !== null, dictionaries: dictionaries.length });
      }
      at = span.end;
    }
    if (schema === undefined) throw new Error('it has no schema');
  } catch (error) {
    throw notArrow(path, error);
  } finally {
    closeSync(file);
  }
  return {
    path,
    schema: schema,
    batches,
    // The schema, the dictionaries so far and the record batch are a stream by themselves.
    read: async (batch) => {
      const bytes = await bytesOf(path, [head!, ...dictionaries.slice(0, batch.dictionaries), batch]);
      try {
        const [read] = RecordBatchReader.from(bytes) as Iterable<RecordBatch>;
        if (read === undefined || read.numRows !== batch.rows) throw new Error('a record batch is missing');
        return read;
      } catch (error) {
        throw notArrow(path, error);
      }
    },
  };
}

function bytesAt(file: number, at: number, length: number): Buffer {
  const bytes = Buffer.alloc(length);
  if (readSync(file, bytes, 0, length, at) < length) throw new Error('it ends too early');
  return bytes;
}

async function bytesOf(path: string, spans: readonly Span[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(spans.reduce((sum, { begin, end }) => sum + end - begin, 0));
  try {
    const file = await open(path, 'r');
    try {
      let filled = 0;
      for (const { begin, end } of spans) {
        const { bytesRead } = await file.read(bytes, filled, end - begin, begin);
        if (bytesRead < end - begin) throw new Error('it has become shorter');
        filled += bytesRead;
      }
    } finally {
      await file.close();
    }
  } catch (error) {
    throw notArrow(path, error);
  }
  return bytes;
}

function notArrow(path: string, error: unknown): DataError {
  if ((error as NodeJS.ErrnoException).code !== undefined) return cannotRead(path, error);
  return new DataError(`${path} is not an Arrow file, or it is truncated or damaged (${(error as Error).message}).`, { cause: error });
}
