/** An evaluator that needs only a step. */
import { UsageError } from '../errors.js';
import { AbstractEvaluator } from './abstract.js';
import type { DatasetLike, Datasets, IteratorsOf } from './dataset.js';
import { LiveData } from './live-data.js';
import { createLoopFn, createTfWhileLoopFn, createTfWhileLoopFnWithState } from './loop-fns.js';
import { checkedEvaluatorOptions, type StandardEvaluatorOptions } from './standard-options.js';
import { requireDatasets } from './standard-trainer.js';
import type { MaybePromise, Output } from './types.js';

/** Makes `numSteps` evaluation steps (-1: all) from a starting state and resolves to the last state. */
export type EvalLoopFunction<I> = (iterator: I, numSteps: number, state: unknown) => MaybePromise<unknown>;

/**
 * Calls `evalStep` once per step. One evaluation is: `state = evalBegin()`, n × `state = evalReduce(state,
 * evalStep(iterator))`, `evalEnd(state)`, whose result is the evaluation's output.
 */
export abstract class StandardEvaluator<D extends Datasets = DatasetLike> extends AbstractEvaluator {
  readonly #options: StandardEvaluatorOptions;
  readonly #data: LiveData<D>;
  #loop: EvalLoopFunction<IteratorsOf<D>> | null = null;

  /** @param evalDataset a dataset, or a record or array of datasets (which then cannot be evaluated to their end) */
  constructor(evalDataset: D, options?: Partial<StandardEvaluatorOptions> | null) {
    super();
    this.#options = checkedEvaluatorOptions(options);
    this.#data = new LiveData(requireDatasets(evalDataset, 'evalDataset'));
  }

  /** The evaluation data. Assigning others starts them at their first batch. */
  get evalDataset(): D {
    return this.#data.datasets;
  }

  set evalDataset(evalDataset: D) {
    this.#data.datasets = requireDatasets(evalDataset, 'evalDataset');
  }

  /** Options in use. */
  get evaluatorOptions(): StandardEvaluatorOptions {
    return this.#options;
  }

  override async evaluate(numSteps: number): Promise<Output | null | undefined | void> {
    if (this.#options.useTfWhileLoop && numSteps === -1) {
      throw new UsageError('Evaluating all the data (-1 steps) is not possible with `useTfWhileLoop: true`: give a number of steps.');
    }
    const initialState = await this.evalBegin();
    this.#loop ??= this.createEvalLoopFn(hasValue(initialState));
    const state = await this.#runLoop(this.#loop, numSteps, initialState);
    return hasValue(state) ? this.evalEnd(state) : this.evalEnd();
  }

  async #runLoop(loop: EvalLoopFunction<IteratorsOf<D>>, numSteps: number, initialState: unknown): Promise<unknown> {
    if (!this.#options.recreateIteratorForEachEval) return loop(await this.#data.open(), numSteps, initialState);
    await this.#data.close();
    try {
      return await loop(await this.#data.open(), numSteps, initialState);
    } finally {
      await this.#data.close();
    }
  }

  /** Runs before each evaluation, before the data are opened. Its result is the first state. Returns nothing by default. */
  evalBegin(): unknown {
    return undefined;
  }

  /**
   * One evaluation step.
   * @param iterator where to take batches from: `(await iterator.next()).value`
   * @returns what {@link evalReduce} gets
   */
  abstract evalStep(iterator: IteratorsOf<D>): unknown;

  /** Folds the output of a step into the state. Returns nothing by default. */
  evalReduce(_state: unknown, _stepOutput: unknown): unknown {
    return undefined;
  }

  /** Runs after each evaluation and returns its output. `state` is left out if there is none. */
  evalEnd(_state?: unknown): MaybePromise<Output | null | undefined | void> {}

  /**
   * Makes the loop over {@link evalStep}; called once.
   * @param hasState whether the first {@link evalBegin} returned a state
   */
  createEvalLoopFn(hasState: boolean): EvalLoopFunction<IteratorsOf<D>> {
    const step = (iterator: IteratorsOf<D>): unknown => this.evalStep(iterator);
    const reduce = (state: unknown, output: unknown): unknown => this.evalReduce(state, output);
    if (!this.#options.useTfWhileLoop) {
      const loop = createLoopFn(step);
      return (iterator, numSteps, state) => loop(iterator, numSteps, state, reduce);
    }
    if (!hasState) return createTfWhileLoopFn(step);
    const loop = createTfWhileLoopFnWithState(step);
    return (iterator, numSteps, state) => loop(iterator, numSteps, state, reduce);
  }
}

function hasValue(state: unknown): boolean {
  return state !== null && state !== undefined;
}
