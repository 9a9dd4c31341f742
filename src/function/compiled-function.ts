/** What `compile` returns. */
import type * as tf from '#tf';
import type { NonFiniteValue } from './find-non-finite.js';
import type { OnnxOptions } from './graph/export.js';
import type { PrintOptions } from './graph/print.js';
import type { Profile } from './profile.js';
import type { Feed } from './structure.js';

/** Arguments of a compiled function: arrays may stand for tensors. */
export type Feeds<Args extends readonly unknown[]> = { [K in keyof Args]: Feed<Args[K]> };

/** Memory that a compiled function holds, in bytes. */
export interface CompiledMemory {
  /** Both buffers of every variable that it reads or assigns; functions that share a variable share these. */
  readonly variableBytes: number;
  /** Inputs, outputs, captured tensors and values between two graphs. */
  readonly bufferBytes: number;
  /** What ONNX Runtime keeps for intermediate values; undefined with a library older than 1.23, which cannot tell. */
  readonly arenaBytes: number | undefined;
  /** All of these together. Constants and code of the graph itself are not counted. */
  readonly nativeBytes: number;
}

/** A function that runs natively. Call it, await the result. */
export interface CompiledFunction<Args extends readonly unknown[], Result> {
  /**
   * Runs the step; traces and compiles it first when the arguments' dtypes, shapes or structure are new. Calls of compiled
   * functions that overlap run one after the other in the order in which they were made; a call that has to wait takes the
   * arguments as they were when it was made.
   */
  (...args: Feeds<Args>): Promise<Result>;
  /** As calling, but blocks until the step has run. An error while another call runs in the background. */
  runSync(...args: Feeds<Args>): Result;
  /** Number of signatures traced so far. */
  readonly traceCount: number;
  /** The variables that the programs traced so far assign, but for the state of the random numbers. Empty for an eager function. */
  readonly assignedVariables: readonly tf.Variable[];
  /** The program for these arguments as readable text: every operation with shapes, part of the model and source line. */
  graph(...args: Feeds<Args>): string;
  /** As `graph`, with options. */
  graphWith(options: PrintOptions, ...args: Feeds<Args>): string;
  /** The program for these arguments as an ONNX model; variables are inputs, their new values outputs. */
  toOnnx(...args: Feeds<Args>): Uint8Array;
  /** As `toOnnx`, with options: names of inputs and outputs, and variables as constants of the model. */
  toOnnxWith(options: OnnxOptions, ...args: Feeds<Args>): Uint8Array;
  /**
   * Runs the step a few times under ONNX Runtime's profiler, without changing any variable; print the result for tables of
   * the time per operation and per part of the model. An error while another call runs in the background.
   */
  profile(...args: Feeds<Args>): Profile;
  /**
   * Runs the step with every value checked, without changing any variable, and tells where NaN or an infinity first appears;
   * null when all results are finite. Takes as long as tracing and a few steps. An error while another call runs in the
   * background.
   */
  findNonFinite(...args: Feeds<Args>): NonFiniteValue | null;
  /** The memory held for the signatures that ran. */
  memory(): CompiledMemory;
  /** Gives native memory back, after the run in the background if there is one. A later call compiles again. */
  dispose(): void;
}
