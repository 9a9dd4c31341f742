/** Joint training of several tasks, and what interleaved training shares with it. */
import { ConfigError, UsageError } from '../../errors.js';
import type { Mean, Metric } from '../../metrics/index.js';
import type { Optimizer } from '../../optimization/index.js';
import type { DataIterator, DatasetLike, MaybePromise, Output } from '../../orbit/index.js';
import { variablePaths } from '../../tf/object-paths.js';
import { asAveraging } from '../averaging.js';
import type { WeightAverages } from '../averaging.js';
import type { BestCheckpointExporter } from '../best-checkpoint.js';
import type { ExperimentConfig } from '../config.js';
import { taskInputs } from '../inputs.js';
import { LabelCheck } from '../label-check.js';
import type { Model, Tensors } from '../model.js';
import type { Task } from '../task.js';
import { Trainer } from '../trainer.js';
import type { Evaluation, TrainerOptions, TrainerParts } from '../trainer-options.js';
import type { MultiTaskExperimentConfig } from './config.js';
import { MultiTaskEvaluator } from './evaluator.js';
import { JoinedTask, TaskResults } from './joined-task.js';
import { asSavable, modelOfTask, multiTaskVariables } from './model.js';
import type { MultiTaskModel } from './model.js';
import type { MultiTask } from './multi-task.js';

/** Parts of a trainer of several tasks. */
export interface MultiTaskTrainerOptions extends Pick<TrainerOptions, 'train' | 'evaluate'> {
  /** The experiment's config: `trainer` and `runtime` are read. */
  config: MultiTaskExperimentConfig;
  /** The tasks. */
  multiTask: MultiTask;
  /** The model that they share. */
  model: MultiTaskModel | Model;
  /** The optimizer that serves all of them. */
  optimizer: Optimizer;
  /** Training data by task. Default: each task's inputs for its `train_data`. */
  trainDatasets?: Readonly<Record<string, DatasetLike>> | null;
  /** Validation data by task. Default: each task's inputs for its `validation_data`. */
  validationDatasets?: Readonly<Record<string, DatasetLike>> | null;
  /** Keeps the checkpoint with the best evaluation. Default none. */
  checkpointExporter?: BestCheckpointExporter | null;
  /** What is evaluated. Default: the tasks that are trained, each on its own number of batches. */
  evaluated?: EvaluatedTasks | null;
}

/** Tasks to evaluate. */
export interface EvaluatedTasks {
  /** The tasks by name. */
  readonly tasks: Readonly<Record<string, Task>>;
  /** Batches by task; missing, null or 0: what an evaluation is asked for. */
  readonly steps: Readonly<Record<string, number | null>>;
}

/** An iterator per task. */
export type TaskIterators = Readonly<Record<string, DataIterator>>;

/**
 * Trains several tasks jointly: a step takes a batch of every task and makes one update on the weighted sum of their losses. A loop
 * gives `{total_loss: {training_loss}, <task>: {training_loss, <metrics>}, learning_rate}`; the tasks' losses are unweighted.
 * Evaluations are those of a {@link MultiTaskEvaluator}.
 */
export class MultiTaskTrainer extends Trainer {
  /** The tasks. */
  readonly multiTask: MultiTask;
  /** Losses and metrics of the training loop that runs. */
  protected readonly results: TaskResults;
  readonly #labels: Readonly<Record<string, LabelCheck>>;

  constructor(options: MultiTaskTrainerOptions, parts: TrainerParts = {}) {
    const { config, multiTask, optimizer, train = true, evaluate = true, checkpointExporter = null } = options;
    const model = asSavable(options.model);
    refuseOptions(config);
    prepare(model, optimizer, train);
    const task = new JoinedTask(multiTask, config.task, model);
    const datasets = options.trainDatasets ?? inputsOf(multiTask, config.runtime.seed);
    super(
      {
        config: config as unknown as ExperimentConfig,
        ...{ task, optimizer, train, evaluate, checkpointExporter, model: model as Model },
        trainDataset: datasets as unknown as DatasetLike,
        validationDataset: () => [],
      },
      { evaluation: (trainer) => evaluationOf(trainer, options), ...parts },
    );
    this.multiTask = multiTask;
    this.results = task.results = new TaskResults(multiTask);
    const checks = Object.entries(multiTask.tasks).map(([name, { name: label }]) => {
      return [name, new LabelCheck(modelOfTask(model, name), this.results.metrics[name]!, label)] as const;
    });
    this.#labels = Object.fromEntries(checks);
    if (train) this.checkpoint.add('task_metrics', this.results.items);
  }

