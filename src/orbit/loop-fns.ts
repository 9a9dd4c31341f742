/** Loops over a step function: the inside of an inner loop. */
import { DataError, UsageError } from '../errors.js';
import { takeTurn, turnDue } from './breathe.js';
import { EndOfData } from './dataset.js';
import { isPromise } from './maybe-promise.js';
import { summariesDue, withoutSummaries } from './summary-scope.js';
import type { MaybePromise } from './types.js';

/** One step: takes what it needs from the iterator. */
export type StepFunction<I, O = unknown> = (iterator: I) => MaybePromise<O>;

/** Folds the output of a step into the state of a loop. */
export type ReduceFunction<S, O> = (state: S, output: O) => MaybePromise<S>;

/** What {@link runSteps} did. */
export interface LoopResult<S> {
  /** Steps completed. */
  readonly steps: number;
  /** State after the last one. */
  readonly state: S;
  /** Whether the data ended before the steps were done. */
  readonly ended: boolean;
}

/**
 * Repeats a step `numSteps` times, or until the data end (-1). Steps that return no promise run without one; the event
 * loop gets a turn at least every 5 ms.
 */
export async function runSteps<I, O, S>(
  step: StepFunction<I, O>,
  iterator: I,
  numSteps: number,
  initialState: S,
  reduce: ReduceFunction<S, O> | null,
): Promise<LoopResult<S>> {
  let state = initialState;
  let steps = 0;
  try {
    while (numSteps === -1 || steps < numSteps) {
      const pending = step(iterator);
      const output = isPromise(pending) ? await pending : pending;
      if (reduce !== null) {
        const reduced = reduce(state, output);
        state = isPromise(reduced) ? await reduced : reduced;
      }
      steps += 1;
      if (turnDue()) await takeTurn();
    }
  } catch (error) {
    if (!(error instanceof EndOfData)) throw error;
    return { steps, state, ended: true };
  }
  return { steps, state, ended: false };
}

/**
 * Makes a loop that ends early, without error, where the data end.
 * @returns `loop(iterator, numSteps, state?, reduceFn?)`, which resolves to the last state; -1 steps means until the data end
 */
export function createLoopFn<I, O>(
  stepFn: StepFunction<I, O>,
): <S = undefined>(iterator: I, numSteps: number, state?: S, reduceFn?: ReduceFunction<S, O> | null) => Promise<S> {
  return async <S>(iterator: I, numSteps: number, state?: S, reduceFn?: ReduceFunction<S, O> | null) => {
    requireStepCount(numSteps, true);
    return (await runSteps(stepFn, iterator, numSteps, state as S, reduceFn ?? null)).state;
  };
}

/** Makes a loop of exactly `numSteps` steps, whose results are ignored. Data that end before: `DataError`. */
export function createTfWhileLoopFn<I>(stepFn: StepFunction<I>): (iterator: I, numSteps: number) => Promise<void> {
  return async (iterator, numSteps) => {
    requireStepCount(numSteps, false);
    requireComplete(await runSteps(stepFn, iterator, numSteps, undefined, null), numSteps);
  };
}

/** Like {@link createTfWhileLoopFn}, with a state that each step's output is folded into. */
export function createTfWhileLoopFnWithState<I, O>(
  stepFn: StepFunction<I, O>,
): <S>(iterator: I, numSteps: number, state: S, reduceFn: ReduceFunction<S, O>) => Promise<S> {
  return async (iterator, numSteps, state, reduceFn) => {
    requireStepCount(numSteps, false);
    const result = await runSteps(stepFn, iterator, numSteps, state, reduceFn);
    requireComplete(result, numSteps);
    return result.state;
  };
}

/** A function in two variants: one that may record summaries and one that cannot. */
export class OptionalSummariesFunction<A extends unknown[], R> {
  readonly #fn: (...args: A) => R;

  constructor(fn: (...args: A) => R) {
    this.#fn = fn;
  }

  /** Calls the function; summaries are recorded if they are due. */
  withSummaries(...args: A): R {
    return this.#fn(...args);
  }

  /** Calls the function with recording off. */
  withoutSummaries(...args: A): R {
    return withoutSummaries(() => this.#fn(...args));
  }
}

/** A loop of which only the first step may record summaries, and only if they are due when it begins. */
export class LoopFnWithSummaries<I> {
  readonly #loop: OptionalSummariesFunction<[I, number], Promise<void>>;

  constructor(stepFn: StepFunction<I>) {
    this.#loop = new OptionalSummariesFunction(createTfWhileLoopFn(stepFn));
  }

  /** Makes `numSteps` steps. */
  async run(iterator: I, numSteps: number): Promise<void> {
    requireStepCount(numSteps, false);
    const recorded = summariesDue() ? 1 : 0;
    if (recorded > 0) await this.#loop.withSummaries(iterator, recorded);
    if (numSteps > recorded) await this.#loop.withoutSummaries(iterator, numSteps - recorded);
  }
}

function requireStepCount(numSteps: number, mayBeAll: boolean): void {
  if ((Number.isInteger(numSteps) && numSteps >= 0) || (mayBeAll && numSteps === -1)) return;
  throw new UsageError(`The number of steps (${numSteps}) should be an integer from 0${mayBeAll ? ', or -1 for all the data' : ''}.`);
}

function requireComplete(result: LoopResult<unknown>, numSteps: number): void {
  if (!result.ended) return;
  throw new DataError(
    `The data ended after ${result.steps} of ${numSteps} steps of this loop. Repeat the data (dataset.repeat()), ask for fewer steps, ` +
      'or let loops end early with `useTfWhileLoop: false` (in a config trainer.train_tf_while_loop: false).',
  );
}
