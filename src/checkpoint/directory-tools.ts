/** Small operations on checkpoints without the objects that they hold. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import { attempt, removeDirectory } from './files.js';
import { readManifest, type CheckpointMetadata } from './manifest.js';
import { stateFileName } from './state-file.js';

/**
 * The global step of a checkpoint, read without restoring it.
 * @throws CheckpointError if it has none, is missing or damaged
 */
export async function readGlobalStep(checkpoint: string): Promise<number> {
  const { step } = await readManifest(checkpoint);
  if (step === null)
    throw new CheckpointError(`The checkpoint "${checkpoint}" has no global step: it was saved without an item named globalStep.`);
  return step;
}

/**
 * What the saver added to a checkpoint's manifest; undefined if nothing.
 * @throws CheckpointError if the checkpoint is missing or damaged
 */
export async function readMetadata(checkpoint: string): Promise<CheckpointMetadata | undefined> {
  return (await readManifest(checkpoint)).metadata;
}

/** Deletes the checkpoints `ckpt-*` and the state file of a directory; everything else stays. A missing directory is fine. */
export async function removeCheckpoints(directory: string): Promise<void> {
  const stateFile = path.join(directory, stateFileName);
  await attempt('delete', stateFile, () => rm(stateFile, { force: true })); // first: what is listed is always there
  for (const name of await readdir(directory).catch(() => [])) {
    if (name.startsWith('ckpt-')) await removeDirectory(path.join(directory, name));
  }
}
