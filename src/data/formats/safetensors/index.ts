import { statSync } from 'node:fs';

import { DataError } from '../../../errors.js';
import { asNames } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { firstBytesSync, otherFormatOf } from '../../files/index.js';
import { shapeSize, type NDArray } from '../../ndarray.js';
import { readStored, StoredColumn, type StoredArray } from '../../sources/stored-array.js';
import { isRecord } from '../../structure.js';
import type { ValueRules } from '../../value-rules.js';
import { storedType } from '../../sources/stored-types.js';
import { arrayRows } from '../array-rows.js';
import { rulesOption } from '../known-options.js';

const codes: Readonly<Record<string, string>> = {
  F16: 'f2',
  BF16: 'bf2',
  F32: 'f4',
  F64: 'f8',
  I8: 'i1',
  U8: 'u1',
  I16: 'i2',
  U16: 'u2',
  I32: 'i4',
  U32: 'u4',
  I64: 'i8',
  U64: 'u8',
  BOOL: 'b1',
};
const LARGEST_HEADER_BYTES = 100_000_000;

/**
 * Where the arrays of a safetensors file lie, by name, or those with the given names; only the header is read. Throws a {@link DataError} for
 * a damaged file, or a name that it does not have.
 */
export function safetensorsArrays(path: string, names?: readonly string[]): Record<string, StoredArray> {
  asNames(names, 'The list of arrays to read');
  const { header, valuesAt } = headerOf(path);
  const size = statSync(path).size;
  const there = namesIn(header);
  const unknown = names?.find((name) => !there.includes(name));
  if (unknown !== undefined) throw new DataError(`${path} has no array ${unknown}; it has ${there.join(', ')}.`);
  const entries = (names ?? there).map((name) => [name, header[name]] as const);
  return Object.fromEntries(
    entries.map(([name, entry]) => {
      if (!isEntry(entry)) throw new DataError(`${path} is damaged: its header does not say type, shape and place of array ${name}.`);
      const { dtype: tag, shape, data_offsets: offsets } = entry;
      const type = storedType(codes[tag] ?? '', true, `${path}, array ${name}`);
      if (type === undefined) throw new DataError(`${path}, array ${name}: values of the type ${tag} cannot be read.`);
      const [begin, end] = offsets;
      if (end - begin !== shapeSize(shape) * type.valueBytes || valuesAt + end > size) {
        throw new DataError(
          `${path} is truncated or damaged: array ${name}, ${tag}[${shape.join(', ')}], does not lie in its bytes ${begin} to ${end}.`,
        );
      }
      return [name, { ...type, path, name, shape, offset: valuesAt + begin }] as const;
    }),
  );
}

/** The names of the arrays of a safetensors file. */
export function safetensorsNames(path: string): string[] {
  return namesIn(headerOf(path).header);
}

const namesIn = (header: object): string[] => Object.keys(header).filter((name) => name !== '__metadata__');

/** The header of a file, and the byte where the values begin. */
function headerOf(path: string): { header: Readonly<Record<string, unknown>>; valuesAt: number } {
  const start = firstBytesSync(path, 8);
  const length = start.length < 8 ? Infinity : Number(new DataView(start.buffer).getBigUint64(0, true));
  if (length > LARGEST_HEADER_BYTES)
    throw new DataError(
      `${path} is not a safetensors file: it does not begin with the length of a header.${otherFormatOf(path, 'fromSafetensors')}`,
    );
  try {
    const parsed: unknown = JSON.parse(Buffer.from(firstBytesSync(path, length, 8)).toString('utf8'));
    if (!isRecord(parsed)) throw new Error('an object was expected');
    return { header: parsed, valuesAt: 8 + length };
  } catch (error) {
    throw new DataError(
      `${path} is not a safetensors file, or it is truncated: its header is no JSON.${otherFormatOf(path, 'fromSafetensors')}`,
      {
        cause: error,
      },
    );
  }
}

interface Entry {
  readonly dtype: string;
  readonly shape: readonly number[];
  readonly data_offsets: readonly [number, number];
}

function isEntry(value: unknown): value is Entry {
  if (!isRecord(value)) return false;
  const { dtype, shape, data_offsets: offsets } = value;
  const whole = (list: unknown): list is number[] =>
    Array.isArray(list) && list.every((n) => Number.isSafeInteger(n) && (n as number) >= 0);
  return typeof dtype === 'string' && whole(shape) && whole(offsets) && offsets.length === 2;
}

/** All arrays of a safetensors file, or those with the given names, in memory. */
export function readSafetensors(path: string, names?: readonly string[]): Record<string, NDArray> {
  const arrays = safetensorsArrays(path, names);
  return Object.fromEntries(Object.entries(arrays).map(([name, array]) => [name, readStored(array)]));
}

/**
 * A data set with one element per row of the arrays of a safetensors file (default: all of them), which need equally many rows.
 * Rows are read when they are asked for, in any order: the arrays may be larger than memory. NaN, infinities and values that
 * break `rules` end in a DataError with file, array and row.
 */
export function fromSafetensors<const N extends string = string>(
  path: string,
  names?: readonly N[],
  options?: { /** What the numbers of each array must be. */ readonly rules?: { readonly [K in N]?: ValueRules } },
): Dataset<Record<N, NDArray>> {
  const arrays = safetensorsArrays(path, names);
  const own = rulesOption(options, 'fromSafetensors', Object.keys(arrays));
  const columns = Object.entries(arrays).map(([name, array]) => [name, new StoredColumn(array, own[name])] as const);
  return arrayRows(`safetensors ${path} `, path, columns, Object.fromEntries(columns));
}
