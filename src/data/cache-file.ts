import { closeSync, fstatSync, fsyncSync, openSync, readdirSync, readSync, renameSync, rmSync, statSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { threadId } from 'node:worker_threads';

import { DataError } from '../errors.js';
import { recordAt } from './tfrecord/record-at.js';
import { frame } from './tfrecord/write.js';
import { decode, encode, viewsOf } from './workers/index.js';

/**
 * A file of elements that can be read at any position: record frames (see tfrecord/) of a head, of every element and of the
 * offsets, then the offset of the offsets. It is as large as its elements are in memory.
 */

/** Bytes written or read at a time. */
const CHUNK_BYTES = 2 ** 20;
const TRAILER_BYTES = 8;
/** Files that this thread has begun: two data sets may write the same one. */
let made = 0;
const head = (pipeline: string): string => JSON.stringify({ orbit_cache: 1, pipeline });

/** A file that nobody has written to for so long belongs to nobody. */
const LEFT_AFTER_MS = 60 * 60 * 1000;

/** Removes what processes that were killed while they wrote this file have left beside it. */
function removeLeftovers(path: string): void {
  const [folder, name] = [dirname(path), `${basename(path)}.tmp-`];
  try {
    for (const entry of readdirSync(folder)) {
      if (!entry.startsWith(name) || !/^\d+-\d+-\d+$/.test(entry.slice(name.length))) continue;
      const file = join(folder, entry);
      if (Date.now() - statSync(file).mtimeMs > LEFT_AFTER_MS) rmSync(file, { force: true });
    }
  } catch {
    // no folder, or another process was faster: writing tells what is wrong
  }
}

/** Writes a cache file; it appears under its name when it is finished. */
export class CacheWriter {
  readonly #file: number;
  readonly #temporary: string;
  readonly #offsets: number[] = [];
  #pending: Uint8Array[] = [];
  #pendingBytes = 0;
  #size = 0;

  /** Throws a {@link DataError} where the file cannot be written. */
  constructor(
    readonly path: string,
    pipeline: string,
  ) {
    removeLeftovers(path);
    this.#temporary = `${path}.tmp-${process.pid}-${threadId}-${made++}`;
    this.#file = this.#guard(() => openSync(this.#temporary, 'w'));
    this.#append(frame(new TextEncoder().encode(head(pipeline))));
  }

  /** Adds an element. */
  add(element: unknown): void {
    const { text, size, write } = encode(element);
    const structure = new TextEncoder().encode(text);
    const begin = 4 + structure.length;
    const payload = new Uint8Array(begin + size);
    new DataView(payload.buffer).setUint32(0, structure.length, true);
    payload.set(structure, 4);
    write(payload.subarray(begin));
    this.#offsets.push(this.#size);
    this.#append(frame(payload));
  }

  /** Makes the file complete. */
  finish(): void {
    const trailer = new Uint8Array(TRAILER_BYTES);
    new DataView(trailer.buffer).setFloat64(0, this.#size, true);
    this.#offsets.push(this.#size);
    this.#append(frame(new Uint8Array(Float64Array.from(this.#offsets).buffer)));
    this.#append(trailer);
    this.#guard(() => {
      this.#flush();
      fsyncSync(this.#file);
      closeSync(this.#file);
      renameSync(this.#temporary, this.path);
    });
  }

  /** Removes what was written. */
  abandon(): void {
    closeSync(this.#file);
    rmSync(this.#temporary, { force: true });
  }

  #append(bytes: Uint8Array): void {
    this.#pending.push(bytes);
    this.#pendingBytes += bytes.length;
    this.#size += bytes.length;
    if (this.#pendingBytes >= CHUNK_BYTES) this.#guard(() => this.#flush());
  }

  #flush(): void {
    const bytes = Buffer.concat(this.#pending);
    this.#pending = [];
    this.#pendingBytes = 0;
    for (let written = 0; written < bytes.length;) written += writeSync(this.#file, bytes, written);
  }

  #guard<R>(run: () => R): R {
    try {
      return run();
    } catch (error) {
      throw new DataError(`The cache file ${this.path} cannot be written: ${(error as Error).message}.`, { cause: error });
    }
  }
}

const files = new FinalizationRegistry<number>((file) => closeSync(file));

/** Reads elements of a cache file by position. */
export class CacheReader {
  /** Number of elements. */
  readonly length: number;
  readonly #offsets: Float64Array;
  #window: Buffer = Buffer.alloc(0);
  #start = 0;

  private constructor(
    readonly path: string,
    readonly file: number,
    pipeline: string,
  ) {
    const { size } = fstatSync(file);
    const trailer = this.#bytes(Math.max(0, size - TRAILER_BYTES), Math.min(size, TRAILER_BYTES));
    const index = trailer.length < TRAILER_BYTES ? -1 : trailer.readDoubleLE();
    if (!Number.isSafeInteger(index) || index <= 0 || index >= size) throw this.#damaged('it has no end');
    const own = this.#payload(0);
    if (own.toString() !== head(pipeline)) {
      throw new DataError(
        `The cache file ${path} was made by another pipeline.\n  file: ${own.toString().slice(0, 500)}\n  now:  ${head(pipeline)}\nRemove it, or give this data set another file.`,
      );
    }
    this.#offsets = new Float64Array(Uint8Array.from(this.#payload(index)).buffer);
    this.length = this.#offsets.length - 1;
  }

  /** Opens a file; undefined where there is none. Throws a {@link DataError} where it is damaged or of another pipeline. */
  static open(path: string, pipeline: string): CacheReader | undefined {
    let file: number;
    try {
      file = openSync(path, 'r');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw new DataError(`The cache file ${path} cannot be read: ${(error as Error).message}.`, { cause: error });
    }
    try {
      const reader = new CacheReader(path, file, pipeline);
      files.register(reader, file);
      return reader;
    } catch (error) {
      closeSync(file);
      throw error;
    }
  }

  /** The error of a position in a file that is not there any more. */
  static missing(path: string): DataError {
    return new DataError(
      `The saved data position is in the cache file ${path}, which is not there any more. Start the data from the beginning.`,
    );
  }

  /** The element at a position. */
  at(position: number): unknown {
    const payload = this.#payload(this.#offsets[position]!);
    const begin = 4 + payload.readUInt32LE();
    return decode(payload.toString('utf8', 4, begin), viewsOf(Uint8Array.from(payload.subarray(begin)).buffer));
  }

  #payload(offset: number): Buffer {
    for (let wanted = CHUNK_BYTES; ; wanted *= 4) {
      if (offset < this.#start || offset + 12 > this.#start + this.#window.length || wanted > CHUNK_BYTES) {
        this.#window = this.#bytes(offset, wanted);
        this.#start = offset;
      }
      const record = recordAt(this.path, this.#window, offset - this.#start, offset);
      if (record?.damaged) throw this.#damaged(`the checksum at byte ${offset} does not match`);
      if (record !== undefined) return this.#window.subarray(record.begin, record.end - 4);
      if (wanted > CHUNK_BYTES && this.#window.length < wanted) throw this.#damaged(`it ends inside the element at byte ${offset}`);
    }
  }

  #bytes(offset: number, length: number): Buffer {
    const bytes = Buffer.allocUnsafe(length);
    return bytes.subarray(0, readSync(this.file, bytes, 0, length, offset));
  }

  #damaged(why: string): DataError {
    return new DataError(`The cache file ${this.path} is damaged: ${why}. Remove it; it is made again.`);
  }
}
