/** The single-replica view of training: what is learned, from what, and how it is measured. */
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import type { ConfigOf } from '../config/index.js';
import type { MaybePromise, Output } from '../orbit/index.js';
import type { Metric } from '../metrics/index.js';
import { OptimizerFactory, privacyTransformers } from '../optimization/index.js';
import type { Optimizer } from '../optimization/index.js';
import type { DatasetLike } from '../orbit/index.js';
import type { InputContext } from '../orbit/index.js';
import type { DataConfig, DifferentialPrivacyConfig, OptimizationConfig, RuntimeConfig, TaskConfig, TaskSchema } from './config.js';
import { applyModel, eachTensor, modelLosses, splitInputs, trainableVariables } from './model.js';
import type { Model, Tensors } from './model.js';
import type { TaskOptions } from './registry.js';
import { initializeFromCheckpoint } from './init-checkpoint.js';
import { checkLoss, inTask, requireSynchronous } from './task-checks.js';

/** Results of one step by name; `loss` holds the loss. */
export type StepLogs = { [name: string]: tf.Tensor };

/**
 * A task joins model, data, losses and metrics. Extend it, override at least `buildModel`, `buildInputs` and
 * `buildLosses`, and register it with `registerTask(schema, YourTask)`; `defineTask` is the short form.
 *
 * `trainStep`, `validationStep`, `buildLosses` and `processMetrics` are compiled: they must be synchronous, may use any
 * tfjs op, and are called twice per shape of the batch (the second call finds constants that differ) rather than once per step.
 */
export abstract class Task<S extends TaskSchema = TaskSchema> {
  /** Key of the loss in the logs of a step. */
  static readonly loss = 'loss';
  /** The task's config. */
  readonly taskConfig: ConfigOf<S>;
  /** Directory of the run, or an empty text. */
  readonly loggingDir: string;
  /** Name in messages. */
  readonly name: string;

  constructor(taskConfig: ConfigOf<S>, options: TaskOptions = {}) {
    this.taskConfig = taskConfig;
    this.loggingDir = options.loggingDir ?? '';
    this.name = options.name ?? (taskConfig as Partial<TaskConfig>).name ?? this.constructor.name;
  }

  /**
   * Makes the optimizer and its learning rate from their config.
   * @param dpConfig the task's `differential_privacy_config`: gradients are clipped and get noise
   */
  createOptimizer(
    optimizerConfig: OptimizationConfig,
    _runtimeConfig?: RuntimeConfig,
    dpConfig?: DifferentialPrivacyConfig | null,
  ): Optimizer {
    const factory = new OptimizerFactory(optimizerConfig);
    const gradientTransformers = dpConfig ? privacyTransformers(dpConfig) : null;
    return factory.buildOptimizer(factory.buildLearningRate(), { gradientTransformers });
  }

  /**
   * Prepares a fresh model; not called when a run is resumed. The default reads the model of `init_checkpoint` (a
   * checkpoint, or a directory whose newest is taken); nothing happens when that is empty.
   * @throws CheckpointError when a variable of the model is missing in the checkpoint
   */
  initialize(model: Model): MaybePromise<void> {
    const { init_checkpoint: from } = this.taskConfig as unknown as TaskConfig;
    return from ? initializeFromCheckpoint(from, model) : undefined;
  }

  /** Builds the model. */
  abstract buildModel(): Model;

  /**
   * Further objects to save in checkpoints, by name, beside model and optimizer: a second optimizer, a variable, anything with
   * `stateDict()` and `loadStateDict()`. Asked once, after `buildModel`. The default is none.
   */
  checkpointItems(): { readonly [name: string]: object } {
    return {};
  }

  /** Builds the dataset of a data config: batches, each a pair of features and labels or any nesting of arrays. */
  abstract buildInputs(data: DataConfig, inputContext?: InputContext): MaybePromise<DatasetLike>;

