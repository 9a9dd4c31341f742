import { UsageError } from '../errors.js';
import { describe } from './structure.js';

/** Checks that an argument of an operator is a data set, and gives its stage. */
export function asStage<S>(dataset: { readonly stage: S }, operator: string): S {
  const stage = (dataset as { readonly stage?: S } | null | undefined)?.stage;
  if (typeof stage === 'object' && stage !== null) return stage;
  throw new UsageError(
    `${operator} needs a data set, but ${describe(dataset)} was given; fromItems and fromIterable make one of other things.`,
  );
}

/** Checks that an argument is a list. */
export function asList<T>(value: readonly T[], what: string): readonly T[] {
  if (Array.isArray(value)) return value;
  throw new UsageError(`${what} is ${describe(value)}, expected a list.`);
}

/** Checks that an argument of an operator is a function. */
export function asFunction<F>(fn: F, operator: string): F {
  if (typeof fn !== 'function') throw new UsageError(`${operator} needs a function, but ${typeof fn} was given.`);
  return fn;
}

/** Checks that an argument is a whole number of at least `least`. */
export function whole(value: number, what: string, least: number): number {
  if (Number.isSafeInteger(value) && value >= least) return value;
  const bound = least === -Number.MAX_SAFE_INTEGER ? '' : ` of at least ${least}`;
  throw new UsageError(`${what} is ${String(value)}, expected a whole number${bound}.`);
}
