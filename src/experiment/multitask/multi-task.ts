/** Several tasks as one. */
import * as tf from '#tf';
import { schemaOf } from '../../config/index.js';
import type { AnyConfigSchema, ConfigOf } from '../../config/index.js';
import { DataError, UsageError } from '../../errors.js';
import type { Metric } from '../../metrics/index.js';
import type { Optimizer } from '../../optimization/index.js';
import type { DifferentialPrivacyConfig, OptimizationConfig, RuntimeConfig } from '../config.js';
import { applyModel, eachTensor } from '../model.js';
import type { Model, Tensors } from '../model.js';
import { getTask } from '../registry.js';
import { checkLoss, inTask, requireSynchronous } from '../task-checks.js';
import { Task } from '../task.js';
import { namedRoutines } from './config.js';
import type { MultiTaskConfig, MultiTaskSchema } from './config.js';
import { hasSubTasks, multiTaskVariables } from './model.js';
import type { MultiTaskModel } from './model.js';

/** What a {@link MultiTask} is made of. */
export interface MultiTaskOptions {
  /** The tasks: a list, keyed by their names, or a record by name. */
  tasks: readonly Task[] | Readonly<Record<string, Task>>;
  /** Weights by task name. Default 1 each. */
  taskWeights?: Readonly<Record<string, number>>;
  /** Batches of an evaluation by task name; missing, null or 0: what the evaluation is asked for. */
  taskEvalSteps?: Readonly<Record<string, number | null>>;
  /** Name in messages. Default `MultiTask`. */
  name?: string;
}

/** Losses of a joint step: each task's, unweighted, by its name, and their weighted sum as `total_loss`. */
export type JointLosses = Record<string, tf.Scalar>;

/** Several tasks that are trained together: extend it to give them a model, or use {@link defineMultiTask}. */
export class MultiTask {
  /** The tasks by name. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** Their weights by name. */
  readonly taskWeights: Readonly<Record<string, number>>;
  /** Batches of their evaluations, where they have a number of their own. */
  readonly taskEvalSteps: Readonly<Record<string, number | null>>;
  /** Name in messages. */
  readonly name: string;

  /** @throws UsageError for two tasks of one name, no task, or something else than tasks */
  constructor({ tasks, taskWeights = {}, taskEvalSteps = {}, name = 'MultiTask' }: MultiTaskOptions) {
    this.name = name;
    this.tasks = tasksByName(tasks, name);
    const names = Object.keys(this.tasks);
    for (const given of [...Object.keys(taskWeights), ...Object.keys(taskEvalSteps)]) {
      if (!names.includes(given)) throw new UsageError(`${name}: there is no task "${given}"; the tasks are ${names.join(', ')}.`);
    }
    this.taskWeights = Object.fromEntries(names.map((task) => [task, taskWeights[task] ?? 1]));
    this.taskEvalSteps = taskEvalSteps;
  }

  /** Weight of a task. */
  taskWeight(name: string): number {
    return this.taskWeights[name]!;
  }

  /**
   * Builds the model that the tasks share: one model for each in `subTasks`. The default has none to offer.
   * @throws UsageError that says how to give one
   */
  buildModel(_config: MultiTaskConfig): MultiTaskModel | Model {
    throw new UsageError(
      `${this.name} has no model: override buildModel(config), or register one for the config's schema with defineMultiTask(schema, { buildModel(config, multiTask) { ... } }).`,
    );
  }

  /** Makes the optimizer that all tasks share; see {@link Task.createOptimizer}. */
  createOptimizer(
    optimizerConfig: OptimizationConfig,
    runtimeConfig?: RuntimeConfig,
    dpConfig?: DifferentialPrivacyConfig | null,
  ): Optimizer {
    return Task.prototype.createOptimizer.call(Object.values(this.tasks)[0]!, optimizerConfig, runtimeConfig, dpConfig);
  }

  /**
   * One update on the weighted sum of the tasks' losses over a batch of each. Losses of the models themselves, such as weight
   * regularisation, are not added. Plain tfjs: it is compiled.
   * @param inputs a batch per task: a pair of features and labels, or a mapping that is both
   * @throws DataError for a batch of another kind
   */
  jointTrainStep(
    inputs: Readonly<Record<string, Tensors>>,
    model: MultiTaskModel | Model,
    optimizer: Optimizer,
    metrics: Readonly<Record<string, readonly Metric[]>> = {},
  ): JointLosses {
    if (!hasSubTasks(model))
      throw new UsageError(
        `${this.name}: joint training needs a model with subTasks, one model per task; one model for all can be interleaved.`,
      );
    const losses: JointLosses = {};
    const outputs: Record<string, Tensors> = {};
    const variables = multiTaskVariables(model);
    const { value: total, grads } = tf.variableGrads(() => {
      let sum: tf.Scalar | null = null;
      for (const [name, sub] of Object.entries(model.subTasks)) {
        const task = this.#task(name);
        const { features, labels } = pair(inputs[name], task.name);
        const out = (outputs[name] = inTask(`The model of ${name}`, { features }, () => applyModel(sub, features, true)));
        eachTensor(out, (t) => tf.keep(t)); // the gradient's scope would dispose of them before the metrics see them
        const where = `${name}.buildLosses`;
        const loss = checkLoss(inTask(where, { labels, outputs: out }, () => task.buildLosses(labels, out)), where); // prettier-ignore
        losses[name] = tf.keep(tf.clone(loss));
        const weighted: tf.Scalar = tf.mul(loss, this.taskWeight(name));
        sum = sum === null ? weighted : tf.add(sum, weighted);
      }
      return sum ?? tf.scalar(0);
    }, variables);
    optimizer.applyGradients(variables.filter((v) => grads[v.name] != null).map((v) => [grads[v.name]!, v]));
    for (const [name, out] of Object.entries(outputs)) {
      const { labels } = pair(inputs[name], name);
      const where = `${name}.processMetrics`;
      requireSynchronous(inTask(where, { labels, outputs: out }, () => this.tasks[name]!.processMetrics(metrics[name] ?? [], labels, out)), where); // prettier-ignore
      eachTensor(out, (t) => t.dispose());
    }
    return { ...losses, total_loss: total };
  }

