import { createReadStream } from 'node:fs';

/** The bytes of a zstd file, decompressed by a library: for versions of Node without zstd. */
export async function* zstdPieces(path: string): AsyncGenerator<Uint8Array> {
  const { Decompress } = await import('fzstd');
  let made: Uint8Array[] = [];
  const decompress = new Decompress((piece) => void made.push(piece.slice()));
  for await (const piece of createReadStream(path, { highWaterMark: 2 ** 18 }) as AsyncIterable<Uint8Array>) {
    decompress.push(new Uint8Array(piece));
    const ready = made;
    made = [];
    yield* ready;
  }
  decompress.push(new Uint8Array(0), true);
  yield* made;
}
