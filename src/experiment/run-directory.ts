/** The model directory while a run uses it. */
import { rm } from 'node:fs/promises';
import { lockDirectory, type CheckpointManager, type DirectoryLock } from '../checkpoint/index.js';
import { trialDirectory } from './fast-dev-run.js';
import { makeDirectory } from './run-files.js';
import type { RunnerOptions } from './runner-options.js';

/** Makes, locks and frees the directory of a run; that of a trial run is a temporary one, which goes when the run ends. */
export class RunDirectory {
  /** Where the run writes. */
  readonly path: string;
  readonly #trains: boolean;
  readonly #isTrial: boolean;
  #lock: DirectoryLock | null = null;

  /** @param options name the directory that was asked for; a trial run leaves it alone */
  constructor({ modelDir, mode }: Pick<RunnerOptions, 'modelDir' | 'mode'>, isTrial: boolean) {
    this.#trains = mode.includes('train');
    this.#isTrial = isTrial;
    this.path = isTrial ? trialDirectory() : modelDir;
  }

  /** Whether this run holds the lock. */
  get isLocked(): boolean {
    return this.#lock !== null;
  }

  /**
   * Makes the directory, if it has a name, and locks it. Evaluations need no lock: `continuous_eval` runs beside `train`.
   * @throws CheckpointError if another process trains there
   */
  async makeAndLock(): Promise<void> {
    if (!this.#trains || !this.path || this.isLocked) return;
    makeDirectory(this.path);
    this.#lock = await lockDirectory(this.path);
  }

  /** Unlocks it, once what is written in the background is there, and removes that of a trial run. */
  async release(manager: CheckpointManager | null | undefined): Promise<void> {
    await manager?.sync().catch(() => undefined); // a write in the background ends under the lock
    this.#lock?.release();
    this.#lock = null;
    if (this.#isTrial) await rm(this.path, { recursive: true, force: true });
  }
}
