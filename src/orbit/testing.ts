/** Stand-ins that this room's tests share: a checkpoint manager and summary files in memory. */
import type { CheckpointManagerLike, CheckpointsIteratorOptions, SaveOptions } from './checkpoint-manager-like.js';
import type { SummaryWriter, SummaryWriterFactory } from './summary-writer.js';
import type { GlobalStep } from './types.js';

/** Settings of a {@link MemoryCheckpointManager}. */
export interface MemoryManagerOptions {
  checkpointInterval: number | null;
  maxToKeep?: number | null;
  /** Called with each event, in order. */
  onEvent?: (event: unknown[]) => void;
  /** Steps saved before. */
  existing?: readonly number[];
  /** Keep background saves uncommitted until `sync`. */
  commitOnSync?: boolean;
}

/** Keeps the rules of a checkpoint manager; a checkpoint is a step number in memory. */
export class MemoryCheckpointManager implements CheckpointManagerLike {
  readonly directory = 'ckpt';
  readonly checkpointInterval: number | null;
  /** Steps of the checkpoints there are, by path. */
  readonly stored = new Map<string, number>();
  readonly #step: GlobalStep;
  readonly #options: MemoryManagerOptions;
  #lastSaved: number | null = null;
  #waiting: (() => void)[] = [];

  constructor(step: GlobalStep, options: MemoryManagerOptions) {
    this.#step = step;
    this.#options = options;
    this.checkpointInterval = options.checkpointInterval;
    for (const number of options.existing ?? []) this.stored.set(`ckpt/ckpt-${number}`, number);
  }

  readonly checkpoint = {
    restore: async (path: string): Promise<void> => {
      this.#event('restore', path.replace('ckpt/', ''));
      const step = this.stored.get(path);
      if (step === undefined) throw new Error(`no checkpoint ${path}`);
      this.#step.assign(step);
    },
  };

  get checkpoints(): readonly string[] {
    return [...this.stored.keys()];
  }

  get latestCheckpoint(): string | null {
    return this.checkpoints.at(-1) ?? null;
  }

  async save(options: SaveOptions = {}): Promise<string | null> {
    const step = this.#step.value;
    const interval = this.checkpointInterval;
    if (interval !== null && this.#lastSaved !== null) {
      if (step === this.#lastSaved) return null;
      if ((options.checkInterval ?? true) && step < this.#lastSaved + interval) return null;
    }
    this.#lastSaved = step;
    const path = `ckpt/ckpt-${options.checkpointNumber ?? step}`;
    this.#event('save', path.replace('ckpt/', ''));
    const commit = (): void => {
      this.stored.delete(path);
      this.stored.set(path, step);
      const { maxToKeep } = this.#options;
      if (maxToKeep) for (const old of this.checkpoints.slice(0, -maxToKeep)) this.stored.delete(old);
      options.onCommit?.(path);
    };
    if (options.async && this.#options.commitOnSync) this.#waiting.push(commit);
    else commit();
    return path;
  }

  async restoreOrInitialize(): Promise<string | null> {
    const path = this.latestCheckpoint;
    if (path === null) {
      this.#event('init_fn');
      return null;
    }
    await this.checkpoint.restore(path);
    this.#lastSaved = this.#step.value;
    return path;
  }

  async sync(): Promise<void> {
    this.#event('sync');
    for (const commit of this.#waiting.splice(0)) commit();
  }

  /** Looks once per turn and never sleeps: the timeout is taken as passed at once. */
  async *checkpointsIterator(options: CheckpointsIteratorOptions): AsyncGenerator<string> {
    let last: string | null = null;
    while (true) {
      const newest = this.latestCheckpoint;
      if (newest !== null && newest !== last) {
        last = newest;
        yield newest;
      } else if (!options.timeoutFn || (await options.timeoutFn())) return;
    }
  }

  #event(...event: unknown[]): void {
    this.#options.onEvent?.(event);
  }
}

/** One recorded scalar: tag, step, value. */
export type RecordedScalar = [tag: string, step: number, value: number];

/** Summary files in memory. */
export class MemorySummaries {
  /** Scalars by directory, in the order of writing. */
  readonly files = new Map<string, RecordedScalar[]>();
  readonly closed: string[] = [];
  flushes = 0;

  readonly factory: SummaryWriterFactory = (directory): SummaryWriter => {
    const scalars: RecordedScalar[] = [];
    this.files.set(directory, scalars);
    return {
      scalar: (tag, value, step) => scalars.push([tag, step, value]),
      flush: () => {
        this.flushes += 1;
      },
      close: () => {
        this.closed.push(directory);
      },
    };
  };
}
