/** Loads weights of other runs, models and libraries: part of them, under other names, in other layouts. */
import { stat } from 'node:fs/promises';
import path from 'node:path';
import { CheckpointError, UsageError } from '../errors.js';
import { variablePaths, type VariableLike } from '../tf/object-paths.js';
import { describeTensor } from './dtypes.js';
import { castTensor } from './layout.js';
import { manifestName, readManifest } from './manifest.js';
import { SafetensorsFile } from './safetensors.js';
import type { TensorInfo } from './safetensors-header.js';
import type { StateTensor } from './state.js';
import { assignVariable } from './tf-variables.js';
import { latestCheckpoint } from './watch.js';
import { modelFile } from './write-snapshot.js';

/** Which weights to load, from where in the source, and how. */
export interface LoadWeightsOptions {
  /** Variables to load, by object path such as `encoder/dense_0/kernel`: those that one of the patterns matches. Default: all. */
  include?: RegExp | readonly RegExp[];
  /** Variables to leave as they are, even if included. Default: none. */
  exclude?: RegExp | readonly RegExp[];
  /** Name in the source of a variable: replacements made one after the other, or a function. Default: the same name. */
  rename?: readonly (readonly [RegExp | string, string])[] | ((path: string) => string);
  /** Changes a tensor before it is compared with its variable, for example {@link transposeTensor}. Default: as it is. */
  convert?: (tensor: StateTensor, path: string) => StateTensor;
  /** Turns float16, bfloat16 and float64 into float32 where the variable is float32. Default false: a mismatch. */
  cast?: boolean;
  /** `error` (default) if a variable to load is not in the source; `keep` leaves it as it is. */
  missing?: 'error' | 'keep';
}

/** What was loaded. */
export interface LoadedWeights {
  /** Object paths of the variables that were loaded. */
  readonly loaded: readonly string[];
  /** Object paths of the variables that stay as they were: not included, or missing in the source. */
  readonly kept: readonly string[];
  /** Names in the source that no variable took. */
  readonly unused: readonly string[];
}

/**
 * Loads weights into a model (or any nesting of models, layers and variables). All are read and checked before the first one
 * changes.
 *
 * ```ts
 * await loadWeights(model, 'pretrained/ckpt-1000', { include: /^encoder\//, rename: [[/^encoder\//, 'backbone/']] });
 * await loadWeights(model, 'torch.safetensors', { convert: (t, name) => (name.endsWith('kernel') ? transposeTensor(t) : t) });
 * ```
 *
 * @param source a checkpoint, a directory of checkpoints (its newest one) or a `.safetensors` file of any origin
 * @throws CheckpointError that lists every variable that is missing or of another dtype or shape
 */
export async function loadWeights(model: object, source: string, options: LoadWeightsOptions = {}): Promise<LoadedWeights> {
  const { missing = 'error' } = options;
  if (missing !== 'error' && missing !== 'keep') throw new UsageError(`Unknown missing "${String(missing)}": use "error" or "keep".`);
  const variables = variablePaths(model);
  if (variables.size === 0) throw new UsageError('loadWeights: the model has no variables; build it first.');
  const { file, checksums } = await openSource(source);
  try {
    const plan: { variable: VariableLike; path: string; info: TensorInfo }[] = [];
    const kept: string[] = [];
    const problems: string[] = [];
    for (const [variable, at] of variables) {
      if (!isWanted(at, options)) {
        kept.push(at);
        continue;
      }
      const name = renamed(at, options.rename);
      const info = file.info(name);
      if (info) plan.push({ variable, path: at, info });
      else if (missing === 'keep') kept.push(at);
      else problems.push(`${at}: not in the file${name === at ? '' : ` (looked for "${name}")`}`);
    }
    const values: [VariableLike, StateTensor][] = [];
    for (const { variable, path: at, info } of plan) {
      const value = fitting(await file.read(info, checksums?.[info.name]), variable, at, options);
      if (describeTensor(value) === describeTensor(variable)) values.push([variable, value]);
      else problems.push(`${at}: expected ${describeTensor(variable)}, found ${describeTensor(value)} (tensor "${info.name}")`);
    }
    if (problems.length > 0) throw unfit(file, problems);
    if (values.length === 0)
      throw new UsageError(`loadWeights: the patterns select none of the variables: ${[...variables.values()].join(', ')}.`);
    for (const [variable, value] of values) assignVariable(variable, value);
    const used = new Set(plan.map(({ info }) => info.name));
    const unused = file.header.tensors.map((t) => t.name).filter((name) => !used.has(name));
    return { loaded: plan.map((p) => p.path), kept, unused };
  } finally {
    await file.close();
  }
}

function fitting(tensor: StateTensor, variable: VariableLike, at: string, { convert, cast }: LoadWeightsOptions): StateTensor {
  const converted = convert ? convert(tensor, at) : tensor;
  return cast && variable.dtype === 'float32' ? castTensor(converted) : converted;
}

function isWanted(at: string, { include, exclude }: LoadWeightsOptions): boolean {
  const matches = (patterns: RegExp | readonly RegExp[]): boolean => [patterns].flat().some((p) => new RegExp(p.source, p.flags.replace(/[gy]/g, '')).test(at)); // prettier-ignore
  return (include === undefined || matches(include)) && (exclude === undefined || !matches(exclude));
}

function renamed(at: string, rename: LoadWeightsOptions['rename']): string {
  if (typeof rename === 'function') return rename(at);
  return (rename ?? []).reduce((name, [from, to]) => name.replace(from, to), at);
}

async function openSource(source: string): Promise<{ file: SafetensorsFile; checksums?: Readonly<Record<string, string>> }> {
  const isDirectory = await stat(source).then((s) => s.isDirectory(), () => null); // prettier-ignore
  if (isDirectory === null)
    throw new CheckpointError(`There is no "${source}". Give a checkpoint, a directory of checkpoints or a .safetensors file.`);
  if (!isDirectory) return { file: await SafetensorsFile.open(source) };
  const isCheckpoint = await stat(path.join(source, manifestName)).then(() => true, () => false); // prettier-ignore
  const checkpoint = isCheckpoint ? source : await latestCheckpoint(source);
  if (checkpoint === null) throw new CheckpointError(`There is no checkpoint in "${source}".`);
  const manifest = await readManifest(checkpoint);
  return { file: await SafetensorsFile.open(path.join(checkpoint, modelFile)), checksums: manifest.files[modelFile]?.tensor_crc32 };
}

function unfit(file: SafetensorsFile, problems: readonly string[]): CheckpointError {
  const names = file.header.tensors.slice(0, 10).map((t) => `${t.name} ${describeTensor(t)}`);
  const more = file.header.tensors.length > names.length ? `, … (${file.header.tensors.length} in all)` : '';
  return new CheckpointError(
    `"${file.file}" does not fit the model:\n  ${problems.join('\n  ')}\nIt holds ${names.join(', ')}${more}. ` +
      'Map names with rename, layouts with convert, choose variables with include and exclude.',
  );
}
