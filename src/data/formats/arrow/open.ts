/** Opens Arrow files. Not in a file whose types users see: they would need those of the optional package. */
import { open } from 'node:fs/promises';
import type { DataType, RecordBatchReader } from 'apache-arrow';
import { DataError } from '../../../errors.js';
import { cannotRead, firstBytes, optionalPackage } from '../../files/index.js';
import type { ColumnType, FileColumn } from '../table/index.js';

/** Opens an Arrow file or stream; the caller cancels the reader. */
export async function openArrow(path: string): Promise<{ reader: RecordBatchReader; columns: FileColumn[] }> {
  await firstBytes(path, 1); // says in our words when the file is missing
  const { RecordBatchReader: Reader } = await optionalPackage(() => import('apache-arrow'), 'apache-arrow', `Reading ${path}`);
  let reader: RecordBatchReader | undefined;
  try {
    reader = await Reader.from(await open(path)); // a handle: with it a file's record batches can be read in any order
    await reader.open();
    if (reader.schema === undefined) throw new Error('it has no schema');
    return { reader, columns: reader.schema.fields.map(({ name, type }) => ({ name, type: typeOf(type), stored: String(type) })) };
  } catch (error) {
    await reader?.cancel();
    throw notArrow(path, error);
  }
}

/** The error of a file that cannot be read as Arrow. */
export function notArrow(path: string, error: unknown): DataError {
  if ((error as NodeJS.ErrnoException).code !== undefined) return cannotRead(path, error);
  return new DataError(`${path} is not an Arrow file, or it is truncated, damaged or compressed (${(error as Error).message}).`, {
    cause: error,
  });
}

function typeOf(type: DataType): ColumnType | undefined {
  const name = String(type);
  if (name === 'Bool') return 'bool';
  if (/^Float/.test(name)) return 'float32';
  if (/^U?[Ii]nt\d/.test(name)) return 'int32';
  if (/Utf8/.test(name)) return 'string';
  const inner = /^(?:Fixed(?:Size)?List|List).*?<(.*)>/.exec(name)?.[1];
  return inner !== undefined && /Float|Int/.test(inner) ? (/Float/.test(inner) ? 'float32' : 'int32') : undefined;
}
