import { DataError } from '../../../errors.js';
import { storedType, type StoredType } from '../../sources/stored-types.js';

/** What the header of an array in NumPy's format says. */
export interface NpyHeader extends StoredType {
  readonly shape: readonly number[];
  /** Whether the first axis varies fastest. */
  readonly fortran: boolean;
  /** Bytes before the values. */
  readonly headerBytes: number;
}

/** Bytes that hold any usual header. */
export const NPY_HEADER_BYTES = 65536;

/** Parses a header. Throws a {@link DataError} that names the file where it is none, or its type cannot be read. */
export function parseNpyHeader(bytes: Uint8Array, path: string): NpyHeader {
  if (bytes.length < 12 || bytes[0] !== 0x93 || Buffer.from(bytes.subarray(1, 6)).toString('latin1') !== 'NUMPY') {
    throw new DataError(`${path} is not a .npy array: it does not begin with \\x93NUMPY.`);
  }
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const start = bytes[6]! >= 2 ? 12 : 10;
  const length = start === 12 ? view.getUint32(8, true) : view.getUint16(8, true);
  const text = Buffer.from(bytes.subarray(start, start + length)).toString('utf8');
  const descr = /'descr':\s*'([^']*)'/.exec(text)?.[1];
  const shape = /'shape':\s*\(([^)]*)\)/.exec(text)?.[1];
  if (start + length > bytes.length || shape === undefined)
    throw new DataError(`${path} is truncated or damaged: its header cannot be read.`);
  const type = descr === undefined ? undefined : storedType(descr.slice(1), descr[0] !== '>', path);
  if (type === undefined) {
    throw new DataError(
      `${path} holds values of the type ${descr ?? 'of a structure'}, which cannot be read; save floats, integers or booleans.`,
    );
  }
  return {
    ...type,
    shape: shape
      .split(',')
      .map((axis) => axis.trim())
      .filter((axis) => axis !== '')
      .map(Number),
    fortran: /'fortran_order':\s*True/.test(text),
    headerBytes: start + length,
  };
}
