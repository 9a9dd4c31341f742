/** The numbers of a finished run. */
import { readFile } from 'node:fs/promises';
import path from 'node:path';
import type { Output } from '../orbit/index.js';
import { toJson, writeFileAtomically } from './run-files.js';
import { versions } from './versions.js';

/** What a run leaves in `result.<mode>.json`. */
export interface RunResult {
  /** Name of the experiment, if it is known. */
  experiment: string | null;
  /** The mode. */
  mode: string;
  /** Step at the end. */
  global_step: number;
  /** Logs of the last training loop of this run; null if it made none. */
  train_logs: Output | null;
  /** Logs of the last evaluation of this run; null if it made none. */
  eval_logs: Output | null;
  /** Training steps per second, first step aside; null if there were fewer than two. */
  steps_per_second: number | null;
  /** `steps_per_second` times the examples of a step: the global batch size, times `grad_accumulation_steps`; null where that is not known. */
  samples_per_second: number | null;
  /** From the start of the process to the end of the first training step; null if there was none. */
  seconds_to_first_step: number | null;
  /** From the start of the run to its end. */
  wall_seconds: number;
  /** Why training ended before `train_steps`, such as early stopping; null if it did not. */
  stopped: string | null;
  /** Largest resident memory of the process. */
  peak_rss_bytes: number;
  /** Path of the checkpoint that the run began from, or null. */
  resumed_from: string | null;
  /** Versions of what took part, by name. */
  versions: Record<string, string>;
}

/** Completes a result with what the process knows. */
export function completeResult(known: Omit<RunResult, 'peak_rss_bytes' | 'versions'>): RunResult {
  return { ...known, peak_rss_bytes: process.resourceUsage().maxRSS * 1024, versions: versions() };
}

/** The result that the last run that trains left in a model directory; null without one that can be read. */
export async function readResult(modelDir: string): Promise<Pick<RunResult, 'global_step' | 'eval_logs'> | null> {
  try {
    return JSON.parse(await readFile(path.join(modelDir, 'result.json'), 'utf8')) as RunResult;
  } catch {
    return null;
  }
}

/** Writes `<modelDir>/result.<mode>.json`, and the same as `result.json` for modes that train. Returns the paths. */
export async function writeResult(modelDir: string, result: RunResult): Promise<string[]> {
  const names = [`result.${result.mode}.json`, ...(result.mode.includes('train') ? ['result.json'] : [])];
  const files = names.map((name) => path.join(modelDir, name));
  for (const file of files) await writeFileAtomically(file, `${toJson(result, 2)}\n`);
  return files;
}
