import { DataError } from '../../../errors.js';
import { memberHead, readMember, zipMembers, type ZipMember } from '../../../npz/index.js';
import { asNames } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { allocate, NDArray, shapeSize } from '../../ndarray.js';
import { firstBytesSync, otherFormatOf } from '../../files/index.js';
import { ArrayColumn, type Column } from '../../sources/columns.js';
import { StoredColumn, type StoredArray } from '../../sources/stored-array.js';
import { checkValues, type ValueRules } from '../../value-rules.js';
import { arrayRows } from '../array-rows.js';
import { rulesOption } from '../known-options.js';
import { NPY_HEADER_BYTES, parseNpyHeader, rowMajor, type NpyHeader } from './header.js';

/** An array of a `.npz` file; its header is read, its values are not. */
export interface NpzMember {
  readonly header: NpyHeader;
  /** Where the values lie in the file; undefined where they are compressed, or stored column by column. */
  readonly stored: StoredArray | undefined;
  /** The whole array; the checksum is verified. */
  read(): NDArray;
  /** The first values, in the file's order. */
  head(count: number): NDArray;
}

/**
 * The arrays of a `.npz` file by name, or those with the given names: others may be of types that cannot be read. Throws a
 * {@link DataError} for a missing, damaged or truncated file, or a name that it does not have.
 */
export function npzMembers(path: string, names?: readonly string[]): Record<string, NpzMember> {
  asNames(names, 'The list of arrays to read');
  const members = arrayMembers(path);
  const wanted = (names ?? [...members.keys()]).map((name) => {
    const member = members.get(name);
    if (member === undefined) throw new DataError(`${path} has no array ${name}; it has ${[...members.keys()].join(', ')}.`);
    return [name, open(member)] as const;
  });
  return Object.fromEntries(wanted);
}

/** The names of the arrays of a `.npz` file. */
export function npzNames(path: string): string[] {
  return [...arrayMembers(path).keys()];
}

function arrayMembers(path: string): Map<string, ZipMember> {
  const hint = otherFormatOf(path, 'fromNpz');
  if (hint !== '') throw new DataError(`${path} is not a .npz file.${hint}`);
  const members = zipMembers(path, firstBytesSync).filter(({ name }) => name.endsWith('.npy'));
  return new Map(members.map((member) => [member.name.slice(0, -4), member]));
}

function open(member: ZipMember): NpzMember {
  const name = member.name.slice(0, -4);
  const place = `${member.path}, array ${name}`;
  const header = parseNpyHeader(memberHead(member, NPY_HEADER_BYTES), place);
  const { shape, dtype, headerBytes, valueBytes, fortran } = header;
  const expected = headerBytes + shapeSize(shape) * valueBytes;
  if (member.bytes !== expected) throw new DataError(`${place} is truncated: ${expected} bytes were expected, ${member.bytes} are there.`);
  const decode = (bytes: Uint8Array, values: number): NDArray => {
    const data = allocate(dtype, values);
    header.decode(bytes.subarray(headerBytes, headerBytes + values * valueBytes), data);
    return new NDArray(data, [values], dtype);
  };
  const at = { path: member.path, name, shape, dtype, offset: member.offset + headerBytes, valueBytes };
  return {
    header,
    stored: member.stored && !fortran ? { ...at, decode: (...values) => header.decode(...values) } : undefined,
    read: () => {
      const array = decode(readMember(member), shapeSize(shape)).reshape(shape);
      return fortran ? rowMajor(array) : array;
    },
    head: (count) => {
      const values = Math.min(count, shapeSize(shape));
      return decode(memberHead(member, headerBytes + values * valueBytes), values);
    },
  };
}

/** The arrays of a `.npz` file by name, or those with the given names, in memory. Only what is asked for is read. */
export async function readNpz(path: string, names?: readonly string[]): Promise<Record<string, NDArray>> {
  return Object.fromEntries(Object.entries(npzMembers(path, names)).map(([name, member]) => [name, member.read()]));
}

/**
 * A data set with one element per row of the arrays of a `.npz` file (default: all of them), which need equally many rows.
 * Rows of arrays saved with `numpy.savez` are read when they are asked for, in any order; compressed ones are held in memory.
 */
export function fromNpz<const N extends string = string>(
  path: string,
  names?: readonly N[],
  options?: { /** What the numbers of each array must be. */ readonly rules?: { readonly [K in N]?: ValueRules } },
): Dataset<Record<N, NDArray>> {
  const members = Object.entries(npzMembers(path, names));
  const own = rulesOption(
    options,
    'fromNpz',
    members.map(([name]) => name),
  );
  const columns = members.map(([name, member]) => [name, column(path, name, member, own[name])] as const);
  return arrayRows(`npz ${path} `, path, columns, Object.fromEntries(columns));
}

function column(path: string, name: string, member: NpzMember, rules: ValueRules = {}): Column {
  if (member.stored !== undefined) return new StoredColumn(member.stored, rules);
  const array = member.read();
  if (array.shape.length === 0) throw new DataError(`${path}, array ${name}, holds a single value; name the arrays with rows.`);
  checkValues(() => `${path}, array ${name}`, array.data, array.dtype, rules);
  return new ArrayColumn(array);
}
