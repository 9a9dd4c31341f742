import { isUtf8 } from 'node:buffer';

import { DataError } from '../../errors.js';
import { compressionOf } from './compression.js';
import { notText, otherFormat } from './signatures.js';

/** The text that bytes are in UTF-8; undefined where they are none, instead of a text with replacement characters. */
export function utf8Text(bytes: Uint8Array, begin = 0, end = bytes.length): string | undefined {
  const buffer = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);
  const text = buffer.toString('utf8', begin, end);
  // Only a text with that character in it can have come from bytes that are no UTF-8.
  return text.includes('\uFFFD') && !isUtf8(buffer.subarray(begin, end)) ? undefined : text;
}

/**
 * Where text begins in the first bytes of a file: after the byte order mark of UTF-8, if there is one. Throws a {@link DataError} for
 * UTF-16, which would be read as nonsense.
 */
export function textStart(path: string, head: Uint8Array): number {
  if (compressionOf(head) !== 'none')
    throw new DataError(`${path} is not text.${otherFormat(head)} (Or leave out \`compression\`: it is seen from the first bytes.)`);
  const other = notText(head);
  if (other !== undefined) throw new DataError(`${path} cannot be read as text.${other}`);
  const [a, b, c, d] = head;
  const utf16 =
    (a === 0xff && b === 0xfe) || (a === 0xfe && b === 0xff) || (a === 0 && c === 0 && !!b && !!d) || (!!a && !!c && b === 0 && d === 0);
  if (utf16) throw new DataError(`${path} is UTF-16 text, but UTF-8 was expected. Save it as UTF-8 (\`iconv -f utf-16 -t utf-8\`).`);
  return a === 0xef && b === 0xbb && c === 0xbf ? 3 : 0;
}

/** What is wrong with a cell or line that is no UTF-8, in words, with the likely fix. */
export const NO_UTF8 = 'is no UTF-8 text. Save the file as UTF-8 (for example `iconv -f latin1 -t utf-8`)';
