/** Keeping the checkpoint with the best evaluation. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { latestCheckpoint, CheckpointManager } from '../checkpoint/index.js';
import type { Checkpoint } from '../checkpoint/index.js';
import { CheckpointError, ConfigError } from '../errors.js';
import type { Output } from '../orbit/index.js';
import { getLeafNestedDict, isNested, leafToNumber } from './nested-logs.js';
import { makeDirectory, toJson, writeFileAtomically } from './run-files.js';

/** How two values of the watched metric are compared. */
export type MetricComparison = 'higher' | 'lower';

/** What `info.json` holds: evaluation results as numbers, nested as the logs were. */
export type BestLogs = { [name: string]: number | BestLogs };

/**
 * After an evaluation that is better than all before: writes its logs to `<exportDir>/info.json` and a checkpoint
 * `best_ckpt-<n>` beside it, where only the newest is kept. `info.json` is read at the start, so the best value
 * survives restarts.
 */
export class BestCheckpointExporter {
  /** Where checkpoint and `info.json` are. */
  readonly exportDir: string;
  /** The watched metric; names inside nested logs are joined with `|`. */
  readonly metricName: string;
  readonly #comparison: MetricComparison;
  #logs: BestLogs | null;
  #manager: CheckpointManager | null = null;
  #checkpoint: Checkpoint | null = null;

  /**
   * Makes `exportDir` and reads what an earlier run left there.
   * @throws ConfigError when `comparison` is neither `higher` nor `lower`; CheckpointError when `info.json` is unreadable
   */
  constructor(exportDir: string, metricName: string, comparison: string) {
    if (comparison !== 'higher' && comparison !== 'lower') {
      throw new ConfigError(`trainer.best_checkpoint_metric_comp must be "higher" or "lower", not "${comparison}".`, {
        path: 'trainer.best_checkpoint_metric_comp',
      });
    }
    this.exportDir = exportDir;
    this.metricName = metricName;
    this.#comparison = comparison;
    makeDirectory(exportDir);
    this.#logs = readInfo(this.bestCkptLogsPath);
  }

  /** The logs of the best evaluation so far with `best_ckpt_global_step`; null before the first. */
  get bestCkptLogs(): BestLogs | null {
    return this.#logs;
  }

  /** Path of `info.json`. */
  get bestCkptLogsPath(): string {
    return path.join(this.exportDir, 'info.json');
  }

  /** Path of the best checkpoint, or null. Reads the directory. */
  get bestCkptPath(): Promise<string | null> {
    return Promise.resolve(latestCheckpoint(this.exportDir));
  }

  /** Value of the watched metric in the best evaluation so far. */
  get bestValue(): number {
    return metricOf(this.#logs ?? {}, this.metricName);
  }

  /**
   * Exports if `logs` are the first, or strictly better than the best so far (NaN never is).
   * @returns whether it exported
   */
  async maybeExportCheckpoint(checkpoint: Checkpoint, logs: Output, globalStep: number, writeLogs = true): Promise<boolean> {
    if (this.#logs !== null) {
      const now = metricOf(logs, this.metricName);
      const best = this.bestValue;
      if (!(this.#comparison === 'higher' ? now > best : now < best)) return false;
    }
    this.#logs = { ...numbersOnly(logs), best_ckpt_global_step: globalStep };
    if (writeLogs) await writeFileAtomically(this.bestCkptLogsPath, `${toJson(this.#logs, 4)}\n`);
    await this.#managerOf(checkpoint).save();
    return true;
  }

  #managerOf(checkpoint: Checkpoint): CheckpointManager {
    if (this.#manager === null || this.#checkpoint !== checkpoint) {
      this.#checkpoint = checkpoint;
      this.#manager = new CheckpointManager({ checkpoint, directory: this.exportDir, maxToKeep: 1, checkpointName: 'best_ckpt' });
    }
    return this.#manager;
  }
}

/** Value of a metric whose nested names are joined with `|`. */
function metricOf(logs: Output, name: string): number {
  return leafToNumber(getLeafNestedDict(logs, name.split('|'))) ?? NaN;
}

/** The structure of the logs with only those leaves that are one number. */
function numbersOnly(logs: Output): BestLogs {
  const kept: BestLogs = {};
  for (const [key, value] of Object.entries(logs)) {
    if (isNested(value)) kept[key] = numbersOnly(value);
    else {
      const number = leafToNumber(value);
      if (number !== null) kept[key] = number;
    }
  }
  return kept;
}

function readInfo(file: string): BestLogs | null {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return null;
    throw new CheckpointError(`Cannot read ${file}: ${(error as Error).message}`, { cause: error });
  }
  try {
    // Runs of the original leave bare NaN and Infinity in the file.
    const json = text.replace(/(:\s*)(NaN|-?Infinity)(?=\s*[,}])/g, '$1"$2"');
    return JSON.parse(json, (_key, v: unknown) => (v === 'NaN' || v === 'Infinity' || v === '-Infinity' ? Number(v) : v)) as BestLogs;
  } catch (error) {
    throw new CheckpointError(
      `${file} is not valid JSON (${(error as Error).message}). Delete it to start looking for the best checkpoint anew.`,
      { cause: error },
    );
  }
}
