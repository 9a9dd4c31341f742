/** The model of several tasks. */
import type * as tf from '#tf';
import { UsageError } from '../../errors.js';
import type { MaybePromise } from '../../orbit/index.js';
import { trainableVariables } from '../model.js';
import type { Model } from '../model.js';

/**
 * One model per task, which share what they have in common: layers, or variables. Its fields are what checkpoints hold; `subTasks`
 * alone is enough.
 */
export interface MultiTaskModel {
  /** The model of each task, by the task's name. */
  readonly subTasks: Readonly<Record<string, Model>>;
  /** Prepares a fresh model; not called when a run is resumed. Default: reads the multi-task config's `init_checkpoint`, if set. */
  initialize?(): MaybePromise<void>;
  /** Makes variables that do not exist yet; called once, before training. */
  build?(): void;
  /** Further objects to save in checkpoints, by name. */
  readonly checkpointItems?: { readonly [name: string]: object };
}

/** Whether a model has one for each task, rather than being one for all. */
export function hasSubTasks(model: MultiTaskModel | Model): model is MultiTaskModel {
  return typeof (model as Partial<MultiTaskModel>).subTasks === 'object';
}

/** The model of one task: its own, or the one that all share. @throws UsageError where the task has none */
export function modelOfTask(model: MultiTaskModel | Model, task: string): Model {
  if (!hasSubTasks(model)) return model;
  const sub = model.subTasks[task];
  if (typeof sub?.apply === 'function') return sub;
  throw new UsageError(
    `The multi-task model has no model for the task "${task}"; its subTasks are ${Object.keys(model.subTasks).join(', ') || 'none'}. Names must be those of the tasks.`,
  );
}

/** The variables that training changes, each once, in the order of the tasks. */
export function multiTaskVariables(model: MultiTaskModel | Model): tf.Variable[] {
  if (!hasSubTasks(model)) return trainableVariables(model);
  return [...new Set(Object.values(model.subTasks).flatMap((sub) => trainableVariables(sub)))];
}

/** A model with its own prototype, so that checkpoints take its variables by their paths, each once. */
class JoinedModel implements MultiTaskModel {
  declare readonly subTasks: Readonly<Record<string, Model>>;
  declare readonly checkpointItems?: { readonly [name: string]: object };

  constructor(model: MultiTaskModel) {
    const { checkpointItems, ...rest } = model;
    Object.assign(this, rest);
    Object.defineProperty(this, 'checkpointItems', { value: checkpointItems }); // not enumerable: saved under its own names
  }
}

const joined = new WeakMap<object, JoinedModel>();

/** The model as checkpoints can hold it: a plain record becomes an object with the same fields, the same one each time. */
export function asSavable(model: MultiTaskModel | Model): MultiTaskModel | Model {
  if (Object.getPrototypeOf(model) !== Object.prototype || !hasSubTasks(model)) return model;
  const made = joined.get(model) ?? new JoinedModel(model);
  joined.set(model, made);
  return made;
}

/** What can be trained by several tasks. @throws UsageError for anything else */
export function requireMultiTaskModel(model: unknown, where: string): MultiTaskModel | Model {
  if (typeof model === 'object' && model !== null) {
    if ('subTasks' in model || typeof (model as Partial<Model>).apply === 'function') return asSavable(model as MultiTaskModel | Model);
  }
  throw new UsageError(
    `${where} should return a model with subTasks, such as { subTasks: { digit: digitModel, parity: parityModel } }. Is a \`return\` missing, or is it async?`,
  );
}
