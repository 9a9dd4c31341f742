import { DataError } from '../../errors.js';

/** How a file is compressed; `auto` looks at its first bytes. */
export type Compression = 'auto' | 'none' | 'gzip' | 'zstd';

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
];

/** Throws a {@link DataError} for a file whose first bytes say that it is compressed in a way that is not read. */
export function refuseCompressed(path: string, head: Uint8Array): void {
  const text = Buffer.from(head).toString('latin1');
  const found = others.find(([, first]) => text.startsWith(first));
  if (found !== undefined)
    throw new DataError(`${path} is compressed with ${found[0]}, which cannot be read: decompress it, or compress it with gzip or zstd.`);
}
