import { sizeOf } from '../../dtype.js';
import { makeCall, makeValue, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';
import { BROADCASTING } from '../elementwise-kernels.js';
import { uniformValue } from '../uniform.js';

/**
 * Computes on small tensors what is broadcast afterwards: gradients of sums and means fill whole tensors with the same few
 * numbers, and arithmetic on those (divide by the count, times the input) needs the few numbers alone.
 */
export function narrowBroadcasts(graph: Graph): Graph {
  const narrow = new Map<Value, Value>();
  return rewriteCalls(graph, (call, replace) => {
    const [out] = call.outputs as [Value];
    const source = broadcastSource(call);
    if (source !== undefined) {
      narrow.set(out, narrow.get(source) ?? source);
      return undefined;
    }
    if (!BROADCASTING.has(call.kernel) || sizeOf(out.shape) === 0) return undefined;
    const small = call.inputs.map((v) => narrow.get(v) ?? scalarOf(v) ?? v);
    if (small.every((v, i) => v === call.inputs[i])) return undefined;
    const shape = broadcastShape(small);
    const named = Object.fromEntries(call.inputNames.map((name, i) => [name, small[i]!]));
    const made = makeCall(call.kernel, named, call.attrs, [{ dtype: out.dtype, shape }], call.origin);
    const [result] = made.outputs as [Value];
    if (shape.join() === out.shape.join()) {
      replace(out, result);
      return [made];
    }
    if (sizeOf(shape) === sizeOf(out.shape)) return undefined;
    const whole = makeCall('BroadcastTo', { x: result }, { shape: [...out.shape] }, [out], call.origin);
    narrow.set(whole.outputs[0]!, result);
    replace(out, whole.outputs[0]!);
    return [made, whole];
  });
}

/** What a call does nothing but broadcast; undefined for other calls. */
function broadcastSource(call: Call): Value | undefined {
  const [out] = call.outputs as [Value];
  const [a, b] = call.inputs as [Value, Value | undefined];
  if (call.kernel === 'BroadcastTo') return a;
  if (call.kernel === 'Tile') return a.shape.every((d, i) => d === 1 || d === out.shape[i]) ? a : undefined;
  if (call.kernel !== 'Multiply' || b === undefined) return undefined;
  for (const [x, ones] of [
    [a, b],
    [b, a],
  ] as const) {
    if (scalarOf(ones)?.source.kind === 'constant' && isOnes(ones) && sizeOf(x.shape) < sizeOf(out.shape)) return x;
  }
  return undefined;
}

const isOnes = (v: Value): boolean => v.source.kind === 'constant' && v.source.data[0] === 1;

/** A constant of many equal elements as a scalar. */
function scalarOf(v: Value): Value | undefined {
  if (v.source.kind !== 'constant' || v.shape.length === 0 || v.source.data.length === 0) return undefined;
  const { data } = v.source;
  return uniformValue(data) !== undefined
    ? makeValue({ dtype: v.dtype, shape: [] }, { kind: 'constant', data: data.slice(0, 1) })
    : undefined;
}

/** The shape that operands, which are known to fit, broadcast to. */
function broadcastShape(operands: readonly Value[]): number[] {
  const rank = Math.max(...operands.map((v) => v.shape.length));
  return Array.from({ length: rank }, (_, i) => {
    const sizes = operands.map((v) => v.shape[v.shape.length - rank + i] ?? 1);
    return sizes.find((d) => d !== 1) ?? 1;
  });
}
