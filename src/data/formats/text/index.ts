import { constants } from 'node:buffer';

import { DataError } from '../../../errors.js';
import { readerOptions } from '../../arguments.js';
import type { BadRecords } from '../../bad-records.js';
import { Dataset } from '../../dataset.js';
import { expandPaths, NO_UTF8, openBytes, textStart, utf8Text, type Compression, type Paths } from '../../files/index.js';
import { blockDataset, type StreamOptions } from '../../sources/blocks.js';
import { itemsStage } from '../../sources/items.js';
import { listBlock } from '../../sources/list-block.js';
import { known } from '../known-options.js';
import { LineReader } from './line-reader.js';

export { sonnets } from './sonnets.js';
export { byteTokenizer, charTokenizer, loadTokenizer, tokenBlocks, type Tokenizer } from './tokenizers.js';

/** How {@link fromTextLines} reads. */
export interface TextOptions extends StreamOptions {
  /** Keep lines without any text; default false. */
  readonly keepEmpty?: boolean;
  /** Default `auto`: by the first bytes. */
  readonly compression?: Compression;
}

/** The lines of UTF-8 text files, without their line ends, one file after the other. Read in pieces; positions are exact. */
export function fromTextLines(paths: Paths, options?: TextOptions): Dataset<string> {
  const own = readerOptions<TextOptions>(options, 'fromTextLines', { ...known.stream, keepEmpty: 'switch', compression: 'value' });
  const { keepEmpty = false, compression = 'auto', onBadRecord } = own;
  const open = (path: string, bad: BadRecords) =>
    new LineReader<string, string[]>(path, compression, (lines, first) => {
      const good = lines.filter((line, i): line is string => {
        if (line === undefined) bad.report(new DataError(`${path}, line ${first + i} ${NO_UTF8}.`));
        return line !== undefined && (keepEmpty || line.trim() !== '');
      });
      return listBlock(good);
    });
  return blockDataset<string, string[]>('text', paths, open, { onBadRecord }) as Dataset<string>;
}

/** Whole UTF-8 text files, one element each, read when they are asked for. */
export function fromDocuments(paths: Paths, options?: { readonly compression?: Compression }): Dataset<string> {
  const { compression = 'auto' } = readerOptions<{ compression?: Compression }>(options, 'fromDocuments', { compression: 'value' });
  const files = expandPaths(paths);
  return new Dataset(itemsStage(`documents ${files[0]}…`, files.length, (position) => readText(files[position]!, compression)));
}

async function readText(path: string, compression: Compression): Promise<string> {
  const bytes = openBytes(path, compression);
  const pieces: Uint8Array[] = [];
  let length = 0;
  try {
    for (let piece = await bytes.next(); piece !== undefined; piece = await bytes.next()) {
      pieces.push(piece);
      length += piece.length;
      if (length > constants.MAX_STRING_LENGTH)
        throw new DataError(`${path} is longer than ${constants.MAX_STRING_LENGTH} bytes, more than a text can have. Read it by lines.`);
    }
  } finally {
    await bytes.close();
  }
  const whole = Buffer.concat(pieces);
  const text = utf8Text(whole, textStart(path, whole));
  if (text === undefined) throw new DataError(`${path} ${NO_UTF8}.`);
  return text;
}
