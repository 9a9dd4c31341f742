import type { PositionValue } from '../stage.js';
import type { Ticket } from '../workers/index.js';

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
