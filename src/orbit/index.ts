/** The training loop: a controller and the two inner loops that it drives. Works with any framework, or none. */
export { AbstractEvaluator, AbstractTrainer } from './abstract.js';
export * from './actions/index.js';
export type {
  CheckpointLike,
  CheckpointManagerLike,
  CheckpointsIteratorFunction,
  CheckpointsIteratorOptions,
  SaveOptions,
} from './checkpoint-manager-like.js';
export { Controller } from './controller.js';
export type { ControllerOptions, RestoreScope } from './controller-options.js';
export { type DataIterator, type DatasetLike, type Datasets, EndOfData, type IteratorsOf, type SyncDataIterator } from './dataset.js';
export { EpochHelper } from './epoch-helper.js';
export { createGlobalStep, type GlobalStepState, type SavableGlobalStep } from './global-step.js';
export { LoopClock, type LoopClockState } from './loop-clock.js';
export type { PositionState, PositionValue } from './live-iterator.js';
export {
  createLoopFn,
  createTfWhileLoopFn,
  createTfWhileLoopFnWithState,
  LoopFnWithSummaries,
  OptionalSummariesFunction,
  type ReduceFunction,
  type StepFunction,
} from './loop-fns.js';
export { type InputContext, type InputStrategy, makeDistributedDataset } from './make-distributed-dataset.js';
export { type ControllerReporter, formatOutput, type LineLogger, LineReporter, type LineReporterOptions } from './reporter.js';
export { type EvalLoopFunction, StandardEvaluator } from './standard-evaluator.js';
export type { LogEntry, RunLogger } from './run-logger.js';
export { StandardEvaluatorOptions, StandardTrainerOptions } from './standard-options.js';
export { type DataPosition, StandardTrainer, type TrainLoopFunction } from './standard-trainer.js';
export { StandardTrainerEvaluator, type StandardTrainerEvaluatorParts } from './standard-trainer-evaluator.js';
export { type ClockSeconds, StepTimer } from './step-timer.js';
export { type SummaryFunction, SummaryManager, type SummaryManagerOptions } from './summary-manager.js';
export {
  recordHistogram,
  recordScalar,
  silentSummaryWriter,
  summariesDue,
  type SummaryScope,
  withoutSummaries,
  withSummaryScope,
} from './summary-scope.js';
export {
  setDefaultSummaryWriterFactory,
  type SummaryManagerInterface,
  type SummaryWriter,
  type SummaryWriterFactory,
} from './summary-writer.js';
export type {
  Action,
  ActionContext,
  ActionFunction,
  ActionObject,
  GlobalStep,
  MaybePromise,
  NumericArray,
  Output,
  OutputValue,
  TensorLike,
} from './types.js';
export { getNumber, getValue, getValues } from './values.js';
