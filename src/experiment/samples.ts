/** How many examples a step of an experiment takes. */
import type { ExperimentConfig, TaskConfig } from './config.js';
import type { MultiTaskConfig, MultiTaskTrainerConfig } from './multitask/config.js';

/** Examples in one training step; 0 where that is not known or differs between steps. */
export function samplesPerStep({ task, trainer }: Pick<ExperimentConfig, 'task' | 'trainer'>): number {
  const { train_data } = task as Partial<TaskConfig>;
  if (train_data) return train_data.global_batch_size * trainer.grad_accumulation_steps;
  const { task_routines: routines = [] } = task as unknown as Partial<MultiTaskConfig>;
  const sizes = routines.map((routine) => routine.task_config?.train_data.global_batch_size ?? 0);
  if ((trainer as Partial<MultiTaskTrainerConfig>).trainer_type === 'joint') return sizes.reduce((sum, size) => sum + size, 0);
  return sizes.every((size) => size === sizes[0]) ? (sizes[0] ?? 0) : 0;
}
