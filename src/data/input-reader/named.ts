import type { DataConfig } from '../config.js';
import type { Dataset } from '../dataset.js';
import { namedDataset } from '../named/registry.js';

/** The registered data sets that `tfds_name` means: one, or by the names of a mapping. Throws a ConfigError for names and splits that are not there. */
export function openNamed<R>(params: DataConfig): Dataset<R> | Record<string, Dataset<R>> {
  const { tfds_name: names, tfds_split: split, tfds_data_dir: dataDir, tfds_as_supervised: asSupervised } = params;
  const open = (name: string, path: string): Dataset<R> => namedDataset(name, split, { dataDir, asSupervised }, path) as Dataset<R>;
  if (typeof names === 'string') return open(names, 'tfds_name');
  return Object.fromEntries(Object.entries(names).map(([key, name]) => [key, open(name, `tfds_name.${key}`)]));
}
