/** The loggers that a config asks for. */
import path from 'node:path';
import type { RunLogger } from '../orbit/index.js';
import type { TrainerConfig } from './config.js';

/** Makes the loggers of `trainer.loggers`, which write to `<modelDir>/logs`. */
export async function makeLoggers({ loggers: kinds }: TrainerConfig, modelDir: string): Promise<readonly RunLogger[]> {
  if (kinds.length === 0) return [];
  const { CsvLogger, JsonLinesLogger } = await import('../summary/index.js');
  const directory = path.join(modelDir, 'logs');
  return [...new Set(kinds)].map((kind) => (kind === 'csv' ? new CsvLogger(directory) : new JsonLinesLogger(directory)));
}
