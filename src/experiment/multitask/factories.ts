/** Putting the parts of a multi-task experiment together. */
import type { BestCheckpointExporter } from '../best-checkpoint.js';
import type { ExperimentConfig } from '../config.js';
import { createOptimizer } from '../factories.js';
import type { Model } from '../model.js';
import type { MultiTaskExperimentConfig } from './config.js';
import { MultiTaskInterleavingTrainer } from './interleaving-trainer.js';
import type { MultiTaskModel } from './model.js';
import type { MultiTask } from './multi-task.js';
import { getTaskSampler } from './task-sampler.js';
import { MultiTaskTrainer } from './trainer.js';
import type { EvaluatedTasks } from './trainer.js';

/** What {@link createMultiTaskTrainer} takes. */
export interface CreateMultiTaskTrainerOptions {
  /** The tasks. */
  multiTask: MultiTask;
  /** The model that they share. */
  model: MultiTaskModel | Model;
  /** Prepare for training. Default true. */
  train?: boolean;
  /** Prepare for evaluation. Default true. */
  evaluate?: boolean;
  /** Keeps the checkpoint with the best evaluation. Default none. */
  checkpointExporter?: BestCheckpointExporter | null;
  /** What is evaluated. Default: the tasks that are trained. */
  evaluated?: EvaluatedTasks | null;
}

/** Makes the optimizer, then the trainer of `trainer.trainer_type`; an interleaving one with the sampler of the config. */
export function createMultiTaskTrainer(params: MultiTaskExperimentConfig, options: CreateMultiTaskTrainerOptions): MultiTaskTrainer {
  const optimizer = createOptimizer(options.multiTask, params as unknown as ExperimentConfig);
  const parts = { ...options, config: params, optimizer };
  if (params.trainer.trainer_type === 'joint') return new MultiTaskTrainer(parts);
  const taskSampler = getTaskSampler(params.trainer.task_sampler, options.multiTask.taskWeights);
  return new MultiTaskInterleavingTrainer({ ...parts, taskSampler });
}
