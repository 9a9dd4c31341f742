import { statSync } from 'node:fs';
import { globSync } from 'tinyglobby';

import { DataError } from '../../errors.js';

/** One path or pattern, or a list of them. */
export type Paths = string | readonly string[];

/**
 * The files that paths and patterns mean, in the order given; the matches of one pattern sorted by name. A name that exists is
 * taken as it is, also with pattern characters in it; otherwise `*`, `?`, `**`, `{a,b}` and `[ab]` make it a pattern.
 * Throws a {@link DataError} for a file that does not exist and for a pattern that matches nothing.
 */
export function expandPaths(paths: Paths): string[] {
  const list = typeof paths === 'string' ? [paths] : paths;
  const files = list.flatMap((path) => {
    if (typeof path !== 'string' || path === '')
      throw new DataError(`A path of a data file is ${JSON.stringify(path)}; a text was expected.`);
    if (statSync(path, { throwIfNoEntry: false }) !== undefined) return [path];
    if (!/[*?[{]/.test(path)) throw new DataError(`${path} cannot be read: there is no such file (seen from ${process.cwd()}).`);
    const found = globSync(path.replaceAll('\\', '/'), { expandDirectories: false, onlyFiles: true }).sort();
    if (found.length === 0) throw new DataError(`No file matches the pattern ${path} (seen from ${process.cwd()}).`);
    return found;
  });
  if (files.length === 0) throw new DataError('The list of data files is empty; give at least one path.');
  return files;
}
