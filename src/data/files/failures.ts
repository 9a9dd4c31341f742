import { openSync } from 'node:fs';
import { DataError } from '../../errors.js';

/** The error of a file that could not be opened, read or decompressed; the project's own errors pass unchanged. */
export function cannotRead(path: string, error: unknown): DataError {
  if (error instanceof DataError) return error;
  const { code, message } = error as NodeJS.ErrnoException;
  return new DataError(`${path} cannot be read: ${reasons[code ?? ''] ?? message ?? String(error)}.`, { cause: error });
}

/** Opens a file for reading; what stands against it ends in {@link cannotRead}. */
export function openToRead(path: string): number {
  try {
    return openSync(path, 'r');
  } catch (error) {
    throw cannotRead(path, error);
  }
}

const reasons: Readonly<Record<string, string>> = {
  ENOENT: 'there is no such file',
  EISDIR: 'it is a directory',
  EACCES: 'permission denied',
  ENOTDIR: 'a directory was expected',
};

/** The error of a compressed file whose contents cannot be decompressed. */
export function cannotDecompress(path: string, format: string, error: unknown): DataError {
  const { code, message } = error as NodeJS.ErrnoException;
  const truncated = code === 'Z_BUF_ERROR' || /unexpected (eof|end)/i.test(message);
  const state = truncated
    ? `is truncated: its ${format} data end too early`
    : `cannot be decompressed: it is no ${format} file, or damaged (${message})`;
  return new DataError(`${path} ${state}. Download or copy it again.`, { cause: error });
}

/**
 * An optional package; where it is not installed, an error with the command that installs it. The name is a value, so that bundlers
 * leave the import alone.
 */
export async function optionalPackage<T>(name: string, purpose: string): Promise<T> {
  try {
    return (await import(name)) as T;
  } catch (error) {
    throw new DataError(`${purpose} needs the package ${name}, which cannot be loaded. Run \`npm install ${name}\`.`, { cause: error });
  }
}
