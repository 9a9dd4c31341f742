/** Writing the parameters of a run. */
import path from 'node:path';
import { toYaml } from '../config/index.js';
import { UsageError } from '../errors.js';
import type { ExperimentConfig } from './config.js';
import { writeFileAtomically } from './run-files.js';

/**
 * Writes the final parameters to `<modelDir>/params.yaml` and returns its path; the directory is made if missing.
 * @throws UsageError without a directory, or when it cannot be written
 */
export async function serializeConfig(params: ExperimentConfig, modelDir: string | null | undefined): Promise<string> {
  if (!modelDir) throw new UsageError('serializeConfig needs a directory for params.yaml; modelDir is missing.');
  const file = path.join(modelDir, 'params.yaml');
  await writeFileAtomically(file, toYaml(params));
  return file;
}
