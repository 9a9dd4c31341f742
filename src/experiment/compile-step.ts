/** The one place where the trainer meets the compiler, and the choice between blocking and waiting for a step. */
import * as tf from '#tf';
import { stepRandom } from '#tf';

/** A step ready to be called: `await step(...)`, or `step.runSync(...)` which blocks. */
export interface CompiledStep<A extends unknown[], R> {
  (...args: A): Promise<R>;
  /** Runs the step on the calling thread until it is done. */
  runSync(...args: A): R;
}

/** Options of {@link compileStep}. */
export interface CompileStepOptions {
  /** Name of the step in error messages and profiles. */
  name: string;
  /** Run the function itself on tfjs's backend instead of compiling it. */
  eager: boolean;
}

interface HostArray {
  readonly data: tf.TypedArray;
  readonly shape: readonly number[];
  readonly dtype: string;
}

function toTensors(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof tf.Tensor) return value;
  if ('data' in value && 'shape' in value && ArrayBuffer.isView(value.data)) {
    const { data, shape, dtype } = value as HostArray;
    return tf.tensor(data, [...shape], dtype as 'float32');
  }
  if (Array.isArray(value)) return value.map(toTensors);
  return Object.fromEntries(Object.entries(value).map(([k, v]) => [k, toTensors(v)]));
}

/** Compiles a step. */
export function compileStep<A extends unknown[], R>(fn: (...args: A) => R, _options: CompileStepOptions): CompiledStep<A, R> {
  const runSync = (...args: A): R => {
    const { seed, counter } = { seed: stepRandom.state().dataSync()[0]!, counter: stepRandom.state().dataSync()[1]! };
    stepRandom.call = 0;
    try {
      return tf.tidy(() => fn(...(toTensors(args) as A)) as tf.TensorContainer) as R;
    } finally {
      stepRandom.call = -1;
      stepRandom.setSeed(seed, counter + 1);
    }
  };
  return Object.assign(async (...args: A) => runSync(...args), { runSync });
}
