/** A trainer and an evaluator in one object, for tasks that share a model between both. */
import { UsageError } from '../errors.js';
import type { AbstractEvaluator } from './abstract.js';
import type { DatasetLike, Datasets, IteratorsOf } from './dataset.js';
import { type EvalLoopFunction, StandardEvaluator } from './standard-evaluator.js';
import type { StandardEvaluatorOptions, StandardTrainerOptions } from './standard-options.js';
import { StandardTrainer } from './standard-trainer.js';
import type { MaybePromise, Output } from './types.js';

/** Data and options of both halves. */
export interface StandardTrainerEvaluatorParts<T extends Datasets, E extends Datasets> {
  /** Training data. Without them `train` is a `UsageError`. */
  trainDataset?: T | null;
  /** Evaluation data. Without them `evaluate` is a `UsageError`. */
  evalDataset?: E | null;
  /** Options of the training half. */
  trainerOptions?: Partial<StandardTrainerOptions> | null;
  /** Options of the evaluating half. */
  evaluatorOptions?: Partial<StandardEvaluatorOptions> | null;
}

/** The hooks of `StandardTrainer` and `StandardEvaluator` in one class. */
export abstract class StandardTrainerEvaluator<T extends Datasets = DatasetLike, E extends Datasets = DatasetLike>
  extends StandardTrainer<T>
  implements AbstractEvaluator
{
  readonly #evaluation: Evaluation<E>;

  constructor(parts: StandardTrainerEvaluatorParts<T, E>) {
    super(parts.trainDataset ?? missing<T>('trainDataset', 'train'), parts.trainerOptions);
    this.#evaluation = new Evaluation<E>(this, parts.evalDataset ?? missing<E>('evalDataset', 'evaluate'), parts.evaluatorOptions);
  }

  /** See `StandardEvaluator.evalDataset`. */
  get evalDataset(): E {
    return this.#evaluation.evalDataset;
  }

  set evalDataset(evalDataset: E) {
    this.#evaluation.evalDataset = evalDataset;
  }

  /** See `StandardEvaluator.evaluate`. */
  evaluate(numSteps: number): Promise<Output | null | undefined | void> {
    return this.#evaluation.evaluate(numSteps);
  }

  /** See `StandardEvaluator.evalBegin`. */
  evalBegin(): unknown {
    return undefined;
  }

  /** See `StandardEvaluator.evalStep`. */
  abstract evalStep(iterator: IteratorsOf<E>): unknown;

  /** See `StandardEvaluator.evalReduce`. */
  evalReduce(_state: unknown, _stepOutput: unknown): unknown {
    return undefined;
  }

  /** See `StandardEvaluator.evalEnd`. */
  evalEnd(_state?: unknown): MaybePromise<Output | null | undefined | void> {}

  /** See `StandardEvaluator.createEvalLoopFn`. */
  createEvalLoopFn(hasState: boolean): EvalLoopFunction<IteratorsOf<E>> {
    return this.#evaluation.defaultLoopFn(hasState);
  }
}

/** The evaluating half: takes its hooks from the whole. */
class Evaluation<E extends Datasets> extends StandardEvaluator<E> {
  readonly #whole: StandardTrainerEvaluator<never, E>;

  constructor(whole: object, evalDataset: E, options?: Partial<StandardEvaluatorOptions> | null) {
    super(evalDataset, options);
    this.#whole = whole as StandardTrainerEvaluator<never, E>;
  }

  override evalBegin(): unknown {
    return this.#whole.evalBegin();
  }

  override evalStep(iterator: IteratorsOf<E>): unknown {
    return this.#whole.evalStep(iterator);
  }

  override evalReduce(state: unknown, stepOutput: unknown): unknown {
    return this.#whole.evalReduce(state, stepOutput);
  }

  override evalEnd(state?: unknown): MaybePromise<Output | null | undefined | void> {
    return state === undefined ? this.#whole.evalEnd() : this.#whole.evalEnd(state);
  }

  override createEvalLoopFn(hasState: boolean): EvalLoopFunction<IteratorsOf<E>> {
    return this.#whole.createEvalLoopFn(hasState);
  }

  defaultLoopFn(hasState: boolean): EvalLoopFunction<IteratorsOf<E>> {
    return super.createEvalLoopFn(hasState);
  }
}

/** Stands for data that were not given: an error when they are first needed. */
function missing<D extends Datasets>(name: string, method: string): D {
  const fail = (): never => {
    throw new UsageError(`\`${name}\` is not set. Pass it to the constructor, or assign it, before \`${method}()\`.`);
  };
  return fail as DatasetLike as D;
}
