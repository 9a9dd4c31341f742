import { readFile } from 'node:fs/promises';

import { Dataset } from '../../dataset.js';
import { cannotRead, expandPaths, openBytes, type Compression, type Paths } from '../../files/index.js';
import { blockDataset } from '../../sources/blocks.js';
import { itemsStage } from '../../sources/items.js';
import { listBlock } from '../../sources/list-block.js';
import { LineReader } from './line-reader.js';

export { sonnets } from './sonnets.js';
export { byteTokenizer, charTokenizer, loadTokenizer, tokenBlocks, type Tokenizer } from './tokenizers.js';

/** How {@link fromTextLines} reads. */
export interface TextOptions {
  /** Keep lines without any text; default false. */
  readonly keepEmpty?: boolean;
  /** Default `auto`: by the first bytes. */
  readonly compression?: Compression;
}

/** The lines of UTF-8 text files, without their line ends, one file after the other. Read in pieces; positions are exact. */
export function fromTextLines(paths: Paths, { keepEmpty = false, compression = 'auto' }: TextOptions = {}): Dataset<string> {
  const make = (lines: string[]) => listBlock(keepEmpty ? lines : lines.filter((line) => line.trim() !== ''));
  return blockDataset<string, string[]>('text', paths, (path) => new LineReader(path, compression, make)) as Dataset<string>;
}

/** Whole UTF-8 text files, one element each, read when they are asked for. */
export function fromDocuments(paths: Paths, { compression = 'auto' }: { readonly compression?: Compression } = {}): Dataset<string> {
  const files = expandPaths(paths);
  return new Dataset(itemsStage(`documents ${files[0]}…`, files.length, (position) => readText(files[position]!, compression)));
}

async function readText(path: string, compression: Compression): Promise<string> {
  if (compression === 'none') {
    return readFile(path, 'utf8').catch((error: unknown) => {
      throw cannotRead(path, error);
    });
  }
  const bytes = openBytes(path, compression);
  try {
    const pieces: Uint8Array[] = [];
    for (let piece = await bytes.next(); piece !== undefined; piece = await bytes.next()) pieces.push(piece);
    return Buffer.concat(pieces)
      .toString('utf8')
      .replace(/^\uFEFF/, '');
  } finally {
    await bytes.close();
  }
}
