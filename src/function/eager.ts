/** `compile(fn, { eager: true })`: the function itself, for debugging. */
import * as tf from '#tf';
import { stepRandom } from '#tf';
import { UsageError } from '../errors.js';
import type { CompiledFunction } from './compiled-function.js';
import { flattenArguments, flattenResult } from './structure.js';

/** Runs `fn` on tfjs's own backend with the random numbers that a compiled step would draw. */
export function eagerFunction<Args extends readonly unknown[], Result>(
  fn: (...args: unknown[]) => unknown,
  name: string,
): CompiledFunction<Args, Result> {
  const runSync = (...args: unknown[]): unknown => {
    const flat = flattenArguments(args, name);
    stepRandom.state();
    stepRandom.call = 0;
    try {
      return tf.tidy(() => {
        const tensors = flat.leaves.map((leaf) => tf.tensor(leaf.data().slice(), [...leaf.shape], leaf.dtype));
        const { tensors: results, rebuild } = flattenResult(fn(...flat.rebuild(tensors)), name);
        return rebuild(results) as tf.TensorContainer;
      });
    } finally {
      if (stepRandom.call > 0) {
        const [seed, counter] = stepRandom.state().dataSync() as Int32Array;
        stepRandom.setSeed(seed!, counter! + 1);
      }
      stepRandom.call = -1;
    }
  };
  const refuse = (what: string) => (): never => {
    throw new UsageError(`"${name}" runs eagerly; it has no ${what}. Compile it without { eager: true }.`);
  };
  const self = (...args: unknown[]): Promise<unknown> => Promise.resolve().then(() => runSync(...args));
  return Object.assign(self, {
    runSync,
    traceCount: 0,
    assignedVariables: [],
    graph: refuse('graph'),
    graphWith: refuse('graph'),
    toOnnx: refuse('ONNX form'),
    toOnnxWith: refuse('ONNX form'),
    profile: refuse('profile'),
    findNonFinite: refuse('check of its values'),
    memory: () => ({ variableBytes: 0, bufferBytes: 0, arenaBytes: 0, nativeBytes: 0 }),
    dispose: () => {},
  }) as unknown as CompiledFunction<Args, Result>;
}
