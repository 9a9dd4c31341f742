/** Training and evaluating several tasks at once. */
export {
  annealingSampleConfig,
  isMultiTask,
  multiTaskConfig,
  multiTaskExperimentConfig,
  multiTaskTrainerConfig,
  namedRoutines,
  proportionalSampleConfig,
  taskRoutine,
  taskSamplingConfig,
} from './config.js';
export type {
  MultiTaskConfig,
  MultiTaskExperimentConfig,
  MultiTaskSchema,
  MultiTaskTrainerConfig,
  MultiTaskTrainerConfigInput,
  TaskRoutine,
  TaskSamplingConfig,
} from './config.js';
export { isMultiEval, multiEvalExperimentConfig, type MultiEvalExperimentConfig, type TrainedTaskConfig } from './eval-config.js';
export { createMultiTaskTrainer, type CreateMultiTaskTrainerOptions } from './factories.js';
export { MultiEvalRunner, type MultiEvalParts, type MultiEvalRunnerOptions, runExperimentWithMultiTaskEval } from './eval-runner.js';
export { MultiTaskEvaluator, type MultiTaskEvaluatorOptions } from './evaluator.js';
export { MultiTaskInterleavingTrainer, type MultiTaskInterleavingTrainerOptions } from './interleaving-trainer.js';
export type { MultiTaskModel } from './model.js';
export {
  defineMultiTask,
  getMultiTask,
  type JointLosses,
  MultiTask,
  type MultiTaskClass,
  type MultiTaskOptions,
  registerMultiTask,
} from './multi-task.js';
export { MultiTaskRunner, type MultiTaskRunnerOptions, runMultiTaskExperiment } from './runner.js';
export {
  AnnealingTaskSampler,
  getTaskSampler,
  ProportionalTaskSampler,
  TaskSampler,
  type TaskWeights,
  UniformTaskSampler,
} from './task-sampler.js';
export { type EvaluatedTasks, MultiTaskTrainer, type MultiTaskTrainerOptions, type TaskIterators } from './trainer.js';
