/** The evaluation half of a trainer. */
import { ConfigError, DataError } from '../errors.js';
import { notice } from '../notice.js';
import { Mean } from '../metrics/index.js';
import type { Metric } from '../metrics/index.js';
import { StandardEvaluator } from '../orbit/index.js';
import type { DataIterator, DatasetLike, MaybePromise, Output } from '../orbit/index.js';
import { compileStep } from './compile-step.js';
import type { CompiledStep } from './compile-step.js';
import { LabelCheck } from './label-check.js';
import type { Tensors } from './model.js';
import { getLeafNestedDict } from './nested-logs.js';
import { StepRunner } from './step-runner.js';
import { EvaluationWalks } from './evaluation-walks.js';
import { Task } from './task.js';
import { requireMetrics, requireStepLogs } from './task-checks.js';
import type { StepLogs } from './task.js';
import type { Trainer } from './trainer.js';

/** What an evaluation reads of its trainer. */
export type EvaluationHost = Pick<
  Trainer,
  'task' | 'model' | 'nextEvalInputs' | 'throwIfStopped' | 'globalStep' | 'checkpoint' | 'checkpointExporter'
> & {
  /** The options of evaluations. */
  readonly config: Pick<Trainer['config'], 'trainer' | 'runtime'>;
};

/** Evaluates a trainer's model: compiled validation steps, metrics, the best checkpoint. */
export class EvaluationLoop extends StandardEvaluator<DatasetLike> {
  /** Mean of the validation losses. */
  readonly loss = new Mean('validation_loss');
  /** The task's validation metrics. */
  readonly metrics: readonly Metric[];
  readonly #trainer: EvaluationHost;
  /** Whether the task wants the logs of every step on the host. */
  readonly #aggregates: boolean;
  #silent: StepRunner<[Tensors]> | null = null;
  #logging: CompiledStep<[Tensors], StepLogs> | null = null;
  readonly #extent: Extent;
  /** Counts the evaluations, since shuffled data come in another order each time. Part of checkpoints. */
  readonly walks: EvaluationWalks;
  #hasLoss = false;
  #steps = 0;
  #isRehearsal = false;
  #labels: LabelCheck | null = null;

  constructor(trainer: EvaluationHost, dataset: DatasetLike) {
    const { config, task } = trainer;
    const extent: Extent = { wholeData: false };
    const walks = new EvaluationWalks();
    super(walks.over(finiteWhere(dataset, extent, `${task.name}.buildInputs`)), {
      useTfFunction: config.trainer.eval_tf_function,
      useTfWhileLoop: config.trainer.eval_tf_while_loop,
    });
    this.#extent = extent;
    this.walks = walks;
    this.#trainer = trainer;
    this.metrics = requireMetrics(task.buildMetrics(false), task, this.loss.name);
    this.#aggregates = task.aggregateLogs !== Task.prototype.aggregateLogs;
  }

  /** One evaluation. */
  async run(numSteps: number): Promise<Output> {
    this.#extent.wholeData = numSteps === -1;
    const logs = (await this.evaluate(numSteps)) ?? {};
    this.walks.done();
    return logs;
  }

  /** Evaluates a few batches for the sake of the errors only: no results, no best checkpoint, nothing counted. */
  async rehearse(numSteps: number): Promise<void> {
    this.#isRehearsal = true;
    try {
      this.#extent.wholeData = false;
      await this.evaluate(numSteps);
    } finally {
      this.#isRehearsal = false;
    }
  }

