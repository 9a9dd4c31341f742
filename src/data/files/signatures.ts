/** What files look like by their first bytes, to say which reader a file of another format needs. */
import { maskedCrc32c } from '../tfrecord/crc32c.js';
import { compressionOf } from './compression.js';
import { firstBytesSync } from './first-bytes.js';

/** Bytes that are enough for {@link otherFormat} and {@link notText}. */
export const SIGNATURE_BYTES = 512;

const binary: readonly (readonly [first: string, what: string, fix: string])[] = [
  ['PAR1', 'a Parquet file', 'read it with fromParquet'],
  ['ARROW1', 'an Arrow file', 'read it with fromArrow'],
  ['\x93NUMPY', 'a .npy array', 'read it with fromNpy or readNpy'],
  ['\x89PNG', 'a PNG image', 'read it with fromImages'],
  ['\xff\xd8\xff', 'a JPEG image', 'read it with fromImages'],
  ['GIF8', 'a GIF image', 'convert it to PNG'],
  ['%PDF', 'a PDF document', 'take the text out of it first'],
  ['\x89HDF', 'an HDF5 file', 'convert it to .npy, .npz or Parquet'],
  ['SQLite format 3', 'an SQLite database', 'export the table as CSV or Parquet'],
  ['Obj\x01', 'an Avro file', 'convert it to Parquet'],
  ['ORC', 'an ORC file', 'convert it to Parquet'],
  ['\x80\x02', 'a Python pickle', 'save the arrays with numpy.savez'],
  ['\x80\x04', 'a Python pickle', 'save the arrays with numpy.savez'],
  ['\x80\x05', 'a Python pickle', 'save the arrays with numpy.savez'],
  ['\xd0\xcf\x11\xe0', 'an Excel workbook (or another Office file)', 'save it as CSV'],
];

const tell = (what: string, fix: string): string => ` It looks like ${what}: ${fix}.`;

/**
 * What to say of a file that is none of its reader's format: that it is compressed, which format it looks like and what reads that, or nothing.
 * `own` is the reader, which is not recommended again.
 */
export function otherFormat(head: Uint8Array, own = ''): string {
  const compression = compressionOf(head);
  if (compression !== 'none') return ` It is compressed with ${compression}: decompress it first.`;
  const found = binaryFormat(head) ?? textFormat(head);
  return found === undefined || (own !== '' && found.includes(own)) ? '' : found;
}

/** {@link otherFormat} of a file whose first bytes are not at hand. */
export function otherFormatOf(path: string, own?: string): string {
  return otherFormat(firstBytesSync(path, SIGNATURE_BYTES), own);
}

/** What to say of a file that no reader of texts can read; undefined where it may be text. */
export function notText(head: Uint8Array): string | undefined {
  return binaryFormat(head) ?? pointer(head);
}

/** Binary files have a byte 0 soon; a text may begin with the same letters. */
function binaryFormat(head: Uint8Array): string | undefined {
  const bytes = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SIGNATURE_BYTES));
  const text = bytes.toString('latin1');
  if (!text.includes('\0') && !/^[\x80-\xff]/.test(text)) return undefined;
  const found = binary.find(([first]) => text.startsWith(first));
  if (found !== undefined) return tell(found[1], found[2]);
  if (text.startsWith('RIFF') && text.startsWith('WAVE', 8)) return tell('a WAV sound', 'read it with fromWav');
  if (text.startsWith('RIFF') && text.startsWith('WEBP', 8)) return tell('a WebP image', 'read it with fromImages');
  if (text.startsWith('PK\x03\x04')) return zip(text);
  if (/^[^]{4}\0{4}\{"/.test(text)) return tell('a safetensors file', 'read it with fromSafetensors or readSafetensors');
  if (/^\0\0[\x08\x09\x0b-\x0e][\x01-\x08]/.test(text)) return tell('an IDX file', 'read it with readIdx');
  if (bytes.length >= 12 && bytes.readUInt32LE(8) === maskedCrc32c(bytes, 0, 8))
    return tell('a TFRecord file', 'read it with fromTfExamples or tfRecords');
  return undefined;
}

function zip(text: string): string {
  if (/\.npy/.test(text.slice(0, 200))) return tell('a .npz file', 'read it with fromNpz or readNpz');
  if (/\[Content_Types\]|_rels\/|xl\//.test(text)) return tell('an Excel workbook (or another Office file)', 'save it as CSV');
  return tell('a zip archive', 'unpack it first');
}

function textFormat(head: Uint8Array): string | undefined {
  const text = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, SIGNATURE_BYTES)).toString('utf8');
  const lfs = pointer(head);
  if (lfs !== undefined) return lfs;
  if (/^\s*<(!doctype html|html)/i.test(text))
    return tell('a web page', 'the download gave a page, perhaps one to log in, in place of the file');
  if (/^\s*<\?xml/.test(text)) return tell('XML', 'convert it to CSV or JSON lines');
  if (/^\s*\{\s*"/.test(text)) return tell('JSON', 'read it with fromJsonLines, if there is a value on every line');
  if (text.length > 0 && !/[^\P{C}\s]|\uFFFD/u.test(text.slice(0, -1)))
    return tell('text', 'read it with fromCsv, fromJsonLines or fromTextLines');
  return undefined;
}

function pointer(head: Uint8Array): string | undefined {
  const start = Buffer.from(head.buffer, head.byteOffset, Math.min(head.length, 40)).toString('latin1');
  return start.startsWith('version https://git-lfs.github.com/')
    ? tell('a pointer of Git LFS', 'fetch the file itself with `git lfs pull`')
    : undefined;
}
