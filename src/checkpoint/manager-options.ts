/** What a checkpoint manager is made of, and the checks of it. */
import { UsageError } from '../errors.js';
import type { Checkpoint } from './checkpoint.js';
import type { VariableHolder } from './holder.js';
import type { RetentionPolicy } from './keep.js';
import type { CheckpointLogger } from './logger.js';
import type { PreservationPolicy } from './retention.js';
import type { SaveTrigger } from './triggers.js';

/** Options of a {@link CheckpointManager}. Null and undefined mean the same. */
export interface CheckpointManagerOptions {
  /** The objects to save. */
  checkpoint: Checkpoint;
  /** Directory of the checkpoints; made by the first save. */
  directory: string;
  /** How many checkpoints to keep. Default: all. */
  maxToKeep?: number | null;
  /** Keep one checkpoint for good every so many hours, besides the newest `maxToKeep`. Default: none. */
  keepCheckpointEveryNHours?: number | null;
  /** Further rules for checkpoints to keep for good. */
  preserve?: readonly PreservationPolicy[] | null;
  /**
   * Which checkpoints to keep, in place of `maxToKeep`, `keepCheckpointEveryNHours` and `preserve`: for example
   * `keepAny(keepLast(3), keepBest(2, 'accuracy', 'higher'))`. All that are kept stay listed in the state file.
   */
  retention?: RetentionPolicy | null;
  /** Checkpoints are named `<checkpointName>-<number>`. Default `ckpt`. */
  checkpointName?: string | null;
  /** Counts the steps; needed with `checkpointInterval`. */
  stepCounter?: { readonly value: number } | null;
  /** Steps between two saves. Default: every call of `save` saves. */
  checkpointInterval?: number | null;
  /** Saves are also due when this says so, besides every `checkpointInterval` steps; needs a `stepCounter`. Default: none. */
  trigger?: SaveTrigger | null;
  /** Runs if `restoreOrInitialize` finds no checkpoint. */
  initFn?: (() => void | Promise<void>) | null;
  /** Step of the last save made by somebody else. Default: none. */
  lastCheckpointStep?: number | null;
  /** Lets variables of compiled steps be written from where they lie: `variableHolder` of `orbit-ts/function`. Default: they are copied. */
  variables?: VariableHolder | null;
  /** Where messages go. Default: standard error. */
  logger?: CheckpointLogger | null;
}

/** Checks the options of a manager. @throws UsageError for the first one that is wrong */
export function checkManagerOptions(options: CheckpointManagerOptions): void {
  const { checkpoint, directory, maxToKeep = null, keepCheckpointEveryNHours: hours = null, checkpointInterval = null } = options;
  const name = options.checkpointName ?? 'ckpt';
  if (!checkpoint)
    throw new UsageError(
      'CheckpointManager needs a checkpoint: new CheckpointManager({ checkpoint: new Checkpoint({ model }), directory }).',
    );
  if (typeof directory !== 'string' || directory === '') throw new UsageError('CheckpointManager needs the directory for its checkpoints.');
  if (maxToKeep !== null && !(Number.isInteger(maxToKeep) && maxToKeep > 0))
    throw new UsageError(`maxToKeep must be a whole number above 0, or null to keep all; found ${maxToKeep}.`);
  if (checkpointInterval !== null && !(Number.isInteger(checkpointInterval) && checkpointInterval >= 0))
    throw new UsageError(`checkpointInterval must be a whole number of steps; found ${checkpointInterval}.`);
  if (checkpointInterval !== null && !options.stepCounter)
    throw new UsageError('checkpointInterval needs a stepCounter to count the steps, such as the global step.');
  if (options.trigger && !options.stepCounter)
    throw new UsageError('trigger needs a stepCounter to count the steps, such as the global step.');
  if (options.retention && (maxToKeep !== null || hours !== null || options.preserve))
    throw new UsageError('Give either retention, or maxToKeep, keepCheckpointEveryNHours and preserve: keepLast and others do the same.');
  if (name === '' || /[/\\]/.test(name) || name.startsWith('.'))
    throw new UsageError(`checkpointName "${name}" cannot be the start of a file name.`);
}
