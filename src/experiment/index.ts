/** Experiments: their configs, tasks, the trainer and the runner. */
export * from './registry.js';
export { type StepLogs, Task } from './task.js';
export { defineTask, type TaskDefinition } from './define-task.js';
export { type Model, type Tensors, trainableVariables } from './model.js';
export { Trainer } from './trainer.js';
export type { TrainerOptions } from './trainer-options.js';
export type { TrainingSpeed } from './training-clock.js';
export { createOptimizer, createTrainer, type CreateTrainerOptions, maybeCreateBestCkptExporter } from './factories.js';
export { runExperiment } from './run-experiment.js';
export { OrbitExperimentRunner } from './runner.js';
export {
  type ControllerClass,
  type ControllerParts,
  type RunMode,
  runModes,
  type RunnerOptions,
  type RunOutcome,
} from './runner-options.js';
export type { RunResult } from './run-result.js';
export { TrainingStopped } from './stop.js';
export { BestCheckpointExporter, type BestLogs, type MetricComparison } from './best-checkpoint.js';
export {
  RecoveryAction,
  type RecoveryActionOptions,
  RecoveryCondition,
  type RecoveryConditionOptions,
  RecoveryCounter,
} from './recovery.js';
export { EarlyStopping, type EarlyStoppingOptions } from './early-stopping.js';
export { ReduceOnPlateau, type ReduceOnPlateauOptions } from './reduce-on-plateau.js';
export type { PlateauOptions } from './plateau.js';
export { StochasticWeightAveraging, type StochasticWeightAveragingOptions } from './stochastic-weight-averaging.js';
export { EMACheckpointing, type EMACheckpointingOptions } from './ema-checkpointing.js';
export { castLeafNestedDict, getLeafNestedDict } from './nested-logs.js';
export { modelSummary, tryCountFlops, tryCountParams, writeModelParams } from './model-info.js';
export { runContinuousFinetune, type ContinuousFinetuneOptions } from './continuous-finetune.js';
export {
  ExportingCheckpointManager,
  type ExportingCheckpointManagerOptions,
  savedModelNumber,
  type SavedModelsIteratorOptions,
} from './exporting-checkpoint-manager.js';
export { findLearningRate, type FindLearningRateOptions, type LearningRatePoint, type LearningRateSearch } from './lr-finder.js';
export { earlyStoppingConfig, reduceOnPlateauConfig } from './plateau-config.js';
export { lookup, register, type Registry, type RegistryKey } from './hierarchical-registry.js';
export { type ExperimentSources, resolveExperimentConfig } from './parse-config.js';
export { configureOptimizer, setMixedPrecisionPolicy } from './precision.js';
export { serializeConfig } from './serialize.js';
export { writeJsonSummary } from './run-files.js';
export * from './config.js';
export * from './multitask/index.js';
export * from './progressive/index.js';
export { makeRunner } from './make-runner.js';
export { samplesPerStep } from './samples.js';