  #task(name: string): Task {
    const task = this.tasks[name];
    if (task) return task;
    throw new UsageError(
      `The multi-task model has a model for "${name}", but ${this.name} has no such task; its tasks are ${Object.keys(this.tasks).join(', ')}.`,
    );
  }
}

function tasksByName(tasks: MultiTaskOptions['tasks'], owner: string): Readonly<Record<string, Task>> {
  if (typeof tasks !== 'object' || tasks === null)
    throw new UsageError(`${owner}: tasks should be a list of tasks or a record of them by name.`);
  const entries: [string, unknown][] = Array.isArray(tasks) ? tasks.map((task: Task) => [task?.name, task]) : Object.entries(tasks);
  const byName: Record<string, Task> = {};
  for (const [name, task] of entries) {
    if (!(task instanceof Task))
      throw new UsageError(`${owner}: tasks should hold tasks, such as getTask(config), but one is ${String(task)}.`);
    if (Object.hasOwn(byName, name)) throw new UsageError(`${owner}: two tasks are named "${name}"; give one of them another name.`);
    byName[name] = task;
  }
  if (entries.length === 0) throw new UsageError(`${owner}: there are no tasks.`);
  return byName;
}

function pair(inputs: Tensors | undefined, name: string): { features: Tensors; labels: Tensors } {
  if (Array.isArray(inputs) && inputs.length === 2) return { features: inputs[0]!, labels: inputs[1]! };
  if (typeof inputs === 'object' && inputs !== null && !Array.isArray(inputs) && !(inputs instanceof tf.Tensor)) {
    return { features: inputs, labels: inputs };
  }
  throw new DataError(
    `The batches of ${name} should be pairs of features and labels, or mappings that serve as both, in joint training; they are ` +
      `${inputs instanceof tf.Tensor ? 'single tensors' : Array.isArray(inputs) ? `lists of ${inputs.length}` : String(inputs)}.`,
  );
}

/** A class of multi-tasks. */
export type MultiTaskClass = new (options: MultiTaskOptions) => MultiTask;

// One registry per process, as for tasks.
const key = Symbol.for('orbit-ts multi-tasks');
const registry = ((globalThis as { [key: symbol]: unknown })[key] ??= new Map()) as Map<AnyConfigSchema, MultiTaskClass>;

/** Registers the class of multi-tasks that have configs of `schema`. @throws UsageError when the schema has a class */
export function registerMultiTask(schema: MultiTaskSchema, multiTaskClass: MultiTaskClass): void {
  const present = registry.get(schema);
  if (present !== undefined)
    throw new UsageError(`Multi-tasks of ${schema.schemaName} are already made by ${present.name}; a schema has one class.`);
  registry.set(schema, multiTaskClass);
}

/**
 * Gives the multi-tasks of a schema their model.
 *
 * ```ts
 * const digits = extendConfig(multiTaskConfig, { model: modelConfig({ units: 64 }) }, { name: 'digits' });
 * defineMultiTask(digits, { buildModel: (config) => ({ subTasks: { digit, parity } }) });
 * ```
 */
export function defineMultiTask<S extends MultiTaskSchema>(
  schema: S,
  definition: { buildModel(config: ConfigOf<S>, multiTask: MultiTask): MultiTaskModel | Model },
): MultiTaskClass {
  class DefinedMultiTask extends MultiTask {
    override buildModel(config: MultiTaskConfig): MultiTaskModel | Model {
      return definition.buildModel(config as ConfigOf<S>, this);
    }
  }
  Object.defineProperty(DefinedMultiTask, 'name', { value: schema.schemaName });
  registerMultiTask(schema, DefinedMultiTask);
  return DefinedMultiTask;
}

/**
 * The multi-task of a config: each routine's task made from its config, with its weight and evaluation steps; of the class that is
 * registered for the config's schema, else {@link MultiTask}.
 */
export function getMultiTask(config: MultiTaskConfig, { loggingDir = null }: { loggingDir?: string | null } = {}): MultiTask {
  const tasks: Record<string, Task> = {};
  const taskWeights: Record<string, number> = {};
  const taskEvalSteps: Record<string, number | null> = {};
  for (const { name, config: taskConfig, routine } of namedRoutines(config.task_routines, 'task.task_routines')) {
    tasks[name] = getTask(taskConfig, { loggingDir, name });
    taskWeights[name] = routine.task_weight;
    taskEvalSteps[name] = routine.eval_steps;
  }
  const schema = schemaOf(config);
  return new (registry.get(schema) ?? MultiTask)({ tasks, taskWeights, taskEvalSteps, name: schema.schemaName });
}