  /**
   * The loss of a batch, a scalar. The default is the sum of the model's own losses.
   * @param auxLosses losses of the model itself, such as weight regularisation
   */
  buildLosses(_labels: Tensors, _outputs: Tensors, auxLosses: tf.Scalar[] = []): tf.Tensor {
    return auxLosses.length > 0 ? tf.addN(auxLosses) : tf.scalar(0);
  }

  /** Metrics of training or of evaluation. The default is none. */
  buildMetrics(_training = true): Metric[] {
    return [];
  }

  /** Updates metrics with a batch. The default gives labels and outputs to each. */
  processMetrics(metrics: readonly Metric[], labels: Tensors, outputs: Tensors): void {
    for (const metric of metrics) metric.updateState(labels as tf.Tensor, outputs as tf.Tensor);
  }

  /** One update of the model. Returns the loss under `loss`. */
  trainStep(inputs: Tensors, model: Model, optimizer: Optimizer, metrics: readonly Metric[] = []): StepLogs {
    const { features, labels } = splitInputs(inputs);
    const variables = trainableVariables(model);
    if (variables.length === 0) throw new UsageError(`The model of ${this.name} has no variables to train.`);
    let outputs: Tensors | undefined;
    const { value: loss, grads } = this.#gradients(() => {
      outputs = inTask(`The model of ${this.name}`, { features }, () => applyModel(model, features, true));
      eachTensor(outputs, (t) => tf.keep(t)); // the gradient's scope would dispose of them before the metrics see them
      return this.#loss(labels, outputs, model);
    }, variables);
    optimizer.applyGradients(variables.filter((v) => grads[v.name] != null).map((v) => [grads[v.name]!, v]));
    this.#updateMetrics(metrics, labels, outputs!);
    eachTensor(outputs!, (t) => t.dispose());
    return { [Task.loss]: loss };
  }

  /** One batch of evaluation. Returns the loss under `loss`. */
  validationStep(inputs: Tensors, model: Model, metrics: readonly Metric[] = []): StepLogs {
    const { features, labels } = splitInputs(inputs);
    const outputs = inTask(`The model of ${this.name}`, { features }, () => this.inferenceStep(features, model));
    const loss = this.#loss(labels, outputs, model);
    this.#updateMetrics(metrics, labels, outputs);
    return { [Task.loss]: loss };
  }

  #loss(labels: Tensors, outputs: Tensors, model: Model): tf.Scalar {
    const where = `${this.name}.buildLosses`;
    return checkLoss(
      inTask(where, { labels, outputs }, () => this.buildLosses(labels, outputs, modelLosses(model))),
      where,
    );
  }

  #updateMetrics(metrics: readonly Metric[], labels: Tensors, outputs: Tensors): void {
    const where = `${this.name}.processMetrics`;
    requireSynchronous(
      inTask(where, { labels, outputs }, () => this.processMetrics(metrics, labels, outputs)),
      where,
    );
  }

  #gradients(loss: () => tf.Scalar, variables: tf.Variable[]): { value: tf.Scalar; grads: tf.NamedTensorMap } {
    try {
      return tf.variableGrads(loss, variables);
    } catch (error) {
      if (!(error instanceof Error) || !error.message.startsWith('Cannot find a connection')) throw error;
      throw new UsageError(
        `${this.name}.buildLosses: the loss does not depend on any variable of the model, so nothing can be learned. Compute it from the outputs with tfjs's operations; numbers read with dataSync() are no part of it.`,
        { cause: error },
      );
    }
  }

  /** The model's outputs outside training. */
  inferenceStep(features: Tensors, model: Model): Tensors {
    return applyModel(model, features, false);
  }

  /**
   * Joins the logs of one evaluation step to what earlier steps gave. Runs on the host after each step; values are
   * tensors. Returning nothing (the default) means no aggregation.
   */
  aggregateLogs(_state: unknown, _stepLogs: { readonly [name: string]: unknown }): unknown {
    return undefined;
  }

  /** Turns what `aggregateLogs` collected into results of the evaluation. The default adds none. */
  reduceAggregatedLogs(_aggregatedLogs: unknown, _globalStep?: number): MaybePromise<Output> {
    return {};
  }
}
