/** What a trainer is made of, and what it refuses. */
import { UsageError } from '../errors.js';
import type { DatasetLike } from '../orbit/index.js';
import type { Optimizer } from '../optimization/index.js';
import type { BestCheckpointExporter } from './best-checkpoint.js';
import type { DataConfig, ExperimentConfig } from './config.js';
import type { EvaluationLoop } from './evaluation-loop.js';
import { taskInputs } from './inputs.js';
import type { LossWatch } from './loss-watch.js';
import type { Model } from './model.js';
import type { Task } from './task.js';
import type { TrainStep } from './train-step.js';
import type { Trainer } from './trainer.js';

/** Parts of a {@link Trainer}. */
export interface TrainerOptions {
  /** The experiment's config: `trainer`, `task` and `runtime` are read. */
  config: ExperimentConfig;
  /** What is trained. */
  task: Task;
  /** The model, as the task built it. */
  model: Model;
  /** The optimizer. */
  optimizer: Optimizer;
  /** Prepare for training. Default true. */
  train?: boolean;
  /** Prepare for evaluation. Default true. */
  evaluate?: boolean;
  /** Training data. Default: the task's inputs for `config.task.train_data`. */
  trainDataset?: DatasetLike | null;
  /** Validation data. Default: the task's inputs for `config.task.validation_data`. */
  validationDataset?: DatasetLike | null;
  /** Keeps the checkpoint with the best evaluation. Default none. */
  checkpointExporter?: BestCheckpointExporter | null;
}

/** What subclasses within this package put in place of the trainer's own parts. */
export interface TrainerParts {
  /** Makes the evaluation. Default: that of `task` on the validation data. */
  evaluation?: (trainer: Trainer) => Evaluation;
  /** Makes what makes training steps. Default: a step of `task` on one batch, or on several that are accumulated. */
  step?: (trainer: Trainer, watch: LossWatch) => StepMaker;
}

/** Makes training steps. */
export type StepMaker = Pick<TrainStep, 'run' | 'inspect'> & Partial<Pick<TrainStep, 'dispose' | 'assignedVariables'>>;

/** Makes evaluations. */
export interface Evaluation
  extends Pick<EvaluationLoop, 'loss' | 'metrics' | 'run' | 'rehearse'>, Partial<Pick<EvaluationLoop, 'forgetModel'>> {
  /** State of the evaluations, for checkpoints. */
  readonly walks: object;
}

/** Looks for the parts of the config and the data that a trainer cannot do without. @throws UsageError */
export function checkTrainerOptions({ config, trainDataset, validationDataset }: TrainerOptions): void {
  if (!config?.trainer) throw new UsageError('Trainer: the config has no `trainer` part; make it with experimentConfig({ ... }).');
  if (!config.task) throw new UsageError('Trainer: the config has no `task` part; make it with experimentConfig({ ... }).');
  requireData(config.task.train_data, trainDataset, 'train_data', 'trainDataset');
  requireData(config.task.validation_data, validationDataset, 'validation_data', 'validationDataset');
}

/** What is trained on: the data that were passed, or the task's. */
export function trainingData({ config, task, trainDataset }: TrainerOptions): DatasetLike {
  return trainDataset ?? taskInputs(task, config.task.train_data, config.runtime.seed);
}

/** What is evaluated: the data that were passed, or the task's. */
export function validationData({ config, task, validationDataset }: TrainerOptions): DatasetLike {
  return validationDataset ?? taskInputs(task, config.task.validation_data, config.runtime.seed);
}

/** Refuses to give what the trainer was made without. @throws UsageError */
export function missingPart(what: string, part: 'train' | 'evaluate'): never {
  throw new UsageError(`Trainer.${what} is not available: the trainer was made with ${part}: false.`);
}

function requireData(config: DataConfig | null | undefined, dataset: unknown, name: string, option: string): void {
  if (config || dataset) return;
  throw new UsageError(`Trainer: config.task has no ${name} and no ${option} was passed; give one of them.`);
}
