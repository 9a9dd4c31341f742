/** What the threads tell each other. */

import type { ElementNumber } from '../stage.js';
import type { PlacedFunction } from './named-function.js';

/** Places of the numbers that a thread shares. */
export const Progress = {
  /** Messages sent. */
  sent: 0,
  /** Elements begun. */
  begun: 1,
  /** The job of the element at work. */
  job: 2,
  /** Number of that element within the job. */
  element: 3,
} as const;

/** What a worker thread is started with. */
export interface ThreadStart {
  /** The functions to apply to every element, one after the other. */
  readonly functions: readonly PlacedFunction[];
  /** Modules to import first. */
  readonly imports: readonly string[];
  /** What the thread does at this moment: one number for each of {@link Progress}. */
  readonly progress: Int32Array;
  readonly port: import('node:worker_threads').MessagePort;
}

/** Elements to work on. */
export interface JobRequest {
  readonly id: number;
  /** Pass and index of every element, one after the other: of many small objects the copy would take longer. */
  readonly numbers: Float64Array;
  /** The elements, taken apart. */
  readonly text: string;
  /** Set where they are the rows of a batch: how many there are. */
  readonly rows: number | undefined;
  readonly bytes: ArrayBuffer;
  /** Whether the results are joined into one batch. */
  readonly join: boolean;
  /** Shared memory that may take the result. */
  readonly slot: SharedArrayBuffer | undefined;
}

/** An error of another thread. */
export interface ThreadError {
  readonly name: string;
  readonly message: string;
  readonly stack: string;
}

/** What became of a job. */
export type JobAnswer =
  /** `memory`: where the result lies; undefined: in the slot that came with the job. */
  | { readonly id: number; readonly text: string; readonly memory: SharedArrayBuffer | undefined }
  /** `element`: which one of the job failed; undefined: joining them did. */
  | { readonly id: number; readonly error: ThreadError; readonly element: number | undefined };

/** What a thread sends: answers, or that it cannot work at all. */
export type ThreadMessage = JobAnswer | { readonly fatal: ThreadError };

/** {@link JobRequest.numbers} of elements. */
export function flatNumbers(numbers: readonly ElementNumber[]): Float64Array {
  const flat = new Float64Array(2 * numbers.length);
  for (let i = 0, at = 0; i < numbers.length; i++) {
    flat[at++] = numbers[i]!.pass;
    flat[at++] = numbers[i]!.index;
  }
  return flat;
}

/** The number of an element of a job. */
export function numberAt(numbers: Float64Array, element: number): ElementNumber {
  return { pass: numbers[2 * element]!, index: numbers[2 * element + 1]! };
}
