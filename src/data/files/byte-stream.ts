import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';

import { DataError } from '../../errors.js';
import { cannotDecompress, cannotRead } from './failures.js';
import { firstBytesSync } from './first-bytes.js';
import { zstdPieces } from './zstd.js';

/** How a file is compressed; `auto` looks at its first bytes. */
export type Compression = 'auto' | 'none' | 'gzip' | 'zstd';

/** Bytes read from a file at a time. */
const CHUNK_BYTES = 2 ** 20;

/** The uncompressed bytes of a file in order, in pieces. */
export interface ByteStream {
  /** The next piece; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Goes to a byte of the uncompressed file: at once in a plain file, by decompressing what lies before in a compressed one. */
  seek(offset: number): Promise<void>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** Opens the bytes of a file. Nothing is read before the first `next` or `seek`; errors are {@link DataError}s that name the file. */
export function openBytes(path: string, compression: Compression = 'auto'): ByteStream {
  let stream: ByteStream | undefined;
  const get = async (): Promise<ByteStream> => {
    if (stream !== undefined) return stream;
    const head = await firstBytes(path, 6);
    const found = compressionOf(head);
    if (compression === 'auto' && found === 'none') refuseCompressed(path, head);
    return (stream = openAs(path, compression === 'auto' ? found : compression));
  };
  return {
    next: async () => (stream ?? (await get())).next(),
    seek: async (offset) => (await get()).seek(offset),
    close: async () => stream?.close(),
  };
}

/** How a file is compressed, by its first bytes. */
export async function detectCompression(path: string): Promise<Exclude<Compression, 'auto'>> {
  return compressionOf(await firstBytes(path, 4));
}

/** Like {@link detectCompression}, at once. */
export function detectCompressionSync(path: string): Exclude<Compression, 'auto'> {
  return compressionOf(firstBytesSync(path, 4));
}

/** What the first bytes of a file say about its compression. */
export function compressionOf([a, b, c, d]: Uint8Array): Exclude<Compression, 'auto'> {
  if (a === 0x1f && b === 0x8b && c === 8) return 'gzip'; // by deflate: there is no other way
  if (a === 0x28 && b === 0xb5 && c === 0x2f && d === 0xfd) return 'zstd';
  return a !== undefined && a >> 4 === 5 && b === 0x2a && c === 0x4d && d === 0x18 ? 'zstd' : 'none'; // a frame to be skipped, as pzstd writes
}

const others: readonly (readonly [name: string, first: string])[] = [
  ['bzip2', 'BZh'],
  ['xz', '\xfd7zXZ'],
  ['LZ4', '\x04\x22\x4d\x18'],
  ['zip', 'PK\x03\x04'],
];

/** Throws a {@link DataError} for a file whose first bytes say that it is compressed in a way that is not read. */
export function refuseCompressed(path: string, head: Uint8Array): void {
  const text = Buffer.from(head).toString('latin1');
  const found = others.find(([, first]) => text.startsWith(first));
  if (found !== undefined)
    throw new DataError(`${path} is compressed with ${found[0]}, which cannot be read: decompress it, or compress it with gzip or zstd.`);
}

/** What to say of a file that is no file of its format: that it is compressed, or nothing. */
export function compressedHint(head: Uint8Array): string {
  const found = compressionOf(head);
  return found === 'none' ? '' : ` It is compressed with ${found}: decompress it first.`;
}

/** The first bytes of a file, fewer where it is shorter. */
export async function firstBytes(path: string, length: number): Promise<Uint8Array> {
  try {
    const file = await open(path, 'r');
    try {
      const { bytesRead, buffer } = await file.read(new Uint8Array(length), 0, length, 0);
      return buffer.subarray(0, bytesRead);
    } finally {
      await file.close();
    }
  } catch (error) {
    throw cannotRead(path, error);
  }
}

function openAs(path: string, compression: Exclude<Compression, 'auto'>): ByteStream {
  switch (compression) {
    case 'none':
      return new PlainBytes(path);
    case 'gzip':
      return new CompressedBytes(path, 'gzip', () => throughStream(path, zlib.createGunzip({ chunkSize: CHUNK_BYTES })));
    case 'zstd':
      return new CompressedBytes(path, 'zstd', () => zstdPieces(path));
    default:
      throw new DataError(`There is no compression ${JSON.stringify(compression)}; expected auto, none, gzip or zstd.`);
  }
}

class PlainBytes implements ByteStream {
  #file: FileHandle | undefined;
  #offset = 0;

  constructor(readonly path: string) {}

  async next(): Promise<Uint8Array | undefined> {
    try {
      this.#file ??= await open(this.path, 'r');
      const { bytesRead, buffer } = await this.#file.read(Buffer.allocUnsafeSlow(CHUNK_BYTES), 0, CHUNK_BYTES, this.#offset);
      this.#offset += bytesRead;
      return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
    } catch (error) {
      throw cannotRead(this.path, error);
    }
  }

  async seek(offset: number): Promise<void> {
    this.#offset = offset;
  }

  async close(): Promise<void> {
    const file = this.#file;
    this.#file = undefined;
    await file?.close();
  }
}

class CompressedBytes implements ByteStream {
  #pieces: AsyncIterator<Uint8Array> | undefined;
  #rest: Uint8Array | undefined;

  constructor(
    readonly path: string,
    readonly format: string,
    readonly start: () => AsyncIterable<Uint8Array>,
  ) {}

  async next(): Promise<Uint8Array | undefined> {
    const rest = this.#rest;
    if (rest !== undefined) {
      this.#rest = undefined;
      return rest;
    }
    this.#pieces ??= this.start()[Symbol.asyncIterator]();
    try {
      const { done, value } = await this.#pieces.next();
      return done ? undefined : value;
    } catch (error) {
      const { code } = error as NodeJS.ErrnoException;
      throw code === 'ENOENT' || code === 'EISDIR' || code === 'EACCES'
        ? cannotRead(this.path, error)
        : cannotDecompress(this.path, this.format, error);
    }
  }

  async seek(offset: number): Promise<void> {
    await this.close();
    for (let at = 0; at < offset;) {
      const piece = await this.next();
      if (piece === undefined)
        throw new DataError(`${this.path} ends at byte ${at}, before the saved position ${offset}: is it another file than before?`);
      if (at + piece.length > offset) this.#rest = piece.subarray(offset - at);
      at += piece.length;
    }
  }

  async close(): Promise<void> {
    this.#rest = undefined;
    const pieces = this.#pieces;
    this.#pieces = undefined;
    await pieces?.return?.();
  }
}

function throughStream(path: string, decompress: Duplex): AsyncIterable<Uint8Array> {
  const file = createReadStream(path, { highWaterMark: CHUNK_BYTES });
  file.on('error', (error) => decompress.destroy(error));
  decompress.on('close', () => file.destroy());
  return file.pipe(decompress) as AsyncIterable<Uint8Array>;
}
