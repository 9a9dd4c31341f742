import type { AsyncBuffer, FileMetaData, ParquetScan, SchemaTree } from 'hyparquet';

import { DataError } from '../../../errors.js';
import { cannotRead, firstBytes } from '../../files/index.js';
import type { ColumnType, FileColumn } from '../table/index.js';

/** A Parquet file whose footer is read. */
export interface ParquetFile {
  readonly path: string;
  readonly columns: readonly FileColumn[];
  /** Records of each row group. */
  readonly groups: readonly number[];
  /** The values of a column in a row group. */
  read(column: string, group: number): Promise<ArrayLike<unknown>>;
}

/** Reads the footer of a Parquet file. Throws a {@link DataError} where the file is missing, damaged or of another format. */
export async function openParquet(path: string): Promise<ParquetFile> {
  const magic = Buffer.from(await firstBytes(path, 4)).toString('latin1');
  if (magic !== 'PAR1') throw new DataError(`${path} is not a Parquet file: it begins with ${JSON.stringify(magic)}, expected "PAR1".`);
  const { asyncBufferFromFile, parquetMetadataAsync, parquetScan, parquetSchema } = await import('hyparquet');
  const { compressors } = await import('hyparquet-compressors');
  let file: AsyncBuffer;
  let metadata: FileMetaData;
  let scan: ParquetScan;
  try {
    file = await asyncBufferFromFile(path);
    metadata = await parquetMetadataAsync(file);
    scan = await parquetScan({ file, metadata, compressors });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== undefined) throw cannotRead(path, error);
    throw new DataError(
      `${path} is truncated or damaged: its footer cannot be read (${(error as Error).message}). Download or copy it again.`,
      { cause: error },
    );
  }
  const groups = metadata.row_groups.map((group) => Number(group.num_rows));
  const starts = groups.map((_, i) => groups.slice(0, i).reduce((sum, rows) => sum + rows, 0));
  return {
    path,
    groups,
    columns: parquetSchema(metadata).children.map((node) => ({ name: node.element.name, ...typeOf(node) })),
    read: async (column, group) => {
      try {
        return await scan.readColumn({ column, rowStart: starts[group]!, rowEnd: starts[group]! + groups[group]! });
      } catch (error) {
        throw new DataError(
          `${path}, column ${column}: row group ${group} (from record ${starts[group]! + 1}) cannot be read: ${(error as Error).message}.`,
          { cause: error },
        );
      }
    },
  };
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
  if (special !== undefined && !/^U?INT/.test(special)) return { type: undefined, stored };
  if (type === 'BOOLEAN') return { type: 'bool', stored };
  if (type === 'INT32' || type === 'INT64') return { type: 'int32', stored };
  return { type: type === 'FLOAT' || type === 'DOUBLE' ? 'float32' : undefined, stored };
}
