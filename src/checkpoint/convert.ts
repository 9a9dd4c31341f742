/** Weights from one kind of file to another. */
import { rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { UsageError } from '../errors.js';
import { manifestName, readManifest } from './manifest.js';
import { readSafetensors } from './safetensors.js';
import { writeSafetensors } from './write-safetensors.js';
import type { StateTensor } from './state.js';
import { readNpzWeights, writeNpzWeights } from './npz-weights.js';
import { readTfjsWeights, writeTfjsWeights } from './tfjs-weights.js';
import { latestCheckpoint } from './watch.js';
import { modelFile, stateFile, writeSnapshot } from './write-snapshot.js';

const kinds = 'a checkpoint (a directory), .safetensors, .npz (NumPy) or .json (weights of tfjs)';

/**
 * Reads the weights of a checkpoint (those in its `model.safetensors`), of the newest one in a directory, or of a `.safetensors`,
 * `.npz` or tfjs `.json` file.
 * @throws CheckpointError if they cannot be read, UsageError for another kind of file
 */
export async function readWeights(source: string): Promise<Map<string, StateTensor>> {
  const extension = path.extname(source).toLowerCase();
  if (extension === '.safetensors') return readSafetensors(source);
  if (extension === '.json') return readTfjsWeights(source);
  if (extension === '.npz') return readNpzWeights(source);
  const isFile = await stat(source).then((s) => s.isFile(), () => false); // prettier-ignore
  if (isFile) throw new UsageError(`"${source}" is of an unknown kind. Known: ${kinds}.`);
  const isCheckpoint = await stat(path.join(source, manifestName)).then(() => true, () => false); // prettier-ignore
  const checkpoint = isCheckpoint ? source : ((await latestCheckpoint(source)) ?? source);
  await readManifest(checkpoint); // says what is wrong with it
  return readSafetensors(path.join(checkpoint, modelFile));
}

/**
 * Writes weights to a `.safetensors`, `.npz` or tfjs `.json` file, or as a checkpoint whose item `model` they are.
 * @param target must not exist
 * @throws CheckpointError if it cannot be written, UsageError if it exists or is of another kind
 */
export async function writeWeights(target: string, tensors: ReadonlyMap<string, StateTensor>): Promise<void> {
  const isThere = await stat(target).then(() => true, () => false); // prettier-ignore
  if (isThere) throw new UsageError(`"${target}" is there already; nothing is overwritten. Delete it or choose another name.`);
  const extension = path.extname(target).toLowerCase();
  const write = writers[extension];
  if (write !== undefined) {
    try {
      await write(target, tensors);
    } catch (error) {
      await rm(target, { force: true }).catch(() => {}); // half a file is worse than none
      throw error;
    }
  } else if (extension === '' || /-\d+$/.test(target)) await writeAsCheckpoint(target, tensors);
  else throw new UsageError(`"${target}": files of kind "${extension}" cannot be written. Known: ${kinds}.`);
}

const writers: Readonly<Record<string, (file: string, tensors: ReadonlyMap<string, StateTensor>) => Promise<unknown>>> = {
  '.safetensors': writeSafetensors,
  '.json': writeTfjsWeights,
  '.npz': writeNpzWeights,
};

async function writeAsCheckpoint(target: string, tensors: ReadonlyMap<string, StateTensor>): Promise<void> {
  const model = Object.fromEntries([...tensors.keys()].map((name) => [name, { $tensor: [modelFile, name] }]));
  await writeSnapshot({ step: null, saveCounter: 1, items: { model }, tensors: { [modelFile]: tensors, [stateFile]: new Map() } }, target);
}
