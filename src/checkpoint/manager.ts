/** Keeps the checkpoints of one directory: when to save, which to keep, which to restore. */
import path from 'node:path';
import { CheckpointError } from '../errors.js';
import type { CheckpointManagerLike, CheckpointsIteratorOptions, SaveOptions } from '../orbit/index.js';
import { BackgroundWriter } from './background-writer.js';
import type { Checkpoint } from './checkpoint.js';
import { DirectoryIndex } from './directory-index.js';
import { removeDirectory, removeLeftovers } from './files.js';
import { copyingHolder, type HeldVariables, type VariableHolder } from './holder.js';
import { stderrLogger, type CheckpointLogger } from './logger.js';
import { checkManagerOptions, type CheckpointManagerOptions } from './manager-options.js';
import { recoverReplaced } from './replaced.js';
import { restoreNewest } from './restore-newest.js';
import type { RetentionPolicy } from './keep.js';
import type { CheckpointMetadata } from './manifest.js';
import { anyOf, everyNHours, sweep, sweepBy, type PreservationPolicy } from './retention.js';
import { SaveSchedule } from './save-schedule.js';
import { checkpointsIterator } from './watch.js';
import { writeSnapshot, type CheckpointSnapshot } from './write-snapshot.js';

/**
 * Keeps the checkpoints of one directory.
 *
 * The constructor only checks its arguments; the small state file is read when first needed, or by {@link create}. Nothing is
 * written or deleted before the first save; that one also deletes what dead processes left under temporary names.
 */
export class CheckpointManager implements CheckpointManagerLike {
  readonly checkpoint: Checkpoint;
  readonly directory: string;
  readonly checkpointInterval: number | null;
  private readonly maxToKeep: number | null;
  private readonly preserve: PreservationPolicy;
  private readonly retention: RetentionPolicy | null;
  private readonly schedule: SaveSchedule;
  private readonly name: string;
  private readonly initFn: (() => void | Promise<void>) | null;
  private readonly variables: VariableHolder;
  private readonly logger: CheckpointLogger;
  private loaded: DirectoryIndex | undefined;
  private started = false;
  /** The write in the background: settles without rejecting. */
  private background: Promise<void> | null = null;
  private backgroundError: Error | null = null;
  private readonly writer = new BackgroundWriter();
  private turn: Promise<unknown> = Promise.resolve();

  constructor(options: CheckpointManagerOptions) {
    checkManagerOptions(options);
    const { checkpoint, directory, keepCheckpointEveryNHours: hours = null } = options;
    this.checkpoint = checkpoint;
    this.directory = directory;
    this.maxToKeep = options.maxToKeep ?? null;
    this.checkpointInterval = options.checkpointInterval ?? null;
    this.schedule = new SaveSchedule(options);
    this.preserve = anyOf(...(hours === null ? [] : [everyNHours(hours)]), ...(options.preserve ?? []));
    this.retention = options.retention ?? null;
    this.name = options.checkpointName ?? 'ckpt';
    this.initFn = options.initFn ?? null;
    this.variables = options.variables ?? copyingHolder;
    this.logger = options.logger ?? stderrLogger;
  }

  /** Constructs a manager and reads the directory's state file. */
  static async create(options: CheckpointManagerOptions): Promise<CheckpointManager> {
    const manager = new CheckpointManager(options);
    void manager.index;
    return manager;
  }

  /** Path of the newest complete checkpoint that this manager knows, or null. */
  get latestCheckpoint(): string | null {
    return this.index.latest;
  }

  /** Paths of the managed checkpoints, oldest first; without those kept for good. */
  get checkpoints(): readonly string[] {
    return this.index.managed.map((c) => c.path);
  }

  /**
   * Saves if it is due; resolves to the path, or to null if nothing had to be saved.
   *
   * With an interval: nothing is saved at the step of the last save, nor (with `checkInterval`) before the interval is over.
   * With `async` the objects' state is copied at once and written by a worker thread, one at a time; the path is returned
   * before its files exist. A write that failed is thrown by the next `save` or `sync`, and told by `failure` at once.
   * @param options.metadata plain JSON that the manifest keeps
   * @throws CheckpointError if this save, or one in the background before it, failed; nothing half-written stays
   */
  async save(options: SaveOptions & { readonly metadata?: CheckpointMetadata } = {}): Promise<string | null> {
    return this.inTurn(async () => {
      this.throwBackgroundError();
      if (!this.schedule.isDue(options.checkInterval ?? true)) return null;
      await this.settle();
      await this.start();
      const undo = this.schedule.saved();
      this.checkpoint.saveCounter += 1;
      const target = path.join(this.directory, `${this.name}-${options.checkpointNumber ?? this.checkpoint.saveCounter}`);
      try {
        const held = this.variables.hold(() => this.checkpoint.snapshot(false, options.metadata));
        const written = this.write(held, target, options.async ?? false).finally(() => held.release());
        const commit = this.commit(written, target, options.onCommit);
        if (options.async) {
          this.background = commit.catch((error: unknown) => {
            undo();
            this.backgroundError = error instanceof Error ? error : new CheckpointError(String(error));
          });
        } else {
          await commit;
        }
      } catch (error) {
        undo();
        throw error;
      }
      return target;
    });
  }