  /** Mean losses of the training loop that runs, by task. */
  get trainingLosses(): Readonly<Record<string, Mean>> {
    return this.results.losses;
  }

  /** Training metrics by task. */
  get trainingMetrics(): Readonly<Record<string, readonly Metric[]>> {
    return this.results.metrics;
  }

  /** Takes a batch of every task. */
  override nextTrainInputs(iterators: DataIterator): MaybePromise<Tensors> {
    const names = Object.keys(this.multiTask.tasks);
    const batches = names.map((name) => this.nextBatch(name, iterators as unknown as TaskIterators));
    const joined = (all: Tensors[]): Tensors => Object.fromEntries(names.map((name, i) => [name, all[i]!]));
    return batches.some((batch) => batch instanceof Promise)
      ? Promise.all(batches as Promise<Tensors>[]).then(joined)
      : joined(batches as Tensors[]);
  }

  /** Takes a batch of one task and looks at its labels. */
  nextBatch(name: string, iterators: TaskIterators): MaybePromise<Tensors> {
    const checked = (batch: Tensors): Tensors => {
      this.#labels[name]!.check(batch);
      return batch;
    };
    const batch = super.nextTrainInputs(iterators[name]!);
    return batch instanceof Promise ? batch.then(checked) : checked(batch);
  }

  override releaseBatch(iterators: DataIterator, inputs: Tensors): void {
    for (const [name, batch] of Object.entries(inputs)) (iterators as unknown as TaskIterators)[name]?.release?.(batch);
  }

  override async trainLoopEnd(): Promise<Output> {
    const { training_loss: total, learning_rate } = await super.trainLoopEnd();
    return { total_loss: { training_loss: total! }, ...this.results.take(), learning_rate: learning_rate! };
  }

  override watchedLogs(output: Output): Output {
    return output['total_loss'] as Output;
  }

  /** None of the optimizer's: as in the original, several tasks are evaluated with the weights themselves. */
  protected override averagesForEvaluation(): WeightAverages | null {
    return asAveraging(this.optimizer) === null ? super.averagesForEvaluation() : null;
  }
}

function evaluationOf(trainer: Trainer, options: MultiTaskTrainerOptions): Evaluation {
  const { multiTask, model, config, validationDatasets, checkpointExporter, evaluated } = options;
  const { tasks, steps } = evaluated ?? { tasks: multiTask.tasks, steps: multiTask.taskEvalSteps };
  const evaluator = new MultiTaskEvaluator({
    evalTasks: tasks,
    evalSteps: steps,
    ...{ model, config, checkpointExporter, datasets: validationDatasets ?? {} },
    globalStep: trainer.globalStep,
    throwIfStopped: () => trainer.throwIfStopped(),
  });
  return asEvaluation(evaluator);
}

/** An evaluator of several tasks in the place of a trainer's evaluation. */
export function asEvaluation(evaluator: MultiTaskEvaluator): Evaluation {
  const perTask = (): never => {
    throw new UsageError('Several tasks have no common validation loss or metrics; read those of each task from the results.');
  };
  return {
    run: (numSteps) => evaluator.evaluate(numSteps),
    rehearse: (numSteps) => evaluator.rehearse(numSteps),
    walks: evaluator.walks,
    get loss() {
      return perTask();
    },
    get metrics() {
      return perTask();
    },
  };
}

/** The training data of every task. */
function inputsOf(multiTask: MultiTask, seed: number): Record<string, DatasetLike> {
  const tasks = Object.entries(multiTask.tasks);
  return Object.fromEntries(tasks.map(([name, task]) => [name, taskInputs(task, task.taskConfig.train_data, seed)]));
}

/** Names, averages and slots of the variables, before the first step. */
function prepare(model: MultiTaskModel | Model, optimizer: Optimizer, train: boolean): void {
  (model as Partial<MultiTaskModel>).build?.();
  const paths = variablePaths(model);
  optimizer.setVariablePaths(paths);
  const averaging = asAveraging(optimizer);
  if (averaging !== null && !averaging.hasShadowCopy) averaging.shadowCopy([...paths.keys()] as never);
  if (train) optimizer.build(multiTaskVariables(model));
}

/** Options of single tasks that would have no effect here. */
function refuseOptions({ trainer }: MultiTaskExperimentConfig): void {
  for (const [field, neutral] of [
    ['grad_accumulation_steps', 1],
    ['overfit_batches', 0],
  ] as const) {
    if (trainer[field] !== neutral)
      throw new ConfigError(`trainer.${field}: several tasks are trained with ${neutral} only, got ${trainer[field]}.`, {
        path: `trainer.${field}`,
      });
  }
}
