/** The one seed of a run and what follows from it. */
import { cloneConfig } from '../config/index.js';
import type { DataConfig } from './config.js';

/** A data config with a seed: its own, else that of the run. The config itself stays as it is. */
export function seededData(data: DataConfig, runSeed: number): DataConfig {
  if (!data || data.seed !== null) return data;
  const seeded = cloneConfig(data);
  seeded.seed = runSeed;
  return seeded;
}