  /** The trainer has another model: steps are compiled anew. */
  forgetModel(): void {
    this.#silent?.dispose();
    this.#logging?.dispose();
    [this.#silent, this.#logging, this.#labels] = [null, null, null];
  }

  override evalBegin(): void {
    for (const metric of [...this.metrics, this.loss]) metric.resetState();
    this.#steps = 0;
  }

  override evalStep(iterator: DataIterator): MaybePromise<Output | undefined> {
    this.#trainer.throwIfStopped();
    const next = this.#trainer.nextEvalInputs(iterator);
    return next instanceof Promise ? next.then((n) => this.#runStep(n)) : this.#runStep(next);
  }

  #runStep({ inputs, passthroughLogs }: { inputs: Tensors; passthroughLogs?: Output }): MaybePromise<Output | undefined> {
    (this.#labels ??= new LabelCheck(this.#trainer.model, this.metrics, this.#trainer.task.name)).check(inputs);
    this.#steps += 1;
    if (!this.#aggregates) {
      const done = (this.#silent ??= new StepRunner(this.#compile((logs) => void logs))).run(inputs);
      return done?.then(() => undefined);
    }
    this.#logging ??= this.#compile((logs) => logs);
    return this.#logging(inputs).then((logs) => this.#merge(passthroughLogs ?? {}, logs));
  }

  #compile<R>(result: (logs: StepLogs) => R): CompiledStep<[Tensors], R> {
    const { task, model, config } = this.#trainer;
    const step = (inputs: Tensors): R => {
      const logs = requireStepLogs(task.validationStep(inputs, model, this.metrics), `${task.name}.validationStep`);
      const loss = logs[Task.loss];
      this.#hasLoss = loss !== undefined;
      if (loss !== undefined) this.loss.updateState(loss);
      return result(logs);
    };
    return compileStep(step, { name: 'validation_step', eager: config.runtime.run_eagerly });
  }

  /** Each log of the step becomes the list of its values per replica; logs of the step win over those passed through. */
  #merge(passthrough: Output, logs: StepLogs): Output {
    const merged: Output = { ...passthrough };
    for (const [key, value] of Object.entries(logs)) {
      if (Object.hasOwn(passthrough, key)) notice(`The log "${key}" of nextEvalInputs is replaced by that of the validation step.`);
      merged[key] = [value];
    }
    return merged;
  }

  override evalReduce(state: unknown, stepOutput: unknown): unknown {
    return this.#aggregates ? this.#trainer.task.aggregateLogs(state, stepOutput as Output) : undefined;
  }

  override async evalEnd(aggregated?: unknown): Promise<Output> {
    const { task, globalStep, checkpoint, checkpointExporter } = this.#trainer;
    if (this.#steps === 0) {
      throw new DataError(
        `The evaluation saw no batch: the validation data of ${task.name} hold fewer examples than one batch, or none. ` +
          'Lower task.validation_data.global_batch_size, or keep short batches with task.validation_data.drop_remainder: false.',
      );
    }
    const logs: Output = {};
    for (const metric of this.metrics) logs[metric.name] = metric.result();
    if (this.#hasLoss && this.#steps > 0) logs[this.loss.name] = this.loss.result();
    if (aggregated) Object.assign(logs, await task.reduceAggregatedLogs(aggregated, globalStep.value));
    if (checkpointExporter !== null && !this.#isRehearsal) {
      requireMetric(logs, checkpointExporter.metricName);
      await checkpointExporter.maybeExportCheckpoint(checkpoint, logs, globalStep.value);
      logs[`best_${checkpointExporter.metricName}`] = checkpointExporter.bestValue;
    }
    return logs;
  }
}

interface Extent {
  /** Whether all of the data are evaluated. */
  wholeData: boolean;
}

/** The dataset, opened with a check that it ends where all of it is to be evaluated. */
function finiteWhere(dataset: DatasetLike, extent: Readonly<Extent>, where: string): DatasetLike {
  return async () => {
    const opened = typeof dataset === 'function' ? await dataset() : dataset;
    if (extent.wholeData && (opened as { length?: unknown }).length === Infinity) {
      throw new DataError(
        `${where} repeats the validation data for ever, and trainer.validation_steps: -1 evaluates all of them. ` +
          'Call .repeat() only where data.is_training is true, or set trainer.validation_steps.',
      );
    }
    return opened;
  };
}

/** A wrong name of the watched metric must not go unnoticed, and nothing is exported under it. @throws ConfigError */
export function requireMetric(logs: Output, name: string): void {
  try {
    getLeafNestedDict(logs, name.split('|'));
  } catch (error) {
    throw new ConfigError(
      `trainer.best_checkpoint_eval_metric: ${(error as Error).message} Name one of the evaluation's results; nested names are joined with "|".`,
      { path: 'trainer.best_checkpoint_eval_metric', cause: error },
    );
  }
}
