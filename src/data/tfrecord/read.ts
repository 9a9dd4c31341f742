import { DataError, UsageError } from '../../errors.js';
import { readerOptions } from '../arguments.js';
import { Dataset } from '../dataset.js';
import { fromItems } from '../from.js';
import { cannotRead, expandPaths, type Paths } from '../files/index.js';
import { positionedStage, type PositionedReader } from '../sources/positioned.js';
import type { Block } from '../sources/blocks.js';
import { groupDataset, type CacheOptions } from '../sources/groups.js';
import { someBatch } from '../sources/some-batch.js';
import { listBlock } from '../sources/list-block.js';
import { chain, type Maybe, type PositionValue } from '../stage.js';
import { count } from '../random-access.js';
import { CHUNK_BYTES, CompressedBytes, PlainBytes, type Bytes } from './bytes.js';
import { indexedRecords } from './index-scan.js';
import { maskedCrc32c } from './crc32c.js';
import { FOOTER_BYTES, HEADER_BYTES, payloadLength, recordAt } from './record-at.js';

/**
 * Record files: `[length u64][masked CRC-32C of the length u32][payload][masked CRC-32C of the payload u32]`, again and again,
 * little-endian; the whole file may be compressed with gzip or zstd.
 */

/** Records that are to be read again are read together where no more than this lies between them. */
const NEARBY_BYTES = 2 ** 15;

/** How record files are read. */
export interface TfRecordOptions {
  /** How the files are compressed; default: not at all. */
  readonly compression?: 'none' | 'gzip' | 'zstd';
  /**
   * Goes through the files once to learn where their records are (about a second per gigabyte): their number is then known, any of
   * them can be read by itself, and `shuffle` is no longer bound to a buffer. Not for compressed files. Default false.
   */
  readonly indexed?: boolean;
}

/**
 * The records of record files (paths, patterns), in order. A damaged file ends in a {@link DataError} with file and byte, and so does a pass
 * without any record.
 */
export function tfRecords(paths: Paths, options?: TfRecordOptions & CacheOptions): Dataset<Uint8Array> {
  recordOptions(options); // before files are looked for
  const files = expandPaths(paths);
  const records = recordsOf(files.length === 1 ? files[0]! : files, options);
  if (records.length !== undefined) return records; // indexed: counted already
  return someBatch(records, `${files.length === 1 ? files[0]! : `${files.length} files from ${files[0]!}`} has no records.`);
}

/** The same of files that may be empty: parts of data of which others have records. */
export function recordsOf(paths: string | readonly string[], options?: TfRecordOptions & CacheOptions): Dataset<Uint8Array> {
  const { compression = 'none', indexed = false, cacheBytes } = recordOptions(options);
  if (!['none', 'gzip', 'zstd'].includes(compression))
    throw new UsageError(`There is no compression ${JSON.stringify(compression)} of record files; expected none, gzip or zstd.`);
  if (indexed && compression !== 'none') throw new UsageError(`indexed needs record files without compression, but it is ${compression}.`);
  if (indexed) return groupDataset(indexedRecords('records', paths, payloads), { cacheBytes }) as Dataset<Uint8Array>;
  const one = (path: string): Dataset<Uint8Array> =>
    new Dataset(
      positionedStage(`records ${path}`, () =>
        compression === 'none' ? new SeekableReader(path) : new RecordReader(path, new CompressedBytes(path, compression)),
      ),
    );
  return typeof paths === 'string' ? one(paths) : fromItems(paths).flatMap(one);
}

function recordOptions(options: (TfRecordOptions & CacheOptions) | undefined): TfRecordOptions & CacheOptions {
  return readerOptions<TfRecordOptions & CacheOptions>(options, 'tfRecords', {
    compression: 'value',
    indexed: 'switch',
    cacheBytes: 'value',
  });
}

function payloads(_: string, buffer: Buffer, spans: readonly number[]): Block<Uint8Array, Uint8Array[]> {
  return listBlock(Array.from({ length: spans.length / 2 }, (_, i) => new Uint8Array(buffer.subarray(spans[2 * i], spans[2 * i + 1]))));
}

/** Reads records in order. Positions are bytes of the uncompressed file. */
class RecordReader implements PositionedReader<Uint8Array> {
  #buffer: Uint8Array = new Uint8Array(0);
  /** Where the buffer begins in the file, and where the next record begins in the buffer. */
  #start = 0;
  #at = 0;

  constructor(
    readonly path: string,
    readonly bytes: Bytes,
  ) {}

  next(): Maybe<{ element: Uint8Array; position: PositionValue } | undefined> {
    return chain(this.#need(HEADER_BYTES), (there) => {
      const position = this.#start + this.#at;
      if (there === 0) return undefined;
      if (there < HEADER_BYTES) throw truncated(this.path, position);
      const length = payloadLength(this.path, position, this.#buffer, this.#at);
      const whole = HEADER_BYTES + length + FOOTER_BYTES;
      return chain(this.#need(whole), (available) => {
        if (available < whole) throw truncated(this.path, position);
        const element = payload(this.path, position, this.#buffer, this.#at + HEADER_BYTES, length);
        this.#at += whole;
        return { element, position };
      });
    });
  }

