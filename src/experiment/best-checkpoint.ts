/** Keeping the checkpoint with the best evaluation. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { latestCheckpoint, CheckpointManager, readMetadata } from '../checkpoint/index.js';
import type { Checkpoint, CheckpointMetadata, StateDict } from '../checkpoint/index.js';
import { CheckpointError, ConfigError } from '../errors.js';
import type { Output } from '../orbit/index.js';
import { getLeafNestedDict, isNested, leafToNumber } from './nested-logs.js';
import { makeDirectory, toJson, writeFileAtomically } from './run-files.js';

/** How two values of the watched metric are compared. */
export type MetricComparison = 'higher' | 'lower';

/** What `info.json` holds: evaluation results as numbers, nested as the logs were. */
export type BestLogs = { [name: string]: number | BestLogs };

/**
 * After an evaluation that is better than all before: writes a checkpoint `best_ckpt-<n>`, whose manifest holds the logs, and
 * the same logs to `<exportDir>/info.json` beside it. Only the newest is kept. `info.json` is read at the start; a run that
 * is resumed takes the best values of its checkpoint instead, so that it decides as if it had never stopped.
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
    const before = this.#logs;
    const best: BestLogs = { ...numbersOnly(logs), best_ckpt_global_step: globalStep };
    this.#logs = best; // the best checkpoint holds its own values
    try {
      await this.#managerOf(checkpoint).save({ metadata: { best: asJson(best) } });
    } catch (error) {
      this.#logs = before;
      throw error;
    }
    if (writeLogs) await this.#writeInfo(best);
    return true;
  }

  /** The best values, for the checkpoints of the run: what was evaluated after a checkpoint is not known when it is resumed. */
  stateDict(): StateDict {
    return { logs: this.#logs };
  }

  /** Takes over saved values. */
  loadStateDict(state: StateDict): void {
    this.#logs = (state['logs'] ?? null) as BestLogs | null;
  }

  /**
   * Makes `info.json` say what the best checkpoint says of itself: a process may have died between writing the two.
   * @returns whether it had to be written
   */
  async repairInfo(): Promise<boolean> {
    const newest = await this.bestCkptPath;
    const written = newest === null ? undefined : (await readMetadata(newest))?.['best'];
    if (written === undefined) return false;
    const best = fromJson(JSON.stringify(written)) as BestLogs;
    if (toJson(best) === toJson(readInfo(this.bestCkptLogsPath))) return false;
    this.#logs = best;
    await this.#writeInfo(best);
    return true;
  }

  #writeInfo(logs: BestLogs): Promise<void> {
    return writeFileAtomically(this.bestCkptLogsPath, `${toJson(logs, 4)}\n`);
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
export function metricOf(logs: Output, name: string): number {
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

/** JSON in which NaN and infinities are texts. */
function fromJson(json: string): unknown {
  return JSON.parse(json, (_key, v: unknown) => (v === 'NaN' || v === 'Infinity' || v === '-Infinity' ? Number(v) : v));
}

function asJson(logs: BestLogs): CheckpointMetadata {
  return JSON.parse(toJson(logs)) as CheckpointMetadata;
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
    return fromJson(json) as BestLogs;
  } catch (error) {
    throw new CheckpointError(
      `${file} is not valid JSON (${(error as Error).message}). Delete it to start looking for the best checkpoint anew.`,
      { cause: error },
    );
  }
}
