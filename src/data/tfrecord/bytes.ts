import { open, type FileHandle } from 'node:fs/promises';

import { openBytes, type ByteStream } from '../files/index.js';

/** Bytes read from a file at a time. */
export const CHUNK_BYTES = 2 ** 20;

/** The bytes of a file in order, in pieces. */
export interface Bytes {
  /** The next piece; undefined at the end. */
  next(): Promise<Uint8Array | undefined>;
  /** Starts over, so that the next piece begins at `offset` or before; gives where it begins. */
  seek(offset: number): Promise<number>;
  /** Closes the file. */
  close(): Promise<void>;
}

/** The bytes of a plain file. */
export class PlainBytes implements Bytes {
  #file: FileHandle | undefined;
  #offset = 0;

  constructor(readonly path: string) {}

  /** The file, opened when it is first used. */
  async file(): Promise<FileHandle> {
    return (this.#file ??= await open(this.path, 'r'));
  }

  async next(): Promise<Uint8Array | undefined> {
    const file = await this.file();
    const { bytesRead, buffer } = await file.read(Buffer.allocUnsafe(CHUNK_BYTES), 0, CHUNK_BYTES, this.#offset);
    this.#offset += bytesRead;
    return bytesRead === 0 ? undefined : buffer.subarray(0, bytesRead);
  }

  async seek(offset: number): Promise<number> {
    return (this.#offset = offset);
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = undefined;
  }
}

/** The uncompressed bytes of a compressed file. */
export class CompressedBytes implements Bytes {
  readonly #bytes: ByteStream;

  constructor(path: string, compression: 'gzip' | 'zstd') {
    this.#bytes = openBytes(path, compression);
  }

  next(): Promise<Uint8Array | undefined> {
    return this.#bytes.next();
  }

  async seek(offset: number): Promise<number> {
    await this.#bytes.seek(offset);
    return offset;
  }

  close(): Promise<void> {
    return this.#bytes.close();
  }
}
