/** Putting the parts of an experiment together. */
import { variablePaths } from '../tf/object-paths.js';
import type { Optimizer } from '../optimization/index.js';
import { asAveraging } from './averaging.js';
import path from 'node:path';
import { CheckpointManager } from '../checkpoint/index.js';
import { variableHolder } from '../function/index.js';
import { BestCheckpointExporter } from './best-checkpoint.js';
import { retention, saveTrigger } from './checkpoint-policies.js';
import { getDistributionStrategy } from '../distribute/index.js';
import type { DistributionStrategy } from '../distribute/index.js';
import type { ExperimentConfig, RuntimeConfig, TaskConfig } from './config.js';
import { taskInputs } from './inputs.js';
import { trainableVariables } from './model.js';
import { FirstBatches } from './overfit-data.js';
import { requireModel } from './task-checks.js';
import { ConfigError, UsageError } from '../errors.js';
import type { Task } from './task.js';
import { Trainer } from './trainer.js';
import type { TrainerOptions } from './trainer-options.js';

/** Makes an optimizer; every {@link Task} does. */
export type OptimizerMaker = Pick<Task, 'name' | 'createOptimizer'>;

/**
 * The optimizer of an experiment, made by its task.
 * @throws ConfigError for a wrong config; UsageError when the task's `createOptimizer` does not take the privacy config that is set
 */
export function createOptimizer(task: OptimizerMaker, params: ExperimentConfig): Optimizer {
  const privacy = (params.task as Partial<TaskConfig>).differential_privacy_config ?? null;
  if (privacy !== null && [1, 2].includes(task.createOptimizer.length))
    throw new UsageError(
      `${task.name}.createOptimizer takes ${task.createOptimizer.length} parameters and would ignore task.differential_privacy_config. Take it as the third, ` +
        'createOptimizer(optimizerConfig, runtimeConfig, dpConfig), and pass privacyTransformers(dpConfig) as gradientTransformers; or set it to null.',
    );
  try {
    return task.createOptimizer(params.trainer.optimizer_config, params.runtime, privacy);
  } catch (error) {
    const field =
      error instanceof ConfigError ? /^(optimizer|learning_rate|warmup|ema|differential_privacy_config)\b/.exec(error.message) : null;
    if (!(error instanceof ConfigError) || field === null) throw error;
    const prefix = field[0].startsWith('differential') ? 'task' : 'trainer.optimizer_config';
    throw new ConfigError(`${prefix}.${error.message}`, { path: `${prefix}.${error.path}`, cause: error });
  }
}

/** Options of {@link createTrainer} beside config and task. */
export interface CreateTrainerOptions extends Pick<TrainerOptions, 'train' | 'evaluate' | 'checkpointExporter'> {
  /** Class of the trainer. Default {@link Trainer}. */
  trainerClass?: new (options: TrainerOptions) => Trainer;
}

/** Builds the task's model, then the optimizer, then the trainer. */
export function createTrainer(params: ExperimentConfig, task: Task, options: CreateTrainerOptions = {}): Trainer {
  const { trainerClass = Trainer, train = true, evaluate = true, checkpointExporter = null } = options;
  const { overfit_batches: few } = params.trainer;
  const data = train || few > 0 ? taskInputs(task, params.task.train_data, params.runtime.seed, true) : null; // files load while the model is built
  const first = few > 0 && data !== null ? new FirstBatches(data, few) : null;
  const trainDataset = first?.repeated ?? data;
  const model = requireModel(task.buildModel(), task);
  const optimizer = createOptimizer(task, params);
  optimizer.setVariablePaths(variablePaths(model));
  asAveraging(optimizer)?.shadowCopy([...variablePaths(model).keys()] as never);
  if (train) optimizer.build(trainableVariables(model));
  const parts = { config: params, task, model, optimizer, train, evaluate, trainDataset, checkpointExporter };
  return new trainerClass({ ...parts, validationDataset: first?.once ?? null });
}

/**
 * The manager of a run's checkpoints, which saves when and keeps what the config says.
 * It needs the run's directory, and the batches in an epoch of its data where they are known.
 * @throws UsageError without a directory
 */
export function createCheckpointManager(
  params: ExperimentConfig,
  trainer: Trainer,
  { directory, stepsPerEpoch }: { readonly directory: string; readonly stepsPerEpoch: number | null },
): CheckpointManager {
  if (!directory) throw new UsageError('modelDir is missing: checkpoints need a directory.');
  return new CheckpointManager({
    ...{ checkpoint: trainer.checkpoint, directory, ...retention(params.trainer) },
    trigger: saveTrigger(params.trainer, stepsPerEpoch),
    stepCounter: trainer.globalStep,
    checkpointInterval: params.trainer.checkpoint_interval,
    initFn: () => trainer.initialize(),
    variables: variableHolder,
  });
}

/** The strategy that the runtime's config names. */
export function strategyOf(runtime: RuntimeConfig): DistributionStrategy {
  return getDistributionStrategy({
    distributionStrategy: runtime.distribution_strategy,
    numGpus: runtime.num_gpus,
    allReduceAlg: runtime.all_reduce_alg,
    tpuAddress: runtime.tpu,
  });
}

/** The exporter of best checkpoints that the config asks for; null unless sub-directory, metric and `dataDir` are all given. */
export function maybeCreateBestCkptExporter(params: ExperimentConfig, dataDir: string | null | undefined): BestCheckpointExporter | null {
  const {
    best_checkpoint_export_subdir: subdir,
    best_checkpoint_eval_metric: metric,
    best_checkpoint_metric_comp: comparison,
  } = params.trainer;
  if (!dataDir || !subdir || !metric) return null;
  return new BestCheckpointExporter(path.join(dataDir, subdir), metric, comparison);
}
