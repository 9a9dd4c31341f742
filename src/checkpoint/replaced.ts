/** Checkpoints that stepped aside for a new one of the same name, found after a crash in that moment. */
import { readdir, rename } from 'node:fs/promises';
import path from 'node:path';
import { attempt, exists, removeDirectory } from './files.js';
import type { CheckpointLogger } from './logger.js';

/** Where a checkpoint is that stepped aside and has no successor; null if there is none such. */
export async function findReplaced(checkpoint: string): Promise<string | null> {
  const [directory, prefix] = [path.dirname(checkpoint), `${path.basename(checkpoint)}.replaced-`];
  const names = (await readdir(directory).catch(() => [])).filter((name) => name.startsWith(prefix)).sort();
  return names.length === 0 ? null : path.join(directory, names.at(-1)!);
}

/** Deletes `<name>-<number>.replaced-<time>` where the new `<name>-<number>` is there, and puts it back where it is not. */
export async function recoverReplaced(directory: string, logger: CheckpointLogger): Promise<void> {
  const names = (await readdir(directory).catch(() => [])).sort().reverse(); // of several, the last replaced goes back
  for (const name of names) {
    const target = /^(.+-\d+)\.replaced-\d+$/.exec(name)?.[1];
    if (target === undefined) continue;
    const aside = path.join(directory, name);
    if (await exists(path.join(directory, target))) {
      await removeDirectory(aside);
    } else {
      await attempt('rename', aside, () => rename(aside, path.join(directory, target)));
      logger.info(`Put "${target}" back: a process that is gone was replacing it.`);
    }
  }
}
