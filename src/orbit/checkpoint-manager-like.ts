/** What the controller and its actions need of a checkpoint manager. */

/** How to save. */
export interface SaveOptions {
  /** Number in the checkpoint's name, normally the global step. Default: the manager's own count of saves. */
  checkpointNumber?: number | null;
  /** Save only if the manager's interval has passed since the last save. Default true. An already saved step is skipped either way. */
  checkInterval?: boolean;
  /** Take a snapshot, return at once and write in the background. Default false. */
  async?: boolean;
  /** Called with the path once the checkpoint is complete on disk; for a background save later than the returned promise. */
  onCommit?: (path: string) => void;
}

/** How to wait for new checkpoints. */
export interface CheckpointsIteratorOptions {
  /** Shortest time between two yields, in seconds. Default 0. */
  minIntervalSeconds?: number;
  /** How long to wait for a new checkpoint, in seconds. Default: for ever. */
  timeoutSeconds?: number | null;
  /** Asked after each timeout: true ends the iteration, false waits again. Default: a timeout ends it. */
  timeoutFn?: (() => boolean | Promise<boolean>) | null;
}

/** Yields the path of the newest checkpoint of a directory each time a new one appears. */
export type CheckpointsIteratorFunction = (directory: string, options: CheckpointsIteratorOptions) => AsyncIterable<string>;

/** Reads a checkpoint into live objects. */
export interface CheckpointLike {
  /** Waits for background saves, then restores exactly this path (without file suffixes). A missing or broken checkpoint is a `CheckpointError`. */
  restore(path: string): Promise<unknown>;
}

/** A checkpoint manager: keeps the checkpoints of one directory. */
export interface CheckpointManagerLike {
  /** The objects that are saved. */
  readonly checkpoint: CheckpointLike;
  /** Steps between two periodic saves; null or 0 means that the controller never saves. */
  readonly checkpointInterval: number | null;
  /** Path of the newest complete checkpoint, or null. */
  readonly latestCheckpoint: string | null;
  /** Paths of the managed checkpoints, oldest first. */
  readonly checkpoints: readonly string[];
  /** Directory that holds the checkpoints. */
  readonly directory: string;
  /** Saves; resolves to the checkpoint's path, or to null if nothing had to be saved. */
  save(options?: SaveOptions): Promise<string | null>;
  /** Waits for background saves, then restores the newest checkpoint and resolves to its path; without one runs the manager's initialiser and resolves to null. */
  restoreOrInitialize(): Promise<string | null>;
  /** Resolves once all background saves are complete; rejects with the error of one that failed. */
  sync(): Promise<void>;
  /** Watches the manager's directory for checkpoints, also of other processes; needed by `evaluateContinuously` only. */
  checkpointsIterator?(options: CheckpointsIteratorOptions): AsyncIterable<string>;
}
