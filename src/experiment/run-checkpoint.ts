/** What the checkpoints of a run hold. */
import { Checkpoint } from '../checkpoint/index.js';
import { randomState } from '../function/index.js';
import type { Metric } from '../metrics/index.js';
import type { Optimizer } from '../optimization/index.js';
import type { Model } from './model.js';
import { taskItems } from './task-items.js';
import type { Trainer } from './trainer.js';

/** What a checkpoint takes from its trainer. */
export type CheckpointedTrainer = Pick<Trainer, 'task' | 'model' | 'optimizer' | 'globalStep' | 'dataPosition'>;

/**
 * A checkpoint of all that an exact resume needs.
 * @param trainMetrics saved by name, so that an interrupted loop goes on counting where it stopped; empty for a trainer that only evaluates
 */
export function runCheckpoint(trainer: CheckpointedTrainer, trainMetrics: readonly Metric[]): Checkpoint {
  const { task, model, optimizer, globalStep, dataPosition } = trainer;
  return new Checkpoint({
    model,
    optimizer,
    global_step: globalStep,
    random_state: randomState,
    train_iterator: dataPosition,
    ...(trainMetrics.length > 0 ? { train_metrics: Object.fromEntries(trainMetrics.map((metric) => [metric.name, metric])) } : {}),
    ...model.checkpointItems,
    ...taskItems(task, model),
  });
}

/** Adds what only a resumed run needs. Checkpoints of older versions lack some of it, and restore all the same. */
export function addResumeState(checkpoint: Checkpoint, items: { readonly [name: string]: object | null | undefined }): void {
  for (const [name, item] of Object.entries(items)) checkpoint.add(name, item, { optional: true });
}

/** Lets saves and restores go to another model and optimizer. */
export function replaceModel(checkpoint: Checkpoint, model: Model, optimizer: Optimizer): void {
  for (const [name, item] of Object.entries({ model, optimizer, ...model.checkpointItems })) {
    if (Object.hasOwn(checkpoint.items, name)) checkpoint.replace(name, item);
    else checkpoint.add(name, item);
  }
}
