import { ConfigError, UsageError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { takeSplit } from './split.js';

/** What a config says besides name and split. */
export interface NamedDatasetOptions {
  /** `tfds_data_dir`: where the data lie; empty: wherever the data set has them. */
  readonly dataDir: string;
  /** `tfds_as_supervised`: pairs of input and label instead of a record of all features. */
  readonly asSupervised: boolean;
}

/** Opens each split of a data set by its name; nothing should be read before that. */
export type NamedSplits<T = unknown> = Readonly<Record<string, (options: NamedDatasetOptions) => Dataset<T>>>;

const registered = new Map<string, NamedSplits>();

/**
 * Makes a data set available by name to configs (`tfds_name`, `tfds_split`): `splits` opens each split. Call it in a module that the
 * run loads (`--import`). Throws a {@link UsageError} for a name that is taken, or without splits.
 */
export function registerDataset<T>(name: string, splits: NamedSplits<T>): void {
  if (name === '' || Object.keys(splits).length === 0)
    throw new UsageError(`registerDataset needs a name and at least one split; ${JSON.stringify(name)} was given.`);
  const odd = Object.keys(splits).find((split) => /[^\w.-]/.test(split) || typeof splits[split] !== 'function');
  if (odd !== undefined)
    throw new UsageError(`registerDataset(${JSON.stringify(name)}): split ${JSON.stringify(odd)} needs a plain name and a function.`);
  if (registered.has(name)) throw new UsageError(`A data set ${JSON.stringify(name)} is registered already; choose another name.`);
  registered.set(name, splits);
}

/** The names that are registered, sorted. */
export function datasetNames(): string[] {
  return [...registered.keys()].sort();
}

/** The splits of a registered data set. Throws a {@link ConfigError} for a name that is not, with those that are. */
function splitsOf(name: string, path: string): NamedSplits {
  const splits = registered.get(name);
  if (splits === undefined) {
    throw new ConfigError(
      `There is no data set ${JSON.stringify(name)}; registered are ${datasetNames().join(', ')}. Others: registerDataset(name, splits), or files in input_path.`,
      { path },
    );
  }
  return splits;
}

/**
 * Opens a registered data set: `split` is a split's name, a part of one (`train[:90%]`, `train[1000:2000]`), or several joined by `+`.
 * `path` names the config field of the name in errors. Throws a {@link ConfigError} that lists what there is.
 */
export function namedDataset(
  name: string,
  split: string,
  options: Partial<NamedDatasetOptions> = {},
  path = 'tfds_name',
): Dataset<unknown> {
  const splits = splitsOf(name, path);
  const field = path.replace(/tfds_name.*/, 'tfds_split');
  const open = (part: string): Dataset<unknown> => {
    const opener = Object.hasOwn(splits, part) ? splits[part] : undefined;
    if (opener === undefined) {
      const said = part === '' ? 'no split is named' : `it has no split ${JSON.stringify(part)}`;
      throw new ConfigError(`Data set ${name}: ${said}; its splits are ${Object.keys(splits).join(', ')}.`, { path: field });
    }
    return opener({ dataDir: options.dataDir ?? '', asSupervised: options.asSupervised ?? false });
  };
  return takeSplit(name, split, open, field);
}

/** Whether every name of a `tfds_name` is registered. */
export function isRegistered(value: unknown): boolean {
  if (typeof value === 'string') return registered.has(value);
  return typeof value === 'object' && value !== null && Object.values(value).every((name) => registered.has(String(name)));
}
