/** Writes a module to a directory, all or nothing. */
import { readdir, stat } from 'node:fs/promises';
import path from 'node:path';
import type * as tf from '#tf';
import { Checkpoint, commitDirectory, latestCheckpoint, removeLeftovers, writeNewFile, writeSafetensors } from '../checkpoint/index.js';
import type { StateTensor } from '../checkpoint/index.js';
import { CheckpointError, UsageError } from '../errors.js';
import { variablePaths } from '../tf/object-paths.js';
import type { ExportModule } from './export-module.js';
import { exportManifestName, type ExportManifest } from './manifest.js';
import { toServedModel } from './serving-function.js';
import { getTimestampedExportDir } from './timestamped-directory.js';

/** Name of the signature of a function that is exported alone. */
const DEFAULT_SIGNATURE = 'serving_default';
const WEIGHTS = 'model.safetensors';
/** What a file of protocol buffers can hold, less some room for the graph. */
const LARGEST_MODEL = 2 ** 31 - 2 ** 20;

/** What to export, and where to. */
export interface ExportModelOptions {
  /** The model and its functions. */
  module: ExportModule;
  /** Where to; with `timestamped` a directory below it. */
  directory: string;
  /** The one function to export, as a list of its key; or several with the names of their signatures. Default `['serve']`, as `serving_default`. */
  functionKeys?: readonly string[] | Readonly<Record<string, string>> | null;
  /** A checkpoint, or a directory whose newest is taken, that is read into the model first. Default: the model as it is. */
  checkpointPath?: string | null;
  /** What the checkpoint is read into. Default: the item `model` into the module's model. */
  checkpoint?: Checkpoint | null;
  /** Write to a new sub-directory named by the time in seconds. Default true. False replaces an earlier export in `directory`. */
  timestamped?: boolean;
}

/**
 * Exports the functions of a module as ONNX models with the weights inside (`<signature>.onnx`), the weights alone
 * (`model.safetensors`), and a description (`export.json`). The directory appears when it is complete.
 *
 * @returns the directory
 * @throws UsageError for wrong function keys or a directory that holds something else; CheckpointError when the checkpoint is missing or
 *   does not fit, or a file cannot be written
 */
export async function exportModel(options: ExportModelOptions): Promise<string> {
  const { module, directory, checkpointPath = null, checkpoint = null, timestamped = true } = options;
  if (!directory) throw new UsageError('exportModel: directory is missing: exports go there.');
  const functions = module.getInferenceSignatures(signatureNames(options.functionKeys ?? ['serve']));
  if (!timestamped) await requireReplaceable(directory);
  const source = checkpointPath
    ? await restore(checkpointPath, checkpoint ?? new Checkpoint(module.model.checkpointItems ?? { model: module.model }))
    : null;
  const paths = variablePaths(module.model);
  const weights = new Map([...paths].map(([variable, name]) => [name, stateOf(variable as unknown as tf.Variable)]));
  const bytes = [...weights.values()].reduce((sum, { data }) => sum + data.byteLength, 0);
  if (bytes > LARGEST_MODEL)
    throw new UsageError(`The model's weights take ${(bytes / 2 ** 30).toFixed(1)} GiB; an ONNX file holds less than 2 GiB.`);
  const models = Object.entries(functions).map(
    ([signature, fn]) => [signature, toServedModel(fn, signature, paths as unknown as Map<tf.Variable, string>)] as const,
  );
  const manifest: ExportManifest = {
    version: 1,
    signatures: Object.fromEntries(models.map(([name, model]) => [name, model.signature])),
    weights: WEIGHTS,
    checkpoint: source,
  };
  const fill = async (target: string): Promise<void> => {
    for (const [, { onnx, signature }] of models) await writeNewFile(path.join(target, signature.file), (handle) => handle.writeFile(onnx));
    await writeSafetensors(path.join(target, WEIGHTS), weights);
    await writeNewFile(path.join(target, exportManifestName), (handle) => handle.writeFile(`${JSON.stringify(manifest, null, 2)}\n`));
  };
  return timestamped ? commitTimestamped(directory, fill) : commit(directory, fill, true);
}

async function commit(target: string, fill: (directory: string) => Promise<void>, replace: boolean): Promise<string> {
  await removeLeftovers(path.dirname(target));
  await commitDirectory(target, fill, { what: 'write the export', replace });
  return target;
}

/** Another process may take the same second: then the next one is taken. */
async function commitTimestamped(base: string, fill: (directory: string) => Promise<void>): Promise<string> {
  for (;;) {
    const target = await getTimestampedExportDir(base);
    try {
      return await commit(target, fill, false);
    } catch (error) {
      const { code } = (error as { cause?: NodeJS.ErrnoException }).cause ?? {};
      if (code !== 'ENOTEMPTY' && code !== 'EEXIST') throw error;
    }
  }
}

function signatureNames(keys: readonly string[] | Readonly<Record<string, string>>): Readonly<Record<string, string>> {
  if (!Array.isArray(keys)) return keys as Readonly<Record<string, string>>;
  if (keys.length === 1) return { [keys[0] as string]: DEFAULT_SIGNATURE };
  throw new UsageError(
    `functionKeys: a list names the one function to export, got ${keys.length}. Name the signatures of several: { serve: "${DEFAULT_SIGNATURE}", … }.`,
  );
}

/** Reads a checkpoint; returns its path. */
async function restore(from: string, checkpoint: Checkpoint): Promise<string> {
  const isCheckpoint = await stat(path.join(from, 'manifest.json')).then(() => true, () => false); // prettier-ignore
  const found = isCheckpoint ? from : await latestCheckpoint(from);
  if (found === null) throw new CheckpointError(`Export: there is no checkpoint in "${from}", so there are no trained weights to export.`);
  (await checkpoint.read(found)).assertExistingObjectsMatched();
  return found;
}

/** Only an earlier export is replaced. */
async function requireReplaceable(directory: string): Promise<void> {
  const names = await readdir(directory).catch(() => null);
  if (names === null || names.length === 0 || names.includes(exportManifestName)) return;
  throw new UsageError(`"${directory}" holds other files (${names.slice(0, 3).join(', ')}); export to a directory of its own.`);
}

function stateOf(variable: tf.Variable): StateTensor {
  return { dtype: variable.dtype as 'float32', shape: [...variable.shape], data: variable.dataSync() as Float32Array };
}
