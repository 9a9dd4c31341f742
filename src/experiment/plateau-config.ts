/** Configs of the actions that watch a result of the evaluations. */
import { defineConfig, field } from '../config/index.js';

const watched = {
  /** Result of the evaluation that is watched; names inside nested results are joined with `|`. */
  metric: 'validation_loss',
  /** Whether a higher or a lower value is better. */
  metric_comp: field.choice(['higher', 'lower'], 'lower'),
  /** Evaluations in a row without a better value that are waited for. */
  patience: field.int(3).min(1),
  /** A change smaller than this does not count as better. */
  min_delta: field.float(0).min(0),
  /** Evaluations before this step do not count. */
  begin_steps: field.int(0).min(0),
};

/** Ending the training when a result no longer gets better. */
export const earlyStoppingConfig = defineConfig({ ...watched }, { name: 'EarlyStoppingConfig' });

/** Lowering the learning rate when a result no longer gets better. */
export const reduceOnPlateauConfig = defineConfig(
  {
    ...watched,
    /** The learning rate is multiplied by this, between 0 and 1. */
    factor: field.float(0.1).min(0).max(1),
    /** Evaluations after a reduction that do not count. */
    cooldown: field.int(0).min(0),
    /** The learning rate is not lowered below this. */
    min_learning_rate: field.float(0).min(0),
  },
  { name: 'ReduceOnPlateauConfig' },
);