  /**
   * Makes ready for the first save in the background, so that it holds up the loop no longer than later ones: starts the thread
   * and makes the memory in which steps go on while values are saved. Call it once the objects' variables exist.
   */
  prepareBackgroundSaves(): void {
    this.writer.prepare(this.variables.reserve(() => this.checkpoint.snapshot(false)));
  }

  /**
   * Restores the newest valid checkpoint and resolves to its path; damaged ones are skipped with a message. Without any
   * checkpoint it runs `initFn` and resolves to null. Waits for a write in the background first.
   * @throws CheckpointError if the checkpoint does not fit the objects, or if there are checkpoints but none is valid
   */
  async restoreOrInitialize(): Promise<string | null> {
    return this.inTurn(async () => {
      await this.settle();
      const candidates = await this.index.candidates(this.name);
      const restored = await restoreNewest(this.checkpoint, candidates, this.directory, this.logger);
      if (restored !== null) {
        this.index.restored(restored, candidates.slice(0, candidates.indexOf(restored)));
        this.schedule.saved();
        this.logger.info(`Restored from "${restored}".`);
        return restored;
      }
      if (this.initFn) {
        this.logger.info(`No checkpoint in "${this.directory}": initializing.`);
        await this.initFn();
      }
      return null;
    });
  }

  /** Resolves once the write in the background is complete; throws its error if it failed. */
  async sync(): Promise<void> {
    await this.inTurn(() => this.settle());
  }

  /** The error of a write in the background that failed and was not thrown yet, or null. */
  get failure(): Error | null {
    return this.backgroundError;
  }

  /**
   * Records results of the checkpoint with a number (normally its step), for `keepBest`. Nothing happens if it is not managed.
   * The record is written with the state file, now.
   */
  async noteMetrics(number: number, metrics: Readonly<Record<string, number>>): Promise<void> {
    await this.inTurn(async () => {
      await this.settle();
      if (this.index.evaluated(number, metrics)) await this.sweep();
    });
  }

  /**
   * Deletes what dead processes left under temporary names. The first save does so, too; call it earlier where the directory
   * is locked and there may be no save.
   */
  async tidy(): Promise<void> {
    await this.inTurn(() => this.start());
  }

  /** New checkpoints of this directory, also of other processes. */
  checkpointsIterator(options: CheckpointsIteratorOptions = {}): AsyncIterable<string> {
    return checkpointsIterator(this.directory, { ...options, logger: this.logger });
  }

  private get index(): DirectoryIndex {
    return (this.loaded ??= DirectoryIndex.load(this.directory, this.logger));
  }

  /** Before the first write: brings the directory in order after processes that died. */
  private async start(): Promise<void> {
    if (this.started) return;
    this.started = true;
    void this.index;
    for (const name of await removeLeftovers(this.directory))
      this.logger.info(`Deleted "${name}", left in "${this.directory}" by a process that is gone.`);
    await recoverReplaced(this.directory, this.logger);
  }

  private async commit(written: Promise<void>, target: string, onCommit?: (path: string) => void): Promise<void> {
    await written;
    const index = this.index;
    index.saved(target, Date.now() / 1000);
    await this.sweep();
    onCommit?.(target);
  }

  /** Writes the state file and deletes what need not be kept; what is listed is always there. */
  private async sweep(): Promise<void> {
    const { index, retention } = this;
    await index.write();
    const { managed, lastPreservedSeconds: last } = index;
    const swept = retention ? sweepBy(retention, managed, last) : sweep(managed, this.maxToKeep, this.preserve, last);
    if (swept.managed.length === managed.length) return;
    for (const checkpoint of swept.removed) await removeDirectory(checkpoint);
    index.swept(swept);
    await index.write();
  }

  /** Values that are not held are copied before a write in the background returns. */
  private write({ value, memory }: HeldVariables<CheckpointSnapshot>, target: string, background: boolean): Promise<void> {
    return background ? this.writer.write(value, target, memory) : writeSnapshot(value, target);
  }

  private async settle(): Promise<void> {
    if (this.background !== null) this.writer.hurry();
    await this.background;
    this.background = null;
    this.throwBackgroundError();
  }

  private throwBackgroundError(): void {
    const error = this.backgroundError;
    this.backgroundError = null;
    if (error) throw error;
  }

  /** Calls of this manager run one after another. */
  private inTurn<T>(operation: () => Promise<T>): Promise<T> {
    const result = this.turn.then(operation);
    this.turn = result.catch(() => {});
    return result;
  }
}
