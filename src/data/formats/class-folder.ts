import { readdirSync } from 'node:fs';
import { extname, join } from 'node:path';

import { DataError, UsageError } from '../../errors.js';
import { cannotRead } from '../files/index.js';

/** The files of a folder with one sub-folder per class. */
export interface ClassFolder {
  /** Names of the classes; a label is the index. */
  readonly classes: readonly string[];
  /** Paths, sorted within each class. */
  readonly paths: readonly string[];
  /** Label of each path. */
  readonly labels: Int32Array;
}

/** Which labels the sub-folders of a folder of classes have. */
export interface ClassOptions {
  /**
   * Names of the classes in the order of their labels; a sub-folder that is none of them is a DataError, and a class may have no
   * files. Default: the sub-folders by name. Name them where several folders (training, validation) must have the same labels.
   */
  readonly classes?: readonly string[];
}

/**
 * Lists files with the given extensions (`.png`, …) in the sub-folders of `folder`, at any depth. Throws a {@link DataError} where
 * there are none, or a sub-folder with files is none of `classes`.
 */
export function listClassFolder(folder: string, extensions: readonly string[], given?: readonly string[]): ClassFolder {
  if (given !== undefined && (given.length === 0 || new Set(given).size !== given.length))
    throw new UsageError(`classes is [${given.join(', ')}]; at least one name, each once, was expected.`);
  const found = entries(folder)
    .filter((entry) => entry.isDirectory())
    .map((entry) => entry.name)
    .sort();
  const classes = given ?? found;
  const files = new Map(found.map((name) => [name, filesBelow(join(folder, name), extensions)]));
  const unknown = found.find((name) => !classes.includes(name) && files.get(name)!.length > 0);
  if (unknown !== undefined) {
    const known = classes.length > 20 ? `${classes.slice(0, 20).join(', ')}, …` : classes.join(', ');
    throw new DataError(`${folder} has a sub-folder ${unknown}, which is none of the ${classes.length} classes ${known}.`);
  }
  const labelled = classes.flatMap((name, label) => (files.get(name) ?? []).map((path) => [path, label] as const));
  if (labelled.length === 0) {
    throw new DataError(`${folder} has no sub-folders with files ${extensions.join(', ')}; one sub-folder per class was expected.`);
  }
  return { classes, paths: labelled.map(([path]) => path), labels: Int32Array.from(labelled, ([, label]) => label) };
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
