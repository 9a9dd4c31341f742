/** What a controller is made of, and the checks of it. */
import { UsageError } from '../errors.js';
import type { AbstractEvaluator, AbstractTrainer } from './abstract.js';
import type { CheckpointManagerLike, CheckpointsIteratorFunction } from './checkpoint-manager-like.js';
import { isGlobalStep } from './global-step.js';
import type { LoopClock } from './loop-clock.js';
import { requireKnownOptions } from './options.js';
import type { ControllerReporter } from './reporter.js';
import type { RunLogger } from './run-logger.js';
import type { SummaryManagerInterface, SummaryWriterFactory } from './summary-writer.js';
import type { Action, GlobalStep } from './types.js';

/** The scope in which checkpoints are restored, where a distribution strategy needs one. */
export interface RestoreScope {
  /** Runs `body` inside the scope. */
  scope?<T>(body: () => T): T;
}

/** Parts and settings of a `Controller`. `null` means the same as leaving an option out. */
export interface ControllerOptions {
  /** The count of training steps, which the trainer advances. */
  globalStep: GlobalStep;
  /** The inner training loop. Trainer, evaluator or both must be given. */
  trainer?: AbstractTrainer | null;
  /** The evaluation. */
  evaluator?: AbstractEvaluator | null;
  /** Its scope is used for restores. */
  strategy?: RestoreScope | null;
  /** Called after every inner training loop, in this order. */
  trainActions?: Iterable<Action> | null;
  /** Called after every evaluation, in this order. */
  evalActions?: Iterable<Action> | null;
  /** Steps of an inner loop: a number from 1, or a function of the current step. Required with a trainer. */
  stepsPerLoop?: number | ((step: number) => number) | null;
  /** Without one nothing is saved or restored; without a `checkpointInterval` of its own nothing is saved. */
  checkpointManager?: CheckpointManagerLike | null;
  /** Write checkpoints in the background. Default false. */
  enableAsyncCheckpointing?: boolean | null;
  /** Steps between two records of the summaries made inside `trainer.train`, a multiple of `stepsPerLoop`. Default: none are recorded. */
  summaryInterval?: number | null;
  /** Directory of the training summaries. Default: none are written. */
  summaryDir?: string | null;
  /** Directory of the evaluation summaries. Default: `summaryDir`. */
  evalSummaryDir?: string | null;
  /** Writes the training summaries, in place of the default manager for `summaryDir`. */
  summaryManager?: SummaryManagerInterface | null;
  /** Writes the evaluation summaries; ignored where they share a directory with those of training (also none). */
  evalSummaryManager?: SummaryManagerInterface | null;
  /** Makes the writers of the default summary managers. Default: event files, which `Controller.create` loads; with `new`, import `orbit-ts/summary` first. */
  summaryWriterFactory?: SummaryWriterFactory | null;
  /** Finds new checkpoints for `evaluateContinuously`. Default: the checkpoint manager's own function. */
  checkpointsIterator?: CheckpointsIteratorFunction | null;
  /** Remembers where loops and evaluations end; part of the checkpoint. Default: none, so that a resumed run starts its loops anew. */
  loopClock?: LoopClock | null;
  /** Further places for the results of loops and evaluations. The controller closes them. Default: none. */
  loggers?: readonly RunLogger[] | null;
  /** Examples in one training step; adds `samples_per_second` to the results of training. Default: it is not told. */
  samplesPerStep?: number | null;
  /** Hears what happens. Default: a `LineReporter`, which prints. */
  reporter?: ControllerReporter | null;
}

const KNOWN: readonly (keyof ControllerOptions)[] = [
  'globalStep',
  'trainer',
  'evaluator',
  'strategy',
  'trainActions',
  'evalActions',
  'stepsPerLoop',
  'checkpointManager',
  'enableAsyncCheckpointing',
  'summaryInterval',
  'summaryDir',
  'evalSummaryDir',
  'summaryManager',
  'evalSummaryManager',
  'summaryWriterFactory',
  'checkpointsIterator',
  'loopClock',
  'loggers',
  'samplesPerStep',
  'reporter',
];

/** Checks the options of a controller in the order of the original; the first fault is a `UsageError`. */
export function validateControllerOptions(options: ControllerOptions): void {
  requireKnownOptions('Controller', options, KNOWN);
  if (!options.trainer && !options.evaluator) {
    throw new UsageError('`trainer` and `evaluator` should not both be missing: a controller needs at least one of them.');
  }
  if (options.trainer) validateTrainingOptions(options);
  if (!isGlobalStep(options.globalStep)) {
    throw new UsageError('`globalStep` should be a step counter (see `createGlobalStep`), with `value`, `assign` and `assignAdd`.');
  }
  requireMethod(options.trainer, 'trainer', 'train');
  requireMethod(options.evaluator, 'evaluator', 'evaluate');
  options.loggers?.forEach((logger, i) => requireMethod(logger, `loggers[${i}]`, 'log'));
}

function validateTrainingOptions({ stepsPerLoop, summaryInterval }: ControllerOptions): void {
  if (stepsPerLoop === null || stepsPerLoop === undefined) {
    throw new UsageError('`stepsPerLoop` is required when `trainer` is given.');
  }
  if (typeof stepsPerLoop !== 'function') requireStepsPerLoop(stepsPerLoop);
  if (summaryInterval === null || summaryInterval === undefined) return;
  if (!Number.isInteger(summaryInterval) || summaryInterval <= 0) {
    throw new UsageError(`\`summaryInterval\` (${summaryInterval}) must be an integer larger than 0.`);
  }
  if (typeof stepsPerLoop !== 'function' && summaryInterval % stepsPerLoop !== 0) {
    throw new UsageError(`\`summaryInterval\` (${summaryInterval}) must be a multiple of \`stepsPerLoop\` (${stepsPerLoop}).`);
  }
}

/** Checks the length of an inner loop and returns it. */
export function requireStepsPerLoop(steps: number): number {
  if (Number.isInteger(steps) && steps >= 1) return steps;
  throw new UsageError(`\`stepsPerLoop\` (${steps}) must be a positive integer, or a function that returns one.`);
}

function requireMethod(part: object | null | undefined, name: string, method: string): void {
  if (!part || typeof (part as Record<string, unknown>)[method] === 'function') return;
  throw new UsageError(`\`${name}\` should have a method \`${method}\`.`);
}

/** Checks a target step and returns it. */
export function requireTargetStep(steps: number, name: string): number {
  if (Number.isSafeInteger(steps) && steps >= 0) return steps;
  throw new UsageError(`\`${name}\` (${steps}) should be the global step to train to, an integer from 0.`);
}

/** Checks the number of steps of an evaluation and returns it. */
export function requireEvalSteps(steps: number): number {
  if (Number.isInteger(steps) && (steps > 0 || steps === -1)) return steps;
  throw new UsageError(`The number of evaluation steps (${steps}) should be an integer > 0, or -1 for all the data.`);
}

/** Checks an interval between evaluations and returns it; 0 if there is none. */
export function requireInterval(interval: number | null | undefined): number {
  if (interval === null || interval === undefined) return 0;
  if (Number.isInteger(interval) && interval >= 0) return interval;
  throw new UsageError(`\`evalInterval\` (${interval}) should be an integer from 0 (0: evaluate only at the end).`);
}
