import { UsageError } from '../errors.js';

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
