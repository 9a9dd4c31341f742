import { createReadStream } from 'node:fs';
import { pipeline, Readable, type Duplex } from 'node:stream';
import * as zlib from 'node:zlib';

/**
 * The frames of the Zstandard format (RFC 8878) are told apart here, by the sizes of their blocks: Node's decompressor ends silently after
 * the first of several frames, and with a file that is cut off.
 */

const MAGIC = 0xfd2fb528;
/** Frames to be skipped: the lowest four bits may be any. */
const SKIPPED = 0x184d2a50;
const CHUNK_BYTES = 2 ** 20;

/** The bytes of a zstd file of any number of frames, decompressed. Throws an Error where it is cut off or damaged. */
export async function* zstdPieces(path: string): AsyncGenerator<Uint8Array> {
  const input = new Input(createReadStream(path, { highWaterMark: CHUNK_BYTES }));
  try {
    while (!(await input.ended())) {
      const magic = (await input.take(4)).readUInt32LE(0);
      if ((magic & 0xfffffff0) >>> 0 === SKIPPED) {
        for (let left = (await input.take(4)).readUInt32LE(0); left > 0; left -= Math.min(left, CHUNK_BYTES))
          await input.take(Math.min(left, CHUNK_BYTES));
      } else if (magic === MAGIC) yield* decompressed(frame(input));
      else throw new Error('invalid zstd data');
    }
  } finally {
    await input.close();
  }
}

/** The compressed bytes of one frame: its header, its blocks, its checksum. */
async function* frame(input: Input): AsyncGenerator<Buffer> {
  const magic = Buffer.alloc(4);
  magic.writeUInt32LE(MAGIC);
  yield magic;
  const descriptor = await input.take(1);
  const flags = descriptor[0]!;
  const single = (flags & 32) !== 0;
  const sizeBytes = [single ? 1 : 0, 2, 4, 8][flags >> 6]!;
  yield descriptor;
  yield await input.take((single ? 0 : 1) + [0, 1, 2, 4][flags & 3]! + sizeBytes);
  for (let last = false; !last;) {
    const head = await input.take(3);
    const block = head.readUIntLE(0, 3);
    last = (block & 1) === 1;
    const type = (block >> 1) & 3;
    if (type === 3) throw new Error('invalid zstd data');
    yield head;
    yield await input.take(type === 1 ? 1 : block >> 3); // type 1: one byte, many times
  }
  if ((flags & 4) !== 0) yield await input.take(4);
}

/** Decompresses a frame: in Node from version 22.15 on, which verifies its checksum; else by a library. */
async function* decompressed(pieces: AsyncIterable<Buffer>): AsyncGenerator<Uint8Array> {
  const native = (zlib as { createZstdDecompress?: (options: object) => Duplex }).createZstdDecompress;
  if (native !== undefined) {
    const stream = native({ chunkSize: CHUNK_BYTES });
    pipeline(Readable.from(pieces), stream, () => undefined); // an error is thrown by the stream, too
    yield* stream as AsyncIterable<Uint8Array>;
    return;
  }
  const { Decompress } = await import('fzstd');
  let made: Uint8Array[] = [];
  const decompress = new Decompress((piece) => void made.push(piece.slice()));
  for await (const piece of pieces) {
    decompress.push(new Uint8Array(piece));
    const ready = made;
    made = [];
    yield* ready;
  }
  decompress.push(new Uint8Array(0), true);
  yield* made;
}

/** The bytes of a stream, in pieces of the sizes asked for. */
class Input {
  readonly #chunks: AsyncIterator<Buffer>;
  #buffer: Buffer = Buffer.alloc(0);

  constructor(stream: AsyncIterable<Buffer>) {
    this.#chunks = stream[Symbol.asyncIterator]();
  }

  /** Whether there are no more bytes. */
  async ended(): Promise<boolean> {
    return this.#buffer.length === 0 && !(await this.#more());
  }

  /** The next bytes. Throws an Error where there are fewer. */
  async take(length: number): Promise<Buffer> {
    while (this.#buffer.length < length) if (!(await this.#more())) throw new Error('unexpected end of file');
    const taken = this.#buffer.subarray(0, length);
    this.#buffer = this.#buffer.subarray(length);
    return taken;
  }

  async #more(): Promise<boolean> {
    const { done, value } = await this.#chunks.next();
    if (done === true) return false;
    this.#buffer = this.#buffer.length === 0 ? value : Buffer.concat([this.#buffer, value]);
    return true;
  }

  async close(): Promise<void> {
    await this.#chunks.return?.();
  }
}