  /** Fills the buffer to `length` bytes from the next record on; gives how many there are, fewer at the end of the file. */
  #need(length: number): Maybe<number> {
    const there = this.#buffer.length - this.#at;
    return there >= length ? there : this.#fill(length);
  }

  async #fill(length: number): Promise<number> {
    const pieces = [this.#buffer.subarray(this.#at)];
    let there = pieces[0]!.length;
    this.#start += this.#at;
    this.#at = 0;
    while (there < length) {
      const piece = await this.bytes.next().catch((error: unknown) => {
        throw cannotRead(this.path, error);
      });
      if (piece === undefined) break;
      pieces.push(piece);
      there += piece.length;
    }
    this.#buffer = pieces.length === 2 && pieces[0]!.length === 0 ? pieces[1]! : Buffer.concat(pieces);
    return there;
  }

  position(): PositionValue {
    return this.#start + this.#at;
  }

  async seek(position: PositionValue): Promise<void> {
    const offset = count(position, 'byte offset');
    this.#buffer = new Uint8Array(0);
    this.#at = 0;
    this.#start = await this.bytes.seek(offset);
    while (this.#start < offset) {
      const available = await this.#fill(1);
      if (available === 0) throw truncated(this.path, offset);
      this.#at = Math.min(available, offset - this.#start);
      if (this.#at < available) return;
      this.#start += this.#at;
      this.#buffer = new Uint8Array(0);
      this.#at = 0;
    }
  }

  locate(position: PositionValue): string {
    return `the record at byte ${JSON.stringify(position)} of ${this.path}`;
  }

  async close(): Promise<void> {
    await this.bytes.close();
  }
}

/** Reads records in order and, by its position, any one of them. */
class SeekableReader extends RecordReader {
  readonly #plain: PlainBytes;

  constructor(path: string) {
    const plain = new PlainBytes(path);
    super(path, plain);
    this.#plain = plain;
  }

  /** The record at a position. */
  async read(position: PositionValue): Promise<Uint8Array> {
    const offset = count(position, 'byte offset');
    const file = await this.#plain.file().catch((error: unknown) => {
      throw cannotRead(this.path, error);
    });
    const header = new Uint8Array(HEADER_BYTES);
    if ((await file.read(header, 0, HEADER_BYTES, offset)).bytesRead < HEADER_BYTES) throw truncated(this.path, offset);
    const length = payloadLength(this.path, offset, header, 0);
    const rest = new Uint8Array(length + FOOTER_BYTES);
    if ((await file.read(rest, 0, rest.length, offset + HEADER_BYTES)).bytesRead < rest.length) throw truncated(this.path, offset);
    return payload(this.path, offset, rest, 0, length);
  }

  /** The records at several positions: those that lie close to each other are read together. */
  async readAll(positions: readonly PositionValue[]): Promise<Uint8Array[]> {
    const file = await this.#plain.file().catch((error: unknown) => {
      throw cannotRead(this.path, error);
    });
    const offsets = positions.map((position) => count(position, 'byte offset'));
    const order = Array.from(offsets.keys()).sort((a, b) => offsets[a]! - offsets[b]!);
    const records = new Array<Uint8Array>(offsets.length);
    for (let from = 0; from < order.length;) {
      const start = offsets[order[from]!]!;
      let to = from + 1;
      while (
        to < order.length &&
        offsets[order[to]!]! - offsets[order[to - 1]!]! <= NEARBY_BYTES &&
        offsets[order[to]!]! - start < CHUNK_BYTES
      )
        to++;
      const wanted = offsets[order[to - 1]!]! - start + NEARBY_BYTES;
      const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(wanted), 0, wanted, start);
      const bytes = buffer.subarray(0, bytesRead);
      const plain = new Uint8Array(buffer.buffer, buffer.byteOffset, bytesRead);
      for (; from < to; from++) {
        const place = order[from]!;
        const offset = offsets[place]!;
        const found = recordAt(this.path, bytes, offset - start, offset);
        records[place] =
          found === undefined || found.damaged ? await this.read(offset) : plain.slice(found.begin, found.end - FOOTER_BYTES);
      }
    }
    return records;
  }
}

function payload(path: string, position: number, bytes: Uint8Array, at: number, length: number): Uint8Array {
  const stored = new DataView(bytes.buffer, bytes.byteOffset + at + length, FOOTER_BYTES).getUint32(0, true);
  if (stored !== maskedCrc32c(bytes, at, at + length)) {
    throw new DataError(
      `${path}: the record at byte ${position} is damaged: its checksum does not match. Download or copy the file again.`,
    );
  }
  return new Uint8Array(bytes.subarray(at, at + length)); // a copy, and no Buffer
}

function truncated(path: string, position: number): DataError {
  return new DataError(`${path} is truncated: it ends inside the record at byte ${position}. Download or copy the file again.`);
}
