/** The header of NumPy's `.npy` files. */
import { DataError } from '../errors.js';

/** What a header says. */
export interface NpyHeaderText {
  /** Type of the values in NumPy's notation, such as `<f4`; undefined for structures. */
  readonly descr: string | undefined;
  readonly shape: readonly number[];
  /** Whether the first axis varies fastest. */
  readonly fortran: boolean;
  /** Bytes before the values. */
  readonly headerBytes: number;
}

/** Parses a header. Throws a {@link DataError} that names the file where it is none. */
export function decodeNpyHeader(bytes: Uint8Array, path: string): NpyHeaderText {
  if (bytes.length < 12 || bytes[0] !== 0x93 || Buffer.from(bytes.subarray(1, 6)).toString('latin1') !== 'NUMPY') {
    throw new DataError(`${path} is not a .npy array: it does not begin with \\x93NUMPY.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = bytes[6]! >= 2 ? 12 : 10;
  const length = start === 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  const text = Buffer.from(bytes.subarray(start, start + length)).toString('utf8');
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (start + length > bytes.length || shape === undefined)
    throw new DataError(`${path} is truncated or damaged: its header cannot be read.`);
  const axes = shape
    .split(',')
    .map((axis) => axis.trim().replace(/^(\d+)L$/, '$1')) // Python 2 wrote 3L
    .filter((axis) => axis !== '');
  if (axes.some((axis) => !/^\d+$/.test(axis))) throw new DataError(`${path} is damaged: its header gives the shape (${shape}).`);
  return {
    descr: /'descr':\s*'([^']*)'/.exec(text)?.[1],
    shape: axes.map(Number),
    fortran: /'fortran_order':\s*True/.test(text),
    headerBytes: start + length,
  };
}

/** A header of version 1, or of version 2 for very many axes, padded so that the values begin at a multiple of 64. */
export function encodeNpyHeader(descr: string, shape: readonly number[]): Uint8Array {
  const axes = shape.length === 1 ? `${shape[0]},` : shape.join(', ');
  const text = `{'descr': '${descr}', 'fortran_order': False, 'shape': (${axes}), }`;
  const start = text.length < 0xff00 ? 10 : 12;
  const header = Buffer.alloc(Math.ceil((start + text.length + 1) / 64) * 64, ' ');
  header.write('\x93NUMPY', 0, 'latin1');
  header[6] = start === 10 ? 1 : 2;
  header[7] = 0;
  if (start === 10) header.writeUInt16LE(header.length - start, 8);
  else header.writeUInt32LE(header.length - start, 8);
  header.write(text, start, 'latin1');
  header[header.length - 1] = 0x0a;
  return header;
}
