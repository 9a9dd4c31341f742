/** What a task wants to be saved beside model and optimizer, and what a training step changes without its being saved. */
import type * as tf from '#tf';
import type { StateTensor } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import { variablePaths } from '../tf/object-paths.js';
import type { Optimizer } from '../optimization/index.js';
import type { Model } from './model.js';
import type { Task } from './task.js';
import type { Trainer } from './trainer.js';

/**
 * The task's `checkpointItems`. Optimizers among them name their state by object paths of the model, as the run's own does: the
 * names of TensorFlow.js differ from process to process.
 */
export function taskItems(task: Task, model: Model): { readonly [name: string]: object } {
  const items: unknown = task.checkpointItems();
  if (typeof items !== 'object' || items === null || Array.isArray(items) || items instanceof Promise)
    throw new UsageError(`${task.name}.checkpointItems should return objects by name, such as { second_optimizer: this.second }.`);
  for (const item of Object.values(items) as Partial<Optimizer>[]) {
    if (typeof item?.applyGradients === 'function') item.setVariablePaths?.(variablePaths(model));
  }
  return items as { readonly [name: string]: object };
}

/** Those of the variables that a training step assigns that no object of the trainer's checkpoint holds. */
export function unsavedVariables(assigned: readonly tf.Variable[], trainer: Trainer, internal: readonly tf.Variable[]): tf.Variable[] {
  const metrics = [...trainer.trainMetrics, trainer.trainLoss];
  const known = new Set<unknown>([
    ...internal,
    ...variablePaths(trainer.model).keys(),
    ...[trainer.optimizer, ...metrics].flatMap((owner) => Object.values(owner.variables())),
  ]);
  const others = assigned.filter((v) => !known.has(v));
  if (others.length === 0) return [];
  const saved = Object.values(trainer.checkpoint.snapshot(false).tensors).flatMap((file) => [...file.values()]); // objects keep their variables to themselves: compare values
  return others.filter((v) => !saved.some((tensor) => isValueOf(tensor, v)));
}

function isValueOf(tensor: StateTensor, variable: tf.Variable): boolean {
  if (String(tensor.shape) !== String(variable.shape)) return false;
  const values = variable.dataSync();
  return tensor.data.every((x, i) => Object.is(x, values[i]));
}
