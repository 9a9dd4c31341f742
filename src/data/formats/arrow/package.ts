import * as zlib from 'node:zlib';

import { required, requiredOptional } from '../../files/index.js';
import { decompressLz4Frame } from './lz4.js';

/** The package. */
export type Arrow = typeof import('apache-arrow');

let arrow: Arrow | undefined;

/** The package that reads Arrow, told how to decompress. Throws a DataError where it is not installed. */
export function loadArrow(path: string): Arrow {
  if (arrow !== undefined) return arrow;
  const loaded = requiredOptional<Arrow>('apache-arrow', `Reading ${path}`);
  const { compressionRegistry, CompressionType } = loaded as Partial<Arrow>; // from version 21
  compressionRegistry?.set(CompressionType!.LZ4_FRAME, { decode: decompressLz4Frame });
  compressionRegistry?.set(CompressionType!.ZSTD, { decode: decompressZstd });
  return (arrow = loaded);
}

function decompressZstd(bytes: Uint8Array): Uint8Array {
  const native = (zlib as { zstdDecompressSync?: (bytes: Uint8Array) => Uint8Array }).zstdDecompressSync; // from Node 22.15
  const made = native === undefined ? required<typeof import('fzstd')>('fzstd').decompress(bytes) : native(bytes);
  return made.byteOffset % 8 === 0 ? made : made.slice(); // values of 64 bits are looked at in place
}
