/** The one place where the trainer meets the compiler. */
import type * as tf from '#tf';
import { compile, setSummaryRecorder, type NonFiniteValue } from '../function/index.js';
import { recordHistogram, recordScalar, summariesDue } from '../orbit/index.js';

// `summary.scalar` and `summary.histogram` inside a step write to the event files of the loop that runs, when it is due.
setSummaryRecorder({ due: summariesDue, scalar: recordScalar, histogram: recordHistogram });

/** A step ready to be called: `await step(...)`, or `step.runSync(...)` which blocks. */
export interface CompiledStep<A extends unknown[], R> {
  (...args: A): Promise<R>;
  /** Runs the step on the calling thread until it is done. */
  runSync(...args: A): R;
  /** Looks at every value of the step without changing a variable; the first that is not finite, or null. Not of an eager step. */
  findNonFinite(...args: A): NonFiniteValue | null;
  /** The variables that the step assigns, of all signatures so far; empty for an eager step. */
  readonly assignedVariables: readonly tf.Variable[];
  /** Gives native memory back. A later call compiles again. */
  dispose(): void;
}

/** Options of {@link compileStep}. */
export interface CompileStepOptions {
  /** Name of the step in error messages and profiles. */
  name: string;
  /** Run the function itself on tfjs's backend instead of compiling it: slow, for debugging. */
  eager: boolean;
}

/** Compiles a step. Its arguments are tensors or arrays of the host, in any nesting. */
export function compileStep<A extends unknown[], R>(fn: (...args: A) => R, options: CompileStepOptions): CompiledStep<A, R> {
  return compile(fn, options) as unknown as CompiledStep<A, R>;
}
