/** Where the messages of Arrow files lie. Not in a file whose types users see: they would need those of the optional package. */
import { closeSync, fstatSync, readSync } from 'node:fs';
import { open } from 'node:fs/promises';
import type { RecordBatch, Schema } from 'apache-arrow';

import { DataError } from '../../../errors.js';
import { cannotRead, openToRead, otherFormatOf } from '../../files/index.js';
import { loadArrow, type Arrow } from './package.js';

/** Bytes from one place up to another (excluded). */
interface Span {
  readonly begin: number;
  readonly end: number;
}

/** A record batch of a file. */
export interface StoredBatch extends Span {
  readonly rows: number;
  readonly compressed: boolean;
  /** How many of the dictionaries it needs: in a stream those before it, in a file all, which may stand anywhere. */
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
  const arrow = loadArrow(path);
  const { Message, RecordBatchReader } = arrow;
  const dictionaries: Span[] = [];
  const batches: StoredBatch[] = [];
  let schema: Schema | undefined;
  const file = openToRead(path);
  try {
    const { size } = fstatSync(file);
    const head = bytesAt(file, 0, 6);
    const isFile = head.toString('latin1') === FILE_MAGIC;
    if (head.toString('latin1', 0, 4) === 'FEA1')
      throw new DataError(`${path} is a Feather file of version 1, which cannot be read: write version 2.`);
    const other = isFile ? '' : otherFormatOf(path);
    if (other !== '') throw new DataError(`${path} is not an Arrow file.${other}`);
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
      if (message.isSchema()) schema = message.header();
      else if (message.isDictionaryBatch()) dictionaries.push(span);
      else if (message.isRecordBatch()) {
        const { length, compression } = message.header();
        batches.push({ ...span, rows: length, compressed: compression !== null, dictionaries: isFile ? Infinity : dictionaries.length });
      }
      at = span.end;
    }
    if (isFile) schema ??= schemaOfFooter(arrow, file, size); // some writers put it there alone
    if (schema === undefined) throw new Error('it has no schema');
  } catch (error) {
    throw notArrow(path, error);
  } finally {
    closeSync(file);
  }
  const head = schemaMessage(arrow, schema);
  return {
    path,
    schema,
    batches,
    // The schema, the dictionaries so far and the record batch are a stream by themselves.
    read: async (batch) => {
      const bytes = await bytesOf(path, head, [...dictionaries.slice(0, batch.dictionaries), batch]);
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

/** The bytes of a message that says the schema. */
function schemaMessage({ Message }: Arrow, schema: Schema): Uint8Array {
  const metadata = Message.encode(Message.from(schema));
  const length = Math.ceil(metadata.length / 8) * 8;
  const bytes = new Uint8Array(8 + length);
  const view = new DataView(bytes.buffer);
  view.setUint32(0, CONTINUATION, true);
  view.setInt32(4, length, true);
  bytes.set(metadata, 8);
  return bytes;
}

/** The schema in the footer of a file, read as that of a file with nothing but the footer. */
function schemaOfFooter({ RecordBatchReader }: Arrow, file: number, size: number): Schema {
  const length = bytesAt(file, size - 10, 4).readInt32LE(0) + 10;
  if (length < 10 || length > size) throw new Error('its footer is longer than the file');
  const bytes = Buffer.concat([Buffer.from('ARROW1\0\0'), bytesAt(file, size - length, length)]);
  const reader = RecordBatchReader.from(new Uint8Array(bytes));
  try {
    reader.open();
  } catch (error) {
    if ((reader.schema as Schema | undefined) === undefined) throw error; // else it missed the dictionaries, which are not there
  }
  return reader.schema;
}

/** Some bytes, and those of spans of a file after them. */
async function bytesOf(path: string, head: Uint8Array, spans: readonly Span[]): Promise<Uint8Array> {
  const bytes = new Uint8Array(head.length + spans.reduce((sum, { begin, end }) => sum + end - begin, 0));
  bytes.set(head);
  try {
    const file = await open(path, 'r');
    try {
      let filled = head.length;
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
  if (error instanceof DataError) return error;
  if ((error as NodeJS.ErrnoException).code !== undefined) return cannotRead(path, error);
  return new DataError(`${path} is not an Arrow file, or it is truncated or damaged (${(error as Error).message}).`, { cause: error });
}
