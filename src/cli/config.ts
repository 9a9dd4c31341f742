/** `orbit config`: the final config of an experiment, or its JSON Schema. */
import { toJsonSchema, toYaml } from '../config/index.js';
import { loadExperiment } from './experiment-flags.js';
import type { ExperimentFlags } from './experiment-flags.js';

/** Prints the final config as YAML, or with `schema` what configs of this experiment may hold. */
export async function printConfig(flags: ExperimentFlags & { schema?: boolean }): Promise<number> {
  const config = await loadExperiment(flags, false);
  process.stdout.write(flags.schema ? `${JSON.stringify(toJsonSchema(config), null, 2)}\n` : toYaml(config));
  return 0;
}
