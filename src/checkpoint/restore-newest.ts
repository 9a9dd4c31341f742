/** Restores the newest checkpoint that is not damaged. */
import { CheckpointError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import { DamagedCheckpointError } from './damaged.js';
import { exists } from './files.js';
import type { CheckpointLogger } from './logger.js';
import { findReplaced } from './replaced.js';

/**
 * Tries checkpoints one after another and resolves to the one that was restored; null if there are none to try. Damaged ones
 * are skipped, with a message once an older one has been restored.
 *
 * @param candidates paths, newest first.
 * @param directory where they are, for errors.
 * @throws CheckpointError if a checkpoint does not fit the objects, or if all are damaged.
 */
export async function restoreNewest(
  checkpoint: Pick<Checkpoint, 'restore'>,
  candidates: readonly string[],
  directory: string,
  logger: Pick<CheckpointLogger, 'warn'>,
): Promise<string | null> {
  const skipped: string[] = [];
  for (const candidate of candidates) {
    try {
      await checkpoint.restore(await placeOf(candidate));
    } catch (error) {
      if (!(error instanceof DamagedCheckpointError)) throw error;
      skipped.push(error.message);
      continue;
    }
    for (const reason of skipped) logger.warn(`Skipped a checkpoint: ${reason}`);
    return candidate;
  }
  if (skipped.length === 0) return null;
  throw new CheckpointError(
    `No checkpoint in "${directory}" can be restored:\n  ${skipped.join('\n  ')}\nTo start afresh, move the directory away or choose another one.`,
  );
}

/** A checkpoint that stepped aside for a successor that never came is read where it is; the next save puts it back. */
async function placeOf(candidate: string): Promise<string> {
  return (await exists(candidate)) ? candidate : ((await findReplaced(candidate)) ?? candidate);
}
