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
  /** Modules to import first. */
  import?: string[];
  /** Print stack traces. */
  verbose?: boolean;
}

/** The named experiment with all files and overrides applied. `lock` makes it unchangeable. */
export async function loadExperiment(flags: ExperimentFlags, lock: boolean): Promise<ExperimentConfig> {
  if (!flags.experiment) throw new UsageError('The flag --experiment=NAME is missing. `orbit experiments` lists the names.');
  const { getExperimentConfig } = await import('../experiment/registry.js');
  const { resolveExperimentConfig } = await import('../experiment/parse-config.js');
  await import('../tasks/index.js');
  await importModules(flags.import ?? []);
  const base = getExperimentConfig(flags.experiment);
  return resolveExperimentConfig({ base, configFiles: flags.config_file, paramsOverride: flags.params_override ?? null, lock });
}
