/** The short form of a task: an object of functions instead of a class. */
import type * as tf from '#tf';
import { didYouMean, nearestName } from '../config/index.js';
import type { ConfigOf } from '../config/index.js';
import { UsageError } from '../errors.js';
import type { InputContext } from '../orbit/index.js';
import type { Metric } from '../metrics/index.js';
import type { Optimizer } from '../optimization/index.js';
import type { DatasetLike, MaybePromise, Output } from '../orbit/index.js';
import type { DataConfig, DifferentialPrivacyConfig, OptimizationConfig, RuntimeConfig, TaskConfig, TaskSchema } from './config.js';
import type { Model, Tensors } from './model.js';
import { registerTask } from './registry.js';
import type { TaskClass } from './registry.js';
import { Task } from './task.js';
import type { StepLogs } from './task.js';

/** A data config of a task: with the fields of its own that the schema of `train_data` or `validation_data` has. */
type DataOf<C> = C extends { readonly train_data: infer T extends DataConfig; readonly validation_data: infer V extends DataConfig }
  ? T | V
  : DataConfig;

/**
 * What a task does, as functions. All but the first three may be left out, and `buildLosses` where a `trainStep` has no use
 * for it; `this` is the task. Types of labels and outputs follow from the annotations, a single tensor each without any.
 */
export interface TaskDefinition<C, L extends Tensors = tf.Tensor, O extends Tensors = tf.Tensor, M extends Model = Model> {
  /** Builds the model from the task's config. */
  buildModel(config: C): M;
  /** Builds the dataset of a data config. */
  buildInputs(data: DataOf<C>, config: C, inputContext?: InputContext): MaybePromise<DatasetLike>;
  /** The loss of a batch, a scalar. */
  buildLosses?(labels: L, outputs: O, auxLosses: tf.Scalar[], config: C): tf.Tensor;
  /** Metrics of training or evaluation. */
  buildMetrics?(training: boolean, config: C): Metric[];
  /** See {@link Task.createOptimizer}. */
  createOptimizer?(
    this: Task,
    optimizerConfig: OptimizationConfig,
    runtimeConfig?: RuntimeConfig,
    dpConfig?: DifferentialPrivacyConfig | null,
  ): Optimizer;
  /** See {@link Task.processMetrics}. */
  processMetrics?(this: Task, metrics: readonly Metric[], labels: L, outputs: O): void;
  /** See {@link Task.checkpointItems}. */
  checkpointItems?(this: Task): { readonly [name: string]: object };
  /** See {@link Task.initialize}. */
  initialize?(this: Task, model: Model): MaybePromise<void>;
  /** See {@link Task.trainStep}. */
  trainStep?(this: Task, inputs: Tensors, model: M, optimizer: Optimizer, metrics?: readonly Metric[]): StepLogs;
  /** See {@link Task.validationStep}. */
  validationStep?(this: Task, inputs: Tensors, model: M, metrics?: readonly Metric[]): StepLogs;
  /** See {@link Task.inferenceStep}. */
  inferenceStep?(this: Task, features: Tensors, model: M): Tensors;
  /** See {@link Task.aggregateLogs}. */
  aggregateLogs?(this: Task, state: unknown, stepLogs: { readonly [name: string]: unknown }): unknown;
  /** See {@link Task.reduceAggregatedLogs}. */
  reduceAggregatedLogs?(this: Task, aggregatedLogs: unknown, globalStep?: number): MaybePromise<Output>;
}

const passedOn = [
  ...['createOptimizer', 'checkpointItems', 'initialize', 'processMetrics', 'trainStep', 'validationStep', 'inferenceStep'],
  ...['aggregateLogs', 'reduceAggregatedLogs'],
] as (keyof TaskDefinition<TaskConfig>)[];
const members: readonly string[] = ['buildModel', 'buildInputs', 'buildLosses', 'buildMetrics', ...passedOn];

function checkDefinition(definition: { readonly [member: string]: unknown }, where: string): void {
  for (const [member, value] of Object.entries(definition)) {
    if (!members.includes(member))
      throw new UsageError(
        `${where}: a task has no "${member}".${didYouMean(nearestName(member, members))} It has: ${members.join(', ')}. For members of your own write a class that extends Task.`,
      );
    if (value !== undefined && typeof value !== 'function') throw new UsageError(`${where}: ${member} should be a function.`);
  }
  for (const member of ['buildModel', 'buildInputs'])
    if (definition[member] === undefined) throw new UsageError(`${where}: ${member} is missing.`);
  if (definition['buildLosses'] === undefined && definition['trainStep'] === undefined)
    throw new UsageError(`${where}: buildLosses is missing: without it there is nothing to learn.`);
}

/**
 * Makes and registers the task of a config schema from functions.
 *
 * ```ts
 * const spamTask = taskConfig({ units: 64 }, { name: 'spam' });
 * defineTask(spamTask, {
 *   buildModel: (config) => tf.sequential({ layers: [tf.layers.dense({ units: config.units, inputShape: [10] })] }),
 *   buildInputs: (data) => fromArrays([x, y]).batch(data.global_batch_size),
 *   buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
 * });
 * ```
 *
 * @returns the class, which is registered for the schema
 * @throws UsageError when a function is missing or is none of a task's
 */
export function defineTask<S extends TaskSchema, L extends Tensors = tf.Tensor, O extends Tensors = tf.Tensor, M extends Model = Model>(
  schema: S,
  definition: TaskDefinition<ConfigOf<S>, L, O, M>,
): TaskClass<ConfigOf<S>> {
  checkDefinition(definition as object as { [member: string]: unknown }, `defineTask of ${schema.schemaName}`);
  const defined = definition as unknown as TaskDefinition<TaskConfig>;
  class DefinedTask extends Task {
    override buildModel(): Model {
      return defined.buildModel(this.taskConfig);
    }
    override buildInputs(data: DataConfig, inputContext?: InputContext): MaybePromise<DatasetLike> {
      return defined.buildInputs(data, this.taskConfig, inputContext);
    }
    override buildLosses(labels: Tensors, outputs: Tensors, auxLosses: tf.Scalar[] = []): tf.Tensor {
      return defined.buildLosses === undefined
        ? super.buildLosses(labels, outputs, auxLosses)
        : defined.buildLosses(labels as tf.Tensor, outputs as tf.Tensor, auxLosses, this.taskConfig);
    }
    override buildMetrics(training = true): Metric[] {
      return defined.buildMetrics?.(training, this.taskConfig) ?? [];
    }
  }
  Object.defineProperty(DefinedTask, 'name', { value: schema.schemaName });
  for (const member of passedOn) {
    const value = defined[member];
    if (value !== undefined) Object.defineProperty(DefinedTask.prototype, member, { value, writable: true, configurable: true });
  }
  registerTask(schema, DefinedTask as unknown as TaskClass<ConfigOf<S>>);
  return DefinedTask as unknown as TaskClass<ConfigOf<S>>;
}
