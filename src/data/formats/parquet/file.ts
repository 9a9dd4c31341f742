import { statSync } from 'node:fs';
import type { AsyncBuffer, FileMetaData, ParquetParsers, ParquetScan, SchemaTree } from 'hyparquet';

import { DataError } from '../../../errors.js';
import { cannotRead, firstBytesSync, otherFormat, required, SIGNATURE_BYTES, utf8Text } from '../../files/index.js';
import type { ColumnType, FileColumn } from '../table/index.js';

/** A Parquet file whose footer is read. */
export interface ParquetFile {
  readonly path: string;
  readonly columns: readonly FileColumn[];
  /** Records of each row group. */
  readonly groups: readonly number[];
  /** Bytes of a column's values in a row group, encoded but not compressed. */
  bytes(column: string, group: number): number;
  /** The values of a column in a row group. */
  read(column: string, group: number): Promise<ArrayLike<unknown>>;
}

/** Bytes after the metadata: their length, and the format's name. */
const TAIL_BYTES = 8;

/** Reads the footer of a Parquet file. Throws a {@link DataError} where the file is missing, damaged or of another format. */
export function openParquet(path: string): ParquetFile {
  const head = firstBytesSync(path, SIGNATURE_BYTES);
  const magic = Buffer.from(head.subarray(0, 4)).toString('latin1');
  if (magic === 'PARE') throw new DataError(`${path} is an encrypted Parquet file, which cannot be read.`);
  if (magic !== 'PAR1')
    throw new DataError(`${path} is not a Parquet file: it begins with ${JSON.stringify(magic)}, expected "PAR1".${otherFormat(head)}`);
  const { asyncBufferFromFile, parquetMetadata, parquetScan, parquetSchema } = required<typeof import('hyparquet')>('hyparquet');
  let metadata: FileMetaData;
  try {
    metadata = parquetMetadata(footer(path));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw cannotRead(path, error);
    throw new DataError(
      `${path} is truncated or damaged: its footer cannot be read (${(error as Error).message}). Download or copy it again.`,
      { cause: error },
    );
  }
  const groups = metadata.row_groups.map((group) => Number(group.num_rows));
  const starts = groups.map((_, i) => groups.slice(0, i).reduce((sum, rows) => sum + rows, 0));
  let scan: Promise<ParquetScan> | undefined;
  const scanned = async (): Promise<ParquetScan> => {
    const file: AsyncBuffer = await asyncBufferFromFile(path);
    const { compressors } = await import('hyparquet-compressors');
    return parquetScan({ file, metadata, compressors, parsers });
  };
  const schema = parquetSchema(metadata);
  const scales = new Map(schema.children.map(({ element }) => [element.name, isDecimal(element) ? (element.scale ?? 0) : undefined]));
  return {
    path,
    groups,
    columns: schema.children.map((node) => ({ name: node.element.name, ...typeOf(node) })),
    bytes: (column, group) => {
      const parts = metadata.row_groups[group]!.columns.filter(({ meta_data: part }) => part?.path_in_schema[0] === column);
      return parts.reduce((sum, { meta_data: part }) => sum + Number(part!.total_uncompressed_size), 0);
    },
    read: async (column, group) => {
      try {
        const rows = { rowStart: starts[group]!, rowEnd: starts[group]! + groups[group]! };
        const values = await (await (scan ??= scanned())).readColumn({ column, ...rows });
        const scale = scales.get(column);
        return scale === undefined ? values : Array.from(values as ArrayLike<unknown>, (value) => nearest(value, scale));
      } catch (error) {
        throw new DataError(
          `${path}, column ${column}: row group ${group} (from record ${starts[group]! + 1}) cannot be read: ${(error as Error).message}.`,
          { cause: error },
        );
      }
    },
  };
}

/** What values become: texts that are no UTF-8 stay bytes, times are milliseconds since 1970, with all their digits. */
const parsers: Partial<ParquetParsers> = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && (utf8Text(bytes) ?? bytes),
  timestampFromMilliseconds: milliseconds,
  timestampFromMicroseconds: (time: bigint | null | undefined) => milliseconds(time, 1000),
  timestampFromNanoseconds: (time: bigint | null | undefined) => milliseconds(time, 1_000_000),
  dateFromDays: (days: number | null | undefined) => (typeof days === 'number' ? days * 86_400_000 : days),
};

function milliseconds(time: bigint | number | null | undefined, parts = 1): number | null | undefined {
  return time === null || time === undefined ? time : Number(time) / parts;
}

function isDecimal({ converted_type: converted, logical_type: logical }: SchemaTree['element']): boolean {
  return converted === 'DECIMAL' || logical?.type === 'DECIMAL';
}

/** The number nearest to a decimal: the library multiplies by 0.1, 0.01, …, which is off in the last place. */
function nearest(value: unknown, scale: number): unknown {
  if (typeof value !== 'number') return value;
  const unscaled = Math.round(value * 10 ** scale);
  return Number.isSafeInteger(unscaled) && scale <= 22 ? unscaled / 10 ** scale : value;
}

function footer(path: string): Uint8Array {
  const { size } = statSync(path);
  const tail = firstBytesSync(path, TAIL_BYTES, Math.max(0, size - TAIL_BYTES));
  if (tail.length < TAIL_BYTES) throw new Error('it has only a few bytes');
  const length = new DataView(tail.buffer, tail.byteOffset).getUint32(0, true) + TAIL_BYTES;
  return firstBytesSync(path, Math.min(length, size), Math.max(0, size - length));
}

function typeOf(node: SchemaTree): { type: ColumnType | undefined; stored: string } {
  const { type, converted_type: converted, logical_type: logical } = node.element;
  if (type === undefined) {
    if (converted === 'LIST' || logical?.type === 'LIST') {
      let leaf = node;
      while (leaf.children.length === 1) leaf = leaf.children[0]!;
      const inner = typeOf(leaf);
      return { type: inner.type === 'string' || leaf.children.length > 0 ? undefined : inner.type, stored: `list of ${inner.stored}` };
    }
    return { type: undefined, stored: converted ?? 'a group of columns' };
  }
  const special = logical?.type ?? converted;
  const stored = special === undefined ? type : `${type} (${special})`;
  if (special === 'STRING' || special === 'UTF8' || special === 'ENUM' || (type === 'BYTE_ARRAY' && special === undefined))
    return { type: 'string', stored };
  if (isDecimal(node.element)) return { type: 'float64', stored };
  if (special === 'FLOAT16') return { type: 'float32', stored };
  if (special !== undefined && !/^U?INT/.test(special)) return { type: undefined, stored };
  if (type === 'BOOLEAN') return { type: 'bool', stored };
  if (type === 'INT32' || type === 'INT64') return { type: 'int32', stored };
  return { type: type === 'FLOAT' || type === 'DOUBLE' ? 'float32' : undefined, stored };
}
