import { detectCompression, openBytes, type ByteStream } from './byte-stream.js';
import type { Compression } from './compression.js';

/** A moving view of a file's uncompressed bytes, read one piece ahead. */
export class ByteWindow {
  /** The bytes at hand; those before `at` are done with. */
  buffer: Buffer = Buffer.alloc(0);
  /** First byte not yet used. */
  at = 0;
  /** True when the buffer reaches to the end of the file. */
  ended = false;
  /** Whether going back is cheap. */
  seekable = false;
  #start = 0;
  #ahead: Promise<Uint8Array | undefined> | undefined;
  #opened = false;
  readonly #bytes: ByteStream;

  constructor(
    readonly path: string,
    readonly compression: Compression = 'auto',
  ) {
    this.#bytes = openBytes(path, compression);
  }

  /** Offset of byte `at` in the uncompressed file. */
  get offset(): number {
    return this.#start + this.at;
  }

  /** Appends the next piece of the file, dropping what is done with. */
  async more(): Promise<void> {
    if (this.ended) return;
    if (!this.#opened) {
      this.#opened = true;
      this.seekable = (this.compression === 'auto' ? await detectCompression(this.path) : this.compression) === 'none';
    }
    const piece = await (this.#ahead ?? this.#bytes.next());
    this.#ahead = undefined;
    if (piece === undefined) {
      this.ended = true;
      return;
    }
    this.#ahead = this.#bytes.next();
    this.#ahead.catch(() => undefined); // seen by the next call
    const rest = this.buffer.subarray(this.at);
    this.#start += this.at;
    this.at = 0;
    const fresh = Buffer.from(piece.buffer, piece.byteOffset, piece.length);
    this.buffer = rest.length === 0 ? fresh : Buffer.concat([rest, fresh]);
  }

  /** Goes to a byte of the uncompressed file. */
  async seek(offset: number): Promise<void> {
    await this.#ahead?.catch(() => undefined);
    this.#ahead = undefined;
    await this.#bytes.seek(offset);
    this.buffer = Buffer.alloc(0);
    this.at = 0;
    this.#start = offset;
    this.ended = false;
  }

  /** Closes the file. */
  async close(): Promise<void> {
    await this.#ahead?.catch(() => undefined);
    this.#ahead = undefined;
    await this.#bytes.close();
  }
}
