/** The final config of a run: the registered experiment, then files, flags and overrides, each over the ones before. */
import { cloneConfig, lockConfig, overrideParams, readConfigFile, validateConfig } from '../config/index.js';
import { ConfigError } from '../errors.js';
import type { ExperimentConfig, TaskConfig } from './config.js';

/** Where the values of a run's config come from, in the order in which they count. */
export interface ExperimentSources<C extends ExperimentConfig<TaskConfig>> {
  /** Config of the registered experiment; it is copied. */
  readonly base: C;
  /** YAML or JSON files, each over the ones before it. */
  readonly configFiles?: readonly string[] | null;
  /** Address of the TPU. It always replaces `runtime.tpu`, with null when not given, so that only `paramsOverride` can set that field. */
  readonly tpu?: string | null;
  /** Address of a data service for the training and validation data. */
  readonly tfDataService?: string | null;
  /** Key=value text, YAML or JSON text, or a file; counts last. */
  readonly paramsOverride?: string | Readonly<Record<string, unknown>> | null;
  /** Make the result unchangeable. Default true. */
  readonly lock?: boolean;
}

/**
 * Puts the sources together, strictly (an unknown key is a `ConfigError` that names the source and the path), checks
 * types and restrictions, and locks the result.
 */
export function resolveExperimentConfig<C extends ExperimentConfig<TaskConfig>>(sources: ExperimentSources<C>): C {
  const config = cloneConfig(sources.base);
  for (const file of sources.configFiles ?? []) {
    const values = readConfigFile(file);
    inSource(`Config file ${file}`, () => overrideParams(config, values));
  }
  config.runtime.tpu = sources.tpu || null;
  if (sources.tfDataService && 'train_data' in config.task) {
    config.task.train_data.tf_data_service_address = sources.tfDataService;
    config.task.validation_data.tf_data_service_address = sources.tfDataService;
  }
  inSource('Parameter override', () => overrideParams(config, sources.paramsOverride));
  inSource('Final config', () => validateConfig(config));
  return sources.lock === false ? config : lockConfig(config);
}

/** Runs a step and says in its error which source was at fault. */
function inSource(source: string, step: () => void): void {
  try {
    step();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${source}: ${error.message}`, { path: error.path, cause: error });
  }
}
