/** Initialising a fresh model from a checkpoint of another run. */
import { stat } from 'node:fs/promises';
import { Checkpoint, latestCheckpoint } from '../checkpoint/index.js';
import { CheckpointError } from '../errors.js';
import { notice } from '../notice.js';
import type { Model } from './model.js';

/**
 * Reads the model's variables from a checkpoint, or from the newest one of a directory. Every variable of the model must be
 * there; what else the checkpoint holds is ignored. A directory without a checkpoint changes nothing.
 * @throws CheckpointError when the checkpoint is missing, damaged or lacks a variable
 */
export async function initializeFromCheckpoint(from: string, model: Model): Promise<void> {
  const checkpoint = await findCheckpoint(from);
  if (checkpoint === null) {
    notice(`task.init_checkpoint: there is no checkpoint in ${from}; the model keeps its random weights.`);
    return;
  }
  const items = model.checkpointItems ?? { model };
  try {
    const result = await new Checkpoint(items).read(checkpoint);
    result.assertExistingObjectsMatched();
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    throw new CheckpointError(`task.init_checkpoint: ${error.message}`, { cause: error });
  }
}

async function findCheckpoint(from: string): Promise<string | null> {
  const latest = await latestCheckpoint(from);
  if (latest !== null) return latest;
  const isCheckpoint = await stat(`${from}/manifest.json`).then(
    () => true,
    () => false,
  );
  const isDirectory = await stat(from).then(
    (s) => s.isDirectory(),
    () => false,
  );
  return isDirectory && !isCheckpoint ? null : from;
}
