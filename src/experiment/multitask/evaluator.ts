/** Evaluation of a model on several tasks. */
import { Checkpoint } from '../../checkpoint/index.js';
import { UsageError } from '../../errors.js';
import { Mean } from '../../metrics/index.js';
import type { Metric } from '../../metrics/index.js';
import { AbstractEvaluator, createGlobalStep } from '../../orbit/index.js';
import type { DatasetLike, Output, SavableGlobalStep } from '../../orbit/index.js';
import type { BestCheckpointExporter } from '../best-checkpoint.js';
import { runtimeConfig, trainerConfig } from '../config.js';
import { EvaluationLoop, requireMetric } from '../evaluation-loop.js';
import type { EvaluationHost } from '../evaluation-loop.js';
import { taskInputs } from '../inputs.js';
import type { Model } from '../model.js';
import type { Task } from '../task.js';
import { Trainer } from '../trainer.js';
import { asSavable, modelOfTask } from './model.js';
import type { MultiTaskModel } from './model.js';

/** Parts of a {@link MultiTaskEvaluator}. */
export interface MultiTaskEvaluatorOptions {
  /** The tasks, by name or as a list keyed by their names. */
  evalTasks: readonly Task[] | Readonly<Record<string, Task>>;
  /** The model: one with `subTasks`, or one that all tasks share. */
  model: MultiTaskModel | Model;
  /** The count of training steps. Default: one that stays 0. */
  globalStep?: SavableGlobalStep;
  /** Batches by task; missing, null or 0: what `evaluate` is asked for. -1: all data. */
  evalSteps?: Readonly<Record<string, number | null | undefined>>;
  /** Keeps the checkpoint with the best evaluation; it gets model and step, without the optimizer. Default none. */
  checkpointExporter?: BestCheckpointExporter | null;
  /** Validation data by task. Default: the task's inputs for its `validation_data`. */
  datasets?: Readonly<Record<string, DatasetLike>>;
  /** Options of evaluations and of the run. Default: those of an experiment. */
  config?: EvaluationHost['config'];
  /** Ends an evaluation between two batches by throwing. Default: nothing does. */
  throwIfStopped?: () => void;
}

/**
 * Evaluates several tasks one after the other. The results are `{<task>: {<metrics>, validation_loss, …}}`; what a task's
 * `reduceAggregatedLogs` returns comes last. It evaluates the weights as they are, also where the optimizer keeps averages.
 */
export class MultiTaskEvaluator extends AbstractEvaluator {
  /** The tasks by name. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** The model. */
  readonly model: MultiTaskModel | Model;
  /** The count of training steps. */
  readonly globalStep: SavableGlobalStep;
  /** Model and step, and what the model adds. */
  readonly checkpoint: Checkpoint;
  readonly #options: MultiTaskEvaluatorOptions;
  readonly #loops: Readonly<Record<string, EvaluationLoop>>;

  constructor(options: MultiTaskEvaluatorOptions) {
    super();
    const { evalTasks, datasets = {}, config = { trainer: trainerConfig(), runtime: runtimeConfig() } } = options;
    const model = asSavable(options.model);
    this.#options = options;
    this.tasks = Array.isArray(evalTasks) ? byName(evalTasks) : (evalTasks as Readonly<Record<string, Task>>);
    this.model = model;
    this.globalStep = options.globalStep ?? createGlobalStep();
    this.checkpoint = new Checkpoint({ model, global_step: this.globalStep, ...model.checkpointItems });
    const shared = {
      config,
      globalStep: this.globalStep,
      checkpoint: this.checkpoint,
      checkpointExporter: null,
      nextEvalInputs: Trainer.prototype.nextEvalInputs,
      throwIfStopped: options.throwIfStopped ?? (() => {}),
    };
    const loop = ([name, task]: [string, Task]): [string, EvaluationLoop] => {
      const data = datasets[name] ?? taskInputs(task, task.taskConfig.validation_data, config.runtime.seed);
      return [name, new EvaluationLoop({ ...shared, task, model: modelOfTask(model, name) }, data)];
    };
    this.#loops = Object.fromEntries(Object.entries(this.tasks).map(loop));
  }

  /** Mean validation losses by task. */
  get validationLosses(): Readonly<Record<string, Mean>> {
    return this.#each((loop) => loop.loss);
  }

  /** Metrics of evaluation by task. */
  get validationMetrics(): Readonly<Record<string, readonly Metric[]>> {
    return this.#each((loop) => loop.metrics);
  }

  /** How many evaluations were made of each task, for checkpoints. */
  get walks(): Readonly<Record<string, object>> {
    return this.#each((loop) => loop.walks);
  }

  /**
   * Evaluates every task on its own number of batches, else `numSteps` (-1: all data), then exports the checkpoint if it is the
   * best.
   */
  override async evaluate(numSteps: number): Promise<Output> {
    const results: Record<string, Output> = {};
    for (const [name, loop] of Object.entries(this.#loops)) results[name] = await loop.run(this.#steps(name, numSteps));
    const exporter = this.#options.checkpointExporter;
    if (exporter) {
      requireMetric(results, exporter.metricName);
      await exporter.maybeExportCheckpoint(this.checkpoint, results, this.globalStep.value);
    }
    return results;
  }

  /** Tries the evaluation of every task on a few batches, for the sake of its errors. */
  async rehearse(numSteps: number): Promise<void> {
    for (const loop of Object.values(this.#loops)) await loop.rehearse(numSteps);
  }

  #steps(name: string, numSteps: number): number {
    const steps = this.#options.evalSteps?.[name] || numSteps;
    if (Number.isInteger(steps) && steps >= -1) return steps;
    throw new UsageError(`The evaluation steps of ${name} (${steps}) should be a number of batches, or -1 for all the data.`);
  }

  #each<T>(part: (loop: EvaluationLoop) => T): Record<string, T> {
    return Object.fromEntries(Object.entries(this.#loops).map(([name, loop]) => [name, part(loop)]));
  }
}

function byName(tasks: readonly Task[]): Record<string, Task> {
  const named: Record<string, Task> = {};
  for (const task of tasks) {
    if (Object.hasOwn(named, task.name)) throw new UsageError(`Two tasks to evaluate are named "${task.name}"; give one another name.`);
    named[task.name] = task;
  }
  return named;
}
