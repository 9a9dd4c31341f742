/** What the threads tell each other. */

/** What a worker thread is started with. */
export interface ThreadStart {
  /** The functions to apply to every element, one after the other. */
  readonly functions: readonly { readonly module: string; readonly exportName: string }[];
  /** Modules to import first. */
  readonly imports: readonly string[];
  readonly seed: number;
  /** Element 0 counts the messages that the thread has sent. */
  readonly sent: Int32Array;
  readonly port: import('node:worker_threads').MessagePort;
}

/** Elements to work on. */
export interface JobRequest {
  readonly id: number;
  readonly pass: number;
  /** Number of the first element within the pass. */
  readonly first: number;
  /** The list of elements, taken apart. */
  readonly text: string;
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
