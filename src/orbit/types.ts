/** The few shapes that inner loops, actions and the controller exchange. */
import type { CheckpointManagerLike } from './checkpoint-manager-like.js';

/** A tensor of any framework, recognised by its methods: something with a `shape` that can give its values. */
export interface TensorLike {
  /** Size of each axis; `[]` for a scalar. */
  readonly shape: readonly number[];
  /** Values as nested arrays (a number for a scalar), blocking. */
  arraySync?(): unknown;
  /** Values in row-major order, blocking. */
  dataSync?(): ArrayLike<number | string>;
  /** Values as nested arrays (a number for a scalar). */
  array?(): Promise<unknown>;
  /** Values in row-major order. */
  data?(): Promise<ArrayLike<number | string>>;
}

/** Arrays of numbers as JavaScript stores them. */
export type NumericArray =
  | Float32Array
  | Float64Array
  | Int8Array
  | Int16Array
  | Int32Array
  | Uint8Array
  | Uint8ClampedArray
  | Uint16Array
  | Uint32Array
  | BigInt64Array
  | BigUint64Array;

/** One entry of an {@link Output}: a number, something that holds numbers, or a nested dictionary. */
export type OutputValue =
  | number
  | bigint
  | boolean
  | string
  | null
  | undefined
  | NumericArray
  | TensorLike
  | readonly OutputValue[]
  | { [key: string]: OutputValue };

/**
 * What an inner loop returns: results by name. A nested dictionary becomes a sub-directory of summaries. Actions see
 * tensors as they are; summaries, log lines and what `evaluate` returns have plain numbers and nested arrays.
 */
export type Output = { [key: string]: OutputValue };

/** A value, or a promise of it. */
export type MaybePromise<T> = T | Promise<T>;

/** What an action may know of the run, and do to it. */
export interface ActionContext {
  /** The count of training steps. */
  readonly globalStep: GlobalStep;
  /** Saves and restores, or null. */
  readonly checkpointManager: CheckpointManagerLike | null;
  /**
   * Ends the training: no further training loop or evaluation is begun, the last checkpoint is saved and `train` or
   * `trainAndEvaluate` returns. The first reason given counts.
   */
  stop(reason: string): void;
}

/** An action written as a function. Called with the raw output of the inner loop that just ended; it may change it. */
export type ActionFunction = (output: Output, context: ActionContext) => unknown;

/**
 * An action written as an object: any of these methods. What they return is awaited and otherwise ignored; an error ends the
 * training. Whichever list of actions the object stands in, all its methods are called; in both lists each is called once.
 *
 * Their order: `trainBegin`; for each inner loop `loopBegin`, `run` of train actions, `checkpointSaved` if one was; for each
 * evaluation `evaluationBegin`, `run` of eval actions; `trainEnd`. Objects are called in the order of the lists, train actions first.
 */
export interface ActionObject {
  /** After a training loop (in `trainActions`) or an evaluation (in `evalActions`), with its raw output, which it may change. */
  run?(output: Output, context: ActionContext): unknown;
  /** `train` or `trainAndEvaluate` begins: the newest checkpoint is restored, no step was made. */
  trainBegin?(context: ActionContext): unknown;
  /** An inner training loop of `numSteps` steps begins. */
  loopBegin?(numSteps: number, context: ActionContext): unknown;
  /** An evaluation begins; `numSteps` is -1 for all the data. */
  evaluationBegin?(numSteps: number, context: ActionContext): unknown;
  /** A checkpoint is complete on disk; of a background save it may be told during a later loop. */
  checkpointSaved?(event: { readonly path: string; readonly step: number }, context: ActionContext): unknown;
  /** `train` or `trainAndEvaluate` ends; `error` is what ended it, or null. Called also after an error, for clean-up. */
  trainEnd?(error: unknown, context: ActionContext): unknown;
}

/** Something to do at certain moments of a run: a function, or an object such as a class instance with some of the methods. */
export type Action = ActionFunction | ActionObject;

/**
 * The count of training steps done: a counter of the host, owned by the trainer, who adds the steps it makes. The
 * controller only reads it (and restores it with everything else).
 */
export interface GlobalStep {
  /** Steps done; an integer from 0. */
  readonly value: number;
  /** Sets the count. */
  assign(value: number): void;
  /** Adds `delta` steps to the count. */
  assignAdd(delta: number): void;
}
