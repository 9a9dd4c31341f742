/** The controller's dealings with its checkpoint manager: when to save, what to report. */
import { UsageError } from '../errors.js';
import type { CheckpointManagerLike, CheckpointsIteratorFunction, CheckpointsIteratorOptions } from './checkpoint-manager-like.js';
import type { RestoreScope } from './controller-options.js';
import type { ControllerReporter } from './reporter.js';
import type { GlobalStep } from './types.js';

/** What {@link Checkpointing} works with. */
export interface CheckpointingParts {
  readonly manager: CheckpointManagerLike;
  readonly globalStep: GlobalStep;
  readonly reporter: ControllerReporter;
  /** Called after the reporter when a checkpoint is complete. */
  readonly onSaved?: (event: { readonly path: string; readonly step: number }) => void;
  readonly strategy: RestoreScope | null;
  readonly background: boolean;
  readonly iterator: CheckpointsIteratorFunction | null;
}

/** Saves, restores and watches the checkpoints of one manager. */
export class Checkpointing {
  readonly #parts: CheckpointingParts;
  /** Background saves by path, with what is to be done once they are complete. */
  readonly #pending = new Map<string, () => void>();

  constructor(parts: CheckpointingParts) {
    this.#parts = parts;
  }

  /** Restores `path`, or the newest checkpoint; resolves to the path of what was restored. */
  async restore(path: string | null): Promise<string | null> {
    const { manager, reporter, strategy } = this.#parts;
    reporter.restoreStart?.({ path });
    const body = async (): Promise<string | null> => {
      if (path === null) return manager.restoreOrInitialize();
      await manager.checkpoint.restore(path);
      return path;
    };
    const restored = await (strategy?.scope ? strategy.scope(body) : body());
    if (restored !== null) reporter.restored?.({ path: restored });
    return restored;
  }

  /** Saves if the manager has an interval and, with `checkInterval`, if that has passed; resolves to whether it did. */
  async save(checkInterval: boolean): Promise<boolean> {
    const { manager, globalStep, reporter, background, onSaved } = this.#parts;
    if (!manager.checkpointInterval) return false;
    const step = globalStep.value;
    let isCommitted = false;
    const commit = (path: string): void => {
      if (isCommitted) return;
      isCommitted = true;
      this.#pending.delete(path);
      reporter.checkpointSaved?.({ path, step });
      onSaved?.({ path, step });
    };
    const path = await manager
      .save({ checkpointNumber: step, checkInterval, async: background, onCommit: commit })
      .catch((error: unknown) => {
        this.#pending.clear(); // a background save failed, and its failure surfaces here: it must not be reported as saved later
        throw error;
      });
    if (path === null) return false;
    if (!background) commit(path);
    else if (!isCommitted) {
      reporter.checkpointSaving?.({ path, step });
      this.#pending.set(path, () => commit(path));
    }
    return true;
  }

  /** Waits for background saves. */
  async sync(): Promise<void> {
    this.#parts.reporter.checkpointSync?.();
    const pending = [...this.#pending.values()];
    try {
      await this.#parts.manager.sync();
    } finally {
      this.#pending.clear();
    }
    for (const commit of pending) commit();
  }

  /** Yields checkpoints as they appear. */
  watch(options: CheckpointsIteratorOptions): AsyncIterable<string> {
    const { manager, iterator } = this.#parts;
    if (iterator !== null) return iterator(manager.directory, options);
    if (manager.checkpointsIterator) return manager.checkpointsIterator(options);
    throw new UsageError(
      'This checkpoint manager cannot watch its directory (it has no `checkpointsIterator`): pass `checkpointsIterator` to the controller.',
    );
  }
}
