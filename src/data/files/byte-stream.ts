import { createReadStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import type { Duplex } from 'node:stream';
import * as zlib from 'node:zlib';

import { DataError } from '../../errors.js';
import { compressionOf, refuseCompressed, type Compression } from './compression.js';
import { cannotDecompress, cannotRead } from './failures.js';
import { firstBytesSync } from './first-bytes.js';
import { SIGNATURE_BYTES } from './signatures.js';
import { zstdPieces } from './zstd.js';

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
    const head = await firstBytes(path, SIGNATURE_BYTES);
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
