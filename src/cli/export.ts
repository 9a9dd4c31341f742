/** `orbit export`: the model of a run as an ONNX file, or its weights. */
import { existsSync } from 'node:fs';
import { mkdtemp, rename, rm, stat } from 'node:fs/promises';
import path from 'node:path';
import { latestCheckpoint, readManifest } from '../checkpoint/index.js';
import { CheckpointError, UsageError } from '../errors.js';
import type { ExperimentConfig, Model, MultiTaskConfig, MultiTaskModel, Task } from '../experiment/index.js';
import { convertWeights } from './checkpoint.js';
import { loadExperiment } from './experiment-flags.js';
import type { ExperimentFlags } from './experiment-flags.js';

/** Flags of `orbit export`. */
export interface ExportFlags extends ExperimentFlags {
  /** Directory of the run, or a checkpoint. */
  model_dir?: string;
  /** Directory, or a file whose ending says what is written. */
  out?: string;
  /** Examples in a batch. */
  batch_size: number;
  /** Which task's model, where several were trained. */
  task?: string;
}

const WEIGHTS = ['.safetensors', '.json'];

/** Exports; resolves to the exit status. */
export async function exportRun(flags: ExportFlags): Promise<number> {
  const { out, batch_size: batchSize } = flags;
  if (!flags.experiment) throw new UsageError('The flag --experiment=NAME is missing. `orbit experiments` lists the names.');
  if (!flags.model_dir) throw new UsageError('The flag --model_dir=DIR is missing: the directory of a run, or one of its checkpoints.');
  if (!out) throw new UsageError('The flag --out=PATH is missing: a directory, or a file that ends in .onnx, .safetensors or .json.');
  if (!Number.isInteger(batchSize) || batchSize < 1)
    throw new UsageError(`--batch_size=${batchSize}: write the number of examples in a batch, from 1.`);
  const checkpoint = await checkpointOf(flags.model_dir);
  if (WEIGHTS.includes(path.extname(out))) return convertWeights(checkpoint, out);

  const saved = savedParams(flags.model_dir);
  const params = await loadExperiment({ ...flags, config_file: [...saved, ...(flags.config_file ?? [])] }, true);
  const { task, model, whole } = await modelOf(params, checkpoint, flags.task ?? null);
  const { ExportModule, exportModel } = await import('../export/index.js');
  const { Checkpoint } = await import('../checkpoint/index.js');
  const module = new ExportModule({ model, task, batchSize, params });
  const write = (directory: string): Promise<string> =>
    exportModel({
      ...{ module, directory, checkpointPath: checkpoint, timestamped: false },
      checkpoint: new Checkpoint({ model: whole, ...(whole as Partial<Model>).checkpointItems }),
    });
  await (path.extname(out) === '.onnx' ? writeFileOf(out, write) : write(out));
  const from = saved.length > 0 ? ` with the parameters of ${saved[0]}` : '';
  process.stdout.write(`Wrote ${checkpoint}${from} to ${out}.\n`);
  return 0;
}

/** A checkpoint as given, else the newest of the directory. */
async function checkpointOf(where: string): Promise<string> {
  if (existsSync(path.join(where, 'manifest.json'))) return where;
  const isDirectory = await stat(where).then((s) => s.isDirectory(), () => false); // prettier-ignore
  const newest = isDirectory ? await latestCheckpoint(where) : null;
  if (newest !== null) return newest;
  throw new CheckpointError(`There is no checkpoint in "${where}", so there is nothing to export.`);
}

/** The parameters that a run left in its directory, above that of a checkpoint or of best checkpoints; none where it left none. */
function savedParams(where: string): string[] {
  const near = [where, path.dirname(path.resolve(where)), path.dirname(path.dirname(path.resolve(where)))];
  const found = near.map((directory) => path.join(directory, 'params.yaml')).find((file) => existsSync(file));
  return found === undefined ? [] : [found];
}

/** What is exported, and the model that the checkpoint holds. */
interface Exported {
  readonly task: Task;
  readonly model: Model;
  readonly whole: Model | MultiTaskModel;
}

async function modelOf(params: ExperimentConfig, checkpoint: string, name: string | null): Promise<Exported> {
  const { applyRuntime } = await import('../experiment/apply-runtime.js');
  const { getMultiTask, getTask, isProgressive, Stages } = await import('../experiment/index.js');
  applyRuntime(params.runtime);
  if ('task_routines' in params.task) {
    const config = params.task as unknown as MultiTaskConfig;
    const multiTask = getMultiTask(config);
    const task = name === null ? undefined : multiTask.tasks[name];
    if (task === undefined)
      throw new UsageError(
        `${name === null ? 'The experiment trains several tasks' : `There is no task "${name}"`}: choose the one to export with --task=${Object.keys(multiTask.tasks).join(' or --task=')}.`,
      );
    const { modelOfTask, requireMultiTaskModel } = await import('../experiment/multitask/model.js');
    const whole = requireMultiTaskModel(multiTask.buildModel(config), `${multiTask.name}.buildModel`);
    return { task, model: modelOfTask(whole, name!), whole };
  }
  if (name !== null) throw new UsageError('--task belongs to experiments that train several tasks; this one trains one.');
  const task = getTask(params.task);
  if (!isProgressive(params)) {
    const model = task.buildModel();
    return { task, model, whole: model };
  }
  const policy: typeof import('../experiment/progressive/policy.js') = await import('../experiment/progressive/policy.js');
  policy.requireProgressive(task);
  const { step, items } = await readManifest(checkpoint);
  const saved = (items['stage'] as { stage_id?: unknown } | undefined)?.stage_id;
  const model = task.getModel(typeof saved === 'number' ? saved : new Stages(task).stageOf(step ?? 0), null);
  return { task, model, whole: model };
}

/** The one model of an export as a file of its own, in place when it is complete. */
async function writeFileOf(file: string, write: (directory: string) => Promise<string>): Promise<void> {
  const folder = path.dirname(path.resolve(file));
  const { makeDirectory } = await import('../experiment/run-files.js');
  makeDirectory(folder);
  const beside = await mkdtemp(path.join(folder, '.orbit-export-')).catch((error: unknown) => {
    throw new UsageError(`--out=${file}: nothing can be written to ${folder} (${(error as NodeJS.ErrnoException).code}).`, {
      cause: error,
    });
  });
  try {
    const directory = await write(path.join(beside, 'export'));
    await rename(path.join(directory, 'serving_default.onnx'), file);
  } finally {
    await rm(beside, { recursive: true, force: true });
  }
}
