/** A checkpoint manager that also exports modules for serving with each checkpoint. */
import { readdir, rm } from 'node:fs/promises';
import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { CheckpointManager, type CheckpointManagerOptions } from '../checkpoint/index.js';
import type { Exportable, SaveOptions } from '../orbit/index.js';

const SUFFIX = '_saved_modules';

/** Options of an {@link ExportingCheckpointManager}. */
export interface ExportingCheckpointManagerOptions extends CheckpointManagerOptions {
  /** What is exported, by the name of its directory. Default: nothing. */
  modulesToExport?: Readonly<Record<string, Exportable>> | null;
}

/** How to wait for exports. */
export interface SavedModelsIteratorOptions {
  /** Shortest time between two exports that are yielded, in seconds. Default 0. */
  minIntervalSeconds?: number;
  /** How long to wait for an export, in seconds. Default: for ever. */
  timeoutSeconds?: number | null;
  /** Asked after each timeout: true ends, false waits again. Default: a timeout ends. */
  timeoutFn?: (() => boolean | Promise<boolean>) | null;
}

/**
 * After each save exports every module to `<checkpoint>_saved_modules/<name>`, with the values that were saved. Exports whose
 * checkpoint is no longer kept are deleted; those of an earlier process are taken over.
 */
export class ExportingCheckpointManager extends CheckpointManager {
  readonly #modules: Readonly<Record<string, Exportable>>;

  constructor(options: ExportingCheckpointManagerOptions) {
    super(options);
    this.#modules = options.modulesToExport ?? {};
  }

  override async save(options: SaveOptions = {}): Promise<string | null> {
    const checkpoint = await super.save(options);
    if (checkpoint === null || Object.keys(this.#modules).length === 0) return checkpoint;
    for (const [name, module] of Object.entries(this.#modules)) await module.export(path.join(checkpoint + SUFFIX, name), {});
    const kept = new Set([...this.checkpoints, checkpoint].map((kept) => kept + SUFFIX));
    for (const folder of await this.existingSavedModels()) if (!kept.has(folder)) await rm(folder, { recursive: true, force: true });
    return checkpoint;
  }

  /** Folders of exports on disk, the smallest number first. */
  async existingSavedModels(): Promise<string[]> {
    const names = await readdir(this.directory).catch(() => [] as string[]);
    return names
      .filter((name) => savedModelNumber(name) !== null)
      .sort((a, b) => savedModelNumber(a)! - savedModelNumber(b)!)
      .map((name) => path.join(this.directory, name));
  }

  /** The newest folder of exports, or null. */
  async latestSavedModel(): Promise<string | null> {
    return (await this.existingSavedModels()).at(-1) ?? null;
  }

  /** Yields every folder of exports in increasing order of its number as it appears, also those of another process. */
  async *savedModelsIterator(options: SavedModelsIteratorOptions = {}): AsyncGenerator<string> {
    const { minIntervalSeconds = 0, timeoutSeconds = null, timeoutFn = null } = options;
    let last = 0;
    for (;;) {
      const next = await this.waitForNewSavedModel(last, { timeoutSeconds });
      if (next === null) {
        if (timeoutFn === null || (await timeoutFn())) return;
        continue;
      }
      const begin = performance.now();
      last = savedModelNumber(next)!;
      yield next;
      const left = minIntervalSeconds * 1000 - (performance.now() - begin);
      if (left > 0) await sleep(left);
    }
  }

  /** The folder with the smallest number above `last`, waited for; null after the timeout. It is looked for at least once. */
  async waitForNewSavedModel(
    last = 0,
    { secondsToSleep = 1, timeoutSeconds = null }: { secondsToSleep?: number; timeoutSeconds?: number | null } = {},
  ): Promise<string | null> {
    const begin = performance.now();
    for (;;) {
      const next = (await this.existingSavedModels()).find((folder) => savedModelNumber(folder)! > last);
      if (next !== undefined) return next;
      if (timeoutSeconds !== null && (performance.now() - begin) / 1000 + secondsToSleep > timeoutSeconds) return null;
      await sleep(secondsToSleep * 1000);
    }
  }
}

/** The number of a folder of exports such as `ckpt-10_saved_modules`; null for any other path. */
export function savedModelNumber(folder: string): number | null {
  const match = /-(\d+)_saved_modules$/.exec(path.basename(folder));
  return match === null ? null : Number(match[1]);
}
