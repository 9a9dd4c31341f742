/** When a run saves, and what it keeps: from the trainer's config to the objects of the checkpoint manager. */
import {
  anyTrigger,
  everyEpochs,
  everySeconds,
  keepAny,
  keepBest,
  keepEveryNHours,
  keepEveryNSteps,
  keepLast,
} from '../checkpoint/index.js';
import type { CheckpointManagerOptions, RetentionPolicy, SaveTrigger } from '../checkpoint/index.js';
import { CheckpointError, ConfigError, TrainingError } from '../errors.js';
import type { TrainerConfig } from './config.js';
import { TrainingStopped } from './stop.js';

/** Saves besides every `checkpoint_interval` steps; null if the config asks for none. `stepsPerEpoch` is null where unknown. */
export function saveTrigger(trainer: TrainerConfig, stepsPerEpoch: number | null): SaveTrigger | null {
  const { checkpoint_interval_seconds: seconds, checkpoint_interval_epochs: epochs } = trainer;
  const triggers: SaveTrigger[] = [];
  if (seconds > 0) triggers.push(everySeconds(seconds));
  if (epochs > 0) {
    if (stepsPerEpoch === null)
      throw new ConfigError(
        'trainer.checkpoint_interval_epochs: how many batches make an epoch of the training data is not known. Let buildInputs return a ' +
          'data set of known length that ends with .batch(n).repeat(), or give trainer.checkpoint_interval in steps.',
        { path: 'trainer.checkpoint_interval_epochs' },
      );
    triggers.push(everyEpochs(epochs, stepsPerEpoch));
  }
  return triggers.length === 0 ? null : anyTrigger(...triggers);
}

/** What is kept: the newest `max_to_keep` as the original does, or those and what the other fields ask for. */
export function retention(trainer: TrainerConfig): Pick<CheckpointManagerOptions, 'maxToKeep' | 'retention'> {
  const {
    max_to_keep: last,
    keep_checkpoint_every_n_hours: hours,
    keep_checkpoint_every_n_steps: steps,
    keep_best_checkpoints: best,
  } = trainer;
  const policies: RetentionPolicy[] = [];
  if (hours !== null) policies.push(keepEveryNHours(hours));
  if (steps !== null) policies.push(keepEveryNSteps(steps));
  if (best > 0) {
    const { best_checkpoint_eval_metric: metric, best_checkpoint_metric_comp: comparison } = trainer;
    if (metric === '')
      throw new ConfigError(
        'trainer.keep_best_checkpoints needs trainer.best_checkpoint_eval_metric, the metric by which the best are found, such as accuracy.',
        { path: 'trainer.keep_best_checkpoints' },
      );
    policies.push(keepBest(best, metric, comparison));
  }
  return policies.length === 0 ? { maxToKeep: last } : { retention: keepAny(keepLast(last), ...policies) };
}

/** Whether a run saves once more after what ended it. Never after a blown-up loss, nor when saving is what failed. */
export function savesAfter(error: unknown, trainer: TrainerConfig): boolean {
  if (error instanceof TrainingStopped) return trainer.preemption_on_demand_checkpoint;
  return trainer.checkpoint_on_exception && !(error instanceof TrainingError || error instanceof CheckpointError);
}

/** Batches in an epoch of a data set that ends with `.repeat()`, or of one that ends; null where that is not known. */
export function batchesPerEpoch(dataset: unknown): number | null {
  const { stage } = dataset as { stage?: { length?: number; random?: { cycle?: { length: number } } } };
  const length = stage?.random?.cycle?.length ?? stage?.length;
  return length !== undefined && Number.isFinite(length) && length > 0 ? length : null;
}
