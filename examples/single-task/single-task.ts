/** A trainer and an evaluator for one model and batches that are dictionaries, as in Orbit's single-task example. */
import { compile, Mean, StandardEvaluator, StandardTrainer, trainableVariables } from 'orbit-ts';
import type { DataIterator, DatasetLike, GlobalStep, Metric, Model, Optimizer, Output } from 'orbit-ts';
import * as tf from 'orbit-ts/tf';

/** A batch: features by name, one of the entries is the label. */
export type Batch = { [name: string]: tf.Tensor };

/** Takes the label out of a batch. A model of one input gets the one tensor that is left, else a list in the order of names. */
function split(batch: Batch, labelKey: string): { features: tf.Tensor | tf.Tensor[]; labels: tf.Tensor } {
  const { [labelKey]: labels, ...rest } = batch;
  if (labels === undefined) throw new Error(`The batch has no "${labelKey}"; it has ${Object.keys(batch).join(', ')}.`);
  const features = Object.keys(rest)
    .sort()
    .map((name) => rest[name]!);
  return { features: features.length === 1 ? features[0]! : features, labels };
}

/** Parts of a {@link SingleTaskTrainer}. */
export interface SingleTaskTrainerParts {
  trainDataset: DatasetLike;
  /** Entry of the batch that holds the labels. */
  labelKey: string;
  model: Model;
  /** Loss of each example; its mean is minimised. */
  lossFn: (labels: tf.Tensor, outputs: tf.Tensor) => tf.Tensor;
  optimizer: Optimizer;
  globalStep: GlobalStep;
  /** Metrics beside `training_loss`. */
  metrics?: readonly Metric[];
}

/** Trains one model on one dataset. */
export class SingleTaskTrainer extends StandardTrainer {
  readonly #metrics: readonly Metric[];
  readonly #globalStep: GlobalStep;
  readonly #step: (batch: Batch) => Promise<unknown>;

  constructor({ trainDataset, labelKey, model, lossFn, optimizer, globalStep, metrics = [] }: SingleTaskTrainerParts) {
    super(trainDataset);
    const trainingLoss = new Mean('training_loss');
    this.#metrics = [trainingLoss, ...metrics];
    this.#globalStep = globalStep;
    const variables = trainableVariables(model);
    this.#step = compile(
      (batch: Batch) => {
        const { features, labels } = split(batch, labelKey);
        let outputs!: tf.Tensor;
        const { value: loss, grads } = tf.variableGrads(() => {
          outputs = tf.keep(model.apply(features, { training: true }) as tf.Tensor);
          return lossFn(labels, outputs).mean() as tf.Scalar;
        }, variables);
        optimizer.applyGradients(variables.map((v) => [grads[v.name]!, v]));
        trainingLoss.updateState(loss);
        for (const metric of metrics) metric.updateState(labels, outputs);
        outputs.dispose();
      },
      { name: 'single_task_train_step' },
    ) as (batch: Batch) => Promise<unknown>;
  }

  override trainLoopBegin(): void {
    for (const metric of this.#metrics) metric.resetState();
  }

  override async trainStep(iterator: DataIterator): Promise<void> {
    const { value } = await iterator.next();
    await this.#step(value as Batch);
    this.#globalStep.assignAdd(1);
  }

  override trainLoopEnd(): Output {
    return Object.fromEntries(this.#metrics.map((metric) => [metric.name, metric.result()]));
  }
}

/** Parts of a {@link SingleTaskEvaluator}. */
export interface SingleTaskEvaluatorParts {
  evalDataset: DatasetLike;
  /** Entry of the batch that holds the labels. */
  labelKey: string;
  model: Model;
  metrics: readonly Metric[];
}

/** Evaluates one model on one dataset. */
export class SingleTaskEvaluator extends StandardEvaluator {
  readonly #metrics: readonly Metric[];
  readonly #step: (batch: Batch) => Promise<unknown>;

  constructor({ evalDataset, labelKey, model, metrics }: SingleTaskEvaluatorParts) {
    super(evalDataset);
    this.#metrics = metrics;
    this.#step = compile(
      (batch: Batch) => {
        const { features, labels } = split(batch, labelKey);
        const outputs = model.apply(features, { training: false }) as tf.Tensor;
        for (const metric of metrics) metric.updateState(labels, outputs);
      },
      { name: 'single_task_eval_step' },
    ) as (batch: Batch) => Promise<unknown>;
  }

  override evalBegin(): void {
    for (const metric of this.#metrics) metric.resetState();
  }

  override async evalStep(iterator: DataIterator): Promise<void> {
    await this.#step((await iterator.next()).value as Batch);
  }

  override evalEnd(): Output {
    return Object.fromEntries(this.#metrics.map((metric) => [metric.name, metric.result()]));
  }
}
