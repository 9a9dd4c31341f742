import { DataError, OrbitError } from '../../errors.js';
import { failAt } from '../failure.js';
import type { Cursor, Maybe, PositionValue } from '../stage.js';
import { ElementFailure, functionInWords, type PoolPlan, type Ticket } from '../workers/index.js';

/** How the results of jobs become elements. */
export interface JobShape {
  /** Elements of the source in a job; undefined: as many as the pool likes. */
  readonly size: number | undefined;
  /** Whether a job's results become one batch. */
  readonly join: boolean;
  /** Whether a last job that is not full is left out. */
  readonly dropRemainder: boolean;
  /** Whether a pass that leaves out all it has is an error. */
  readonly needsOne: boolean;
  /** Whether what becomes of an element is a list of elements. */
  readonly expand: boolean;
}

/** Elements on the way to the workers, and where the source stood before them. */
export interface Started {
  readonly first: number;
  readonly before: PositionValue;
  /** Results of the first element that were given before a restored position. */
  readonly given: number;
  addresses: readonly (PositionValue | undefined)[];
}
/** Elements at the workers. */
export type Posted = Started & { readonly ticket: Ticket };

/** A job whose results are given one by one: the element whose results are at hand, and how many of them were given. */
export interface Current {
  readonly job: Posted;
  readonly results: readonly unknown[];
  element: number;
  given: number;
}

/** Throws what became of a job with functions and element in words. */
export function jobFailed(
  functions: PoolPlan['functions'],
  source: Cursor<unknown>,
  addresses: Started['addresses'],
  error: unknown,
): Maybe<never> {
  if (!(error instanceof ElementFailure)) throw error;
  const operator = functions.map(functionInWords).join(', then ');
  const { element, cause } = error;
  if (element !== undefined) return failAt(operator, source, addresses[element], cause);
  if (cause instanceof OrbitError) throw cause;
  if (cause instanceof Error && cause.name === 'DataError') throw new DataError(cause.message, { cause }); // of joining a batch
  throw new DataError(`The function given to ${operator} failed: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
}
