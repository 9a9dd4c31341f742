/** The flags that choose and change an experiment, shared by `train` and `config`. */
import { UsageError } from '../errors.js';
import type { ExperimentConfig } from '../experiment/index.js';
import { importModules } from './imports.js';

/** Flags that choose and change an experiment. */
export interface ExperimentFlags {
  /** Name of a registered experiment. */
  experiment?: string;
  /** YAML files over the experiment's values, in order. */
  config_file?: string[];
  /** Overrides as key=value text, YAML, JSON or a file; count last. */
  params_override?: string;
  /** Address of a TPU; sets `runtime.tpu`. */
  tpu?: string;
  /** Address of a data service; sets it in the training and validation data. */
  tf_data_service?: string;
  /** Files and bindings of gin, and switches of the original's platform: see {@link foreignFlags}. */
  gin_file?: string[];
  /** See `gin_file`. */
  gin_params?: string[];
  /** See `gin_file`. */
  tpu_platform?: string;
  /** See `gin_file`. */
  tfhub_handle?: string;
  /** See `gin_file`. */
  tflex_output_uri?: string;
  /** Modules to import first. */
  import?: string[];
  /** Print stack traces. */
  verbose?: boolean;
}

/** Flags of Model Garden's programs that do nothing here, so that its command lines work. */
export const foreignFlags = ['tpu_platform', 'tfhub_handle', 'tflex_output_uri'] as const;

function checkForeignFlags(flags: ExperimentFlags): void {
  for (const flag of ['gin_file', 'gin_params'] as const)
    if (flags[flag] !== undefined)
      throw new UsageError(`--${flag}: gin does not exist here. Put the values into a YAML file (--config_file) or --params_override.`);
  for (const flag of foreignFlags)
    if (flags[flag] !== undefined) process.stderr.write(`Note: --${flag} has no effect: it is a switch of another platform.\n`);
}

/** The named experiment with all files and overrides applied. `lock` makes it unchangeable. */
export async function loadExperiment(flags: ExperimentFlags, lock: boolean): Promise<ExperimentConfig> {
  if (!flags.experiment) throw new UsageError('The flag --experiment=NAME is missing. `orbit experiments` lists the names.');
  checkForeignFlags(flags);
  const { getExperimentConfig } = await import('../experiment/registry.js');
  const { resolveExperimentConfig } = await import('../experiment/parse-config.js');
  await import('../tasks/index.js');
  await importModules(flags.import ?? []);
  const base = getExperimentConfig(flags.experiment);
  const { config_file: configFiles, tpu = null, tf_data_service: tfDataService = null, params_override: paramsOverride = null } = flags;
  return resolveExperimentConfig({ base, configFiles, tpu, tfDataService, paramsOverride, lock });
}
