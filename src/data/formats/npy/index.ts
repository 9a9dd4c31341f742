import { statSync } from 'node:fs';

import { DataError, UsageError } from '../../../errors.js';
import { readerOptions } from '../../arguments.js';
import type { Dataset } from '../../dataset.js';
import { firstBytesSync, otherFormat } from '../../files/index.js';
import { shapeSize, type NDArray } from '../../ndarray.js';
import type { ColumnTree } from '../../sources/columns.js';
import { readStored, StoredColumn, type StoredArray } from '../../sources/stored-array.js';
import { describe, isRecord } from '../../structure.js';
import { checkRules, checkRulesByName, type ValueRules } from '../../value-rules.js';
import { arrayRows } from '../array-rows.js';
import { NPY_HEADER_BYTES, parseNpyHeader, rowMajor } from './header.js';

export { fromNpz, npzMembers, npzNames, readNpz } from './npz.js';

/** Where the array of a `.npy` file lies; only its header is read. Throws a {@link DataError} for a missing, damaged or truncated file. */
export function npyArray(path: string): StoredArray & { readonly fortran: boolean } {
  const head = firstBytesSync(path, NPY_HEADER_BYTES);
  const hint = otherFormat(head, 'fromNpy');
  if (hint !== '' && head[0] !== 0x93) throw new DataError(`${path} is not a .npy array.${hint}`);
  const header = parseNpyHeader(head, path);
  const { shape, dtype, valueBytes, headerBytes, fortran } = header;
  const expected = headerBytes + shapeSize(shape) * valueBytes;
  const actual = statSync(path).size;
  if (actual < expected)
    throw new DataError(
      `${path} is truncated: ${dtype}[${shape.join(', ')}] takes ${expected} bytes, but there are ${actual}. Copy it again.`,
    );
  return { path, shape, dtype, offset: headerBytes, valueBytes, fortran, decode: (...values) => header.decode(...values) };
}

/** A whole `.npy` array in memory. 64-bit integers become int32, half floats float32. */
export function readNpy(path: string): NDArray {
  const array = npyArray(path);
  const read = readStored(array);
  return array.fortran ? rowMajor(read) : read;
}

function checkPaths(paths: unknown): void {
  const each = typeof paths === 'string' ? [paths] : isRecord(paths) || Array.isArray(paths) ? Object.values(paths as object) : undefined;
  if (each === undefined)
    throw new UsageError(`fromNpy: ${describe(paths)} was given in place of a path, a list of them, or paths by name.`);
  const odd = each.filter((path) => typeof path !== 'string');
  if (odd.length > 0) throw new UsageError(`fromNpy: a path is ${describe(odd[0])}; a text was expected.`);
}

/** Rules for the arrays of {@link fromNpy}: in the nesting of its paths. */
export type NpyRules<P> = P extends string ? ValueRules : { readonly [K in keyof P]?: ValueRules };

/**
 * A data set with one element per row of `.npy` arrays: of one file, or of a tuple or record of files with equally many rows.
 * Rows are read from the files when they are asked for, in any order: the arrays may be larger than memory. NaN, infinities and
 * values that break `rules` end in a DataError with file and row.
 */
export function fromNpy<const P extends string | readonly string[] | Readonly<Record<string, string>>>(
  paths: P,
  options?: { /** What the numbers must be: `{ y: { min: 0, max: 9 } }`. */ readonly rules?: NpyRules<P> },
): Dataset<P extends string ? NDArray : { -readonly [K in keyof P]: NDArray }> {
  const column = (path: string, own: ValueRules = {}): StoredColumn => {
    const array = npyArray(path);
    if (array.fortran)
      throw new DataError(`${path} is stored column by column (Fortran order); load it with readNpy, or save numpy.ascontiguousarray(x).`);
    return new StoredColumn(array, own);
  };
  const { rules = {} } = readerOptions<{ rules?: unknown }>(options, 'fromNpy', { rules: 'value' });
  const inner = rules as Readonly<Record<string, ValueRules>>;
  checkPaths(paths);
  if (typeof paths === 'string') checkRules(paths, inner as ValueRules);
  else checkRulesByName(inner, Object.keys(paths));
  const columns: (readonly [string, StoredColumn])[] = [];
  const add = (path: string, own?: ValueRules): StoredColumn => {
    const made = column(path, own);
    columns.push([path, made]);
    return made;
  };
  const tree: ColumnTree =
    typeof paths === 'string'
      ? add(paths, rules as ValueRules | undefined)
      : Array.isArray(paths)
        ? (paths as readonly string[]).map((path, k) => add(path, inner[k]))
        : Object.fromEntries(
            Object.entries(paths as Readonly<Record<string, string>>).map(([name, path]) => [name, add(path, inner[name])]),
          );
  const files = columns.length === 0 ? 'The list of files' : columns.map(([path]) => path).join(', ');
  return arrayRows(`npy ${JSON.stringify(paths)} `, files, columns, tree);
}
