/** Config of training in stages. */
import { defineConfig, extendConfig, field } from '../../config/index.js';
import type { ConfigInputOf, ConfigOf } from '../../config/index.js';
import { trainerConfig } from '../config.js';
import type { ExperimentConfig, TrainerConfig } from '../config.js';

/** Settings of the stages: extend it with fields of your own and put it under `trainer.progressive`. */
export const progressiveConfig = defineConfig({}, { name: 'ProgressiveConfig' });
/** See {@link progressiveConfig}. */
export type ProgressiveConfig = ConfigOf<typeof progressiveConfig>;

/** The training and evaluation loops of training in stages. */
export const progressiveTrainerConfig = extendConfig(
  trainerConfig,
  {
    /** Settings of the stages, for the task to read; null: none. */
    progressive: field.record().optional(),
    /** Export checkpoints of model and optimizer that other tasks can load, to `exported_ckpts`. */
    export_checkpoint: true,
    /** Training steps between two exports; null: `checkpoint_interval`. */
    export_checkpoint_interval: field.int().min(1).optional(),
    /** Exports kept; null: `max_to_keep`. */
    export_max_to_keep: field.int().min(1).optional(),
    /** Export in the last stage only. */
    export_only_final_stage_ckpt: true,
  },
  { name: 'ProgressiveTrainerConfig' },
);
/** See {@link progressiveTrainerConfig}. */
export type ProgressiveTrainerConfig = ConfigOf<typeof progressiveTrainerConfig>;
/** What {@link progressiveTrainerConfig} accepts. */
export type ProgressiveTrainerConfigInput = ConfigInputOf<typeof progressiveTrainerConfig>;

/** Whether an experiment trains in stages: its `trainer` was made with {@link progressiveTrainerConfig}. */
export function isProgressive(params: {
  readonly trainer: TrainerConfig;
}): params is ExperimentConfig & { trainer: ProgressiveTrainerConfig } {
  return 'export_only_final_stage_ckpt' in params.trainer;
}
