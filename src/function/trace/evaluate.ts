/** Computes a symbolic value on tfjs's cpu backend, by replaying the calls that lead to it. */
import * as tf from '#tf';
import { stepRandom } from '#tf';
import { sizeOf, zeros, type TypedArray } from '../dtype.js';
import type { Value } from '../graph/ir.js';
import { LOOP } from '../graph/loop.js';
import { initScope } from '../init-scope.js';
import { cpuBackend, engine, type CpuData } from './engine.js';

/** What a replay may read: constants alone, or also variables and captured tensors as they are now. */
export type EvaluationScope = 'constants' | 'state';

/**
 * Computes a value eagerly.
 *
 * @param current with scope `state`: maps a variable to its data bucket outside the trace.
 * @returns a fresh array, or undefined when the value depends on something the scope excludes.
 */
export function evaluate(value: Value, scope: EvaluationScope, current?: (variable: tf.Variable) => object): TypedArray | undefined {
  if (!reachable(value, scope, new Set())) return undefined;
  let result: TypedArray | undefined; // tidy would look for tensors among the elements of an array that it returns
  initScope(() =>
    tf.tidy(() => {
      const memo = new Map<Value, tf.Tensor>();
      const tensor = run(value, memo, current);
      // tfjs's cast shares memory where it can: a float32 tensor may lie in an array of whole numbers.
      result = zeros(value.dtype, tensor.size);
      result.set(tensor.dataSync() as TypedArray);
    }),
  );
  return result;
}

function reachable(value: Value, scope: EvaluationScope, seen: Set<Value>): boolean {
  if (seen.has(value)) return true;
  seen.add(value);
  switch (value.source.kind) {
    case 'constant':
      return true;
    case 'input':
      return false;
    case 'variable':
    case 'captured':
      return scope === 'state';
    case 'call':
      if (stepRandom.kernels.has(value.source.call.kernel) && scope === 'constants') return false;
      if (value.source.call.kernel === LOOP) return false;
      return value.source.call.inputs.every((v) => reachable(v, scope, seen));
  }
}

function run(value: Value, memo: Map<Value, tf.Tensor>, current: ((variable: tf.Variable) => object) | undefined): tf.Tensor {
  const known = memo.get(value);
  if (known !== undefined) return known;
  const { source } = value;
  const shape = [...value.shape];
  let result: tf.Tensor;
  switch (source.kind) {
    case 'constant':
      result = tf.tensor(source.data.slice(), shape, value.dtype);
      break;
    case 'captured':
      result = tf.tensor((source.tensor.dataSync() as TypedArray).slice(), shape, value.dtype);
      break;
    case 'variable': {
      const data: CpuData = cpuBackend().data.get(current!(source.variable));
      result = tf.tensor(data.values.slice(0, sizeOf(shape)), shape, value.dtype);
      break;
    }
    case 'input':
      throw new Error('an input has no value during a trace');
    case 'call': {
      const { call } = source;
      const inputs: tf.NamedTensorMap = {};
      call.inputNames.forEach((name, i) => (inputs[name] = run(call.inputs[i]!, memo, current)));
      const list = call.inputNames[0] === '0' ? (Object.values(inputs) as unknown as tf.NamedTensorMap) : inputs;
      const out = engine().runKernel(call.kernel, list, call.attrs);
      const outs = Array.isArray(out) ? out : [out];
      call.outputs.forEach((v, i) => memo.set(v, outs[i]!));
      return memo.get(value)!;
    }
  }
  memo.set(value, result);
  return result;
}
