/** Loading the modules in which users register their experiments. */
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { existsSync } from 'node:fs';
import { importInWorkers } from '../data/index.js';
import { UsageError } from '../errors.js';
import { placeOf } from './report-error.js';

/**
 * Imports modules in order: paths (relative to the working directory) or names of packages.
 * @throws UsageError when one cannot be found or fails
 */
export async function importModules(specifiers: readonly string[]): Promise<void> {
  for (const specifier of specifiers) {
    const file = path.resolve(specifier);
    const isPath = /^(\.|\/|[A-Za-z]:)/.test(specifier) || existsSync(file);
    if (isPath && !existsSync(file)) throw new UsageError(`--import=${specifier}: there is no file ${file}.`);
    try {
      const address = isPath ? pathToFileURL(file).href : specifier;
      await import(address);
      importInWorkers(address);
    } catch (error) {
      const { code, message = String(error) } = error as NodeJS.ErrnoException;
      const hint =
        code === 'ERR_UNKNOWN_FILE_EXTENSION'
          ? ' Node runs JavaScript: compile the file first.'
          : code === 'ERR_MODULE_NOT_FOUND'
            ? ' Install what it imports, or correct the name.'
            : error instanceof ReferenceError && /^(\w+) is not defined/.test(message)
              ? ` Import it at the top of the file: import { ${message.split(' ')[0]} } from 'orbit-ts'.`
              : '';
      const place = error instanceof Error && code === undefined ? placeOf(error) : '';
      throw new UsageError(`--import=${specifier} failed: ${message.replace(/\.$/, '')}${place}.${hint}`, { cause: error });
    }
  }
}
