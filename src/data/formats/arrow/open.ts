/** Opens Arrow files. Not in a file whose types users see: they would need those of the optional package. */
import type { DataType, Vector } from 'apache-arrow';

import { decodedBytes, knownColumns, rulesOf, type ColumnFile, type Columns, type ColumnType, type FileColumn } from '../table/index.js';
import { arrowMessages } from './messages.js';

/** About how much larger compressed record batches are in memory. */
const COMPRESSION = 3;

/** An Arrow file or stream: its columns and number of records, and its record batches with some of the columns. */
export function openArrow(path: string): { columns: FileColumn[]; records: number; select(asked: Columns | undefined): ColumnFile } {
  const { schema, batches, read } = arrowMessages(path);
  const own = schema.fields.map(({ name, type }) => ({ name, type: typeOf(type), stored: String(type) }));
  const lists = new Set(schema.fields.flatMap(({ name, type }) => (/List/.test(String(type)) ? [name] : [])));
  return {
    columns: own,
    records: batches.reduce((sum, { rows }) => sum + rows, 0),
    select: (asked) => {
      const columns = knownColumns(path, own, asked);
      const names = Object.keys(columns);
      const varied = names.some((name) => lists.has(name) || rulesOf(columns[name]!).dtype === 'string');
      return {
        path,
        columns,
        groups: batches.map(({ rows, begin, end, compressed }) => {
          const numbers = names.reduce((sum, name) => sum + decodedBytes(columns, name, rows, 0), 0);
          return { rows, bytes: numbers + (varied ? (end - begin) * (compressed ? COMPRESSION : 1) : 0) };
        }),
        read: async (group) => {
          const batch = await read(batches[group]!);
          return Object.fromEntries(names.map((name) => [name, valuesOf(batch.getChild(name)!)]));
        },
      };
    },
  };
}

function typeOf(type: DataType): ColumnType | undefined {
  const name = String(type);
  if (name === 'Bool') return 'bool';
  if (name.startsWith('Decimal')) return 'float64';
  if (/^Float/.test(name)) return 'float32';
  if (/^U?[Ii]nt\d/.test(name)) return 'int32';
  if (/^(Dictionary<.*)?(Large)?Utf8/.test(name)) return 'string';
  const inner = /^(?:(?:Large|FixedSize)?List(?:\[\d+\])?<)+(Float|U?[Ii]nt)\d+>+$/.exec(name)?.[1];
  return inner === undefined ? undefined : inner === 'Float' ? 'float32' : 'int32';
}

function valuesOf(vector: Vector): ArrayLike<unknown> {
  if (vector.nullCount === 0 && /^(Int|Uint|Float)(8|32|64)/.test(String(vector.type))) return vector.toArray() as ArrayLike<unknown>;
  const { scale } = vector.type as { scale?: number };
  return Array.from({ length: vector.length }, (_, i) => {
    const value: unknown = vector.get(i);
    if (value instanceof Uint32Array && scale !== undefined) return decimal(value, scale);
    return isVector(value) ? listOf(value) : value;
  });
}

/** The number nearest to a decimal: a whole number in words of 32 bits, the lowest first, divided by a power of ten. */
function decimal(words: Uint32Array, scale: number): number {
  const unscaled = BigInt.asIntN(
    32 * words.length,
    words.reduceRight((number, word) => (number << 32n) | BigInt(word), 0n),
  );
  return Number(`${unscaled}e${-scale}`);
}

function listOf(vector: Iterable<unknown>): unknown[] {
  return Array.from(vector, (value) => (isVector(value) ? listOf(value) : value));
}

function isVector(value: unknown): value is Iterable<unknown> {
  return typeof value === 'object' && value !== null && Symbol.iterator in value;
}
