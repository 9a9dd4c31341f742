import { ConfigError } from '../../errors.js';
import type { Dataset } from '../dataset.js';
import { mixDatasets } from '../from.js';

/** What {@link createCombineFn} reads of a data config. */
export interface MixingParams {
  /** Whether the data are for training; only then are they mixed. */
  readonly is_training?: boolean | null;
  /** A mapping of names to files. */
  readonly input_path: unknown;
  /** Weight of every name; null: the sources are not mixed. */
  readonly weights?: unknown;
  /** Seed of the draws. */
  readonly seed?: number | null;
}

/**
 * The function that mixes named sources for training: each example comes from source k with probability weight k over the sum;
 * the mixture ends when a chosen source is empty. Undefined where the config does not train or has no weights. Throws a
 * {@link ConfigError} where names and weights do not fit.
 */
export function createCombineFn(params: MixingParams): (<T>(datasets: Readonly<Record<string, Dataset<T>>>) => Dataset<T>) | undefined {
  const { input_path: inputPath, weights, seed } = params;
  if (params.is_training !== true || weights === undefined || weights === null) return undefined;
  if (!isMapping(inputPath) || !isMapping(weights)) {
    throw new ConfigError('To mix sources, input_path and weights must both be mappings of names.', { path: 'weights' });
  }
  const names = Object.keys(inputPath);
  if (names.length !== Object.keys(weights).length) {
    throw new ConfigError(
      `input_path names ${names.length} sources (${names.join(', ')}), but there are ${Object.keys(weights).length} weights.`,
      { path: 'weights' },
    );
  }
  const numbers = new Map(
    names.map((name) => {
      const weight = weights[name];
      if (typeof weight !== 'number')
        throw new ConfigError(`There is no weight for the source ${name} of input_path.`, { path: `weights.${name}` });
      if (!(weight >= 0 && weight < Infinity))
        throw new ConfigError(`weights.${name} is ${weight}; a number from 0 was expected.`, { path: `weights.${name}` });
      return [name, weight] as const;
    }),
  );
  if ([...numbers.values()].every((weight) => weight === 0))
    throw new ConfigError('weights are all 0; at least one source needs more.', { path: 'weights' });
  return (datasets) => {
    const sources = Object.entries(datasets);
    return mixDatasets(
      sources.map(([, dataset]) => dataset),
      sources.map(([name]) => numbers.get(name) ?? 0),
      { seed: seed ?? 0 },
    );
  };
}

function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
