import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

import { DataError } from '../../errors.js';
import { cannotRead } from '../files/index.js';

/** The files of a folder with one sub-folder per class. */
export interface ClassFolder {
  /** Names of the classes, sorted; a label is the index. */
  readonly classes: readonly string[];
  /** Paths, sorted within each class. */
  readonly paths: readonly string[];
  /** Label of each path. */
  readonly labels: Int32Array;
}

/** Lists files with the given extensions (`.png`, …) in the sub-folders of `folder`, at any depth. Throws a {@link DataError} where there are none. */
export function listClassFolder(folder: string, extensions: readonly string[]): ClassFolder {
  const classes = entries(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const paths: string[] = [];
  const labels: number[] = [];
  classes.forEach((name, label) => {
    for (const path of filesBelow(join(folder, name), extensions)) {
      paths.push(path);
      labels.push(label);
    }
  });
  if (paths.length === 0) {
    throw new DataError(`${folder} has no sub-folders with files ${extensions.join(', ')}; one sub-folder per class was expected.`);
  }
  return { classes, paths, labels: Int32Array.from(labels) };
}

function filesBelow(folder: string, extensions: readonly string[]): string[] {
  return entries(folder)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return filesBelow(path, extensions);
      return extensions.includes(extname(entry.name).toLowerCase()) ? [path] : [];
    });
}

function entries(folder: string) {
  try {
    return readdirSync(folder, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  } catch (error) {
    throw cannotRead(folder, error);
  }
}
