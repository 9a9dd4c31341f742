import { makeCall, producer, rewriteCalls, roots, type Call, type Graph, type Value } from '../ir.js';

/**
 * Lets matrix products do a scaling by a constant, which costs them nothing: of their result, where that is used scaled only,
 * and of an operand that only matrix products read.
 */
export function productScale(graph: Graph): Graph {
  const users = new Map<Value, Call[]>();
  const results = new Set(roots(graph));
  for (const call of graph.calls) for (const v of call.inputs) users.set(v, [...(users.get(v) ?? []), call]);
  const onlyUsedBy = (v: Value, test: (c: Call) => boolean): boolean => !results.has(v) && (users.get(v) ?? []).every(test);
  const scales = new Map<Value, { x: Value; by: number }>();
  return rewriteCalls(graph, (call, replace, old) => {
    const scaled = scaling(call);
    if (scaled !== undefined) {
      const inner = producer(scaled.x);
      const [before] = old.inputs.filter((v) => users.has(v) && v.source.kind !== 'constant');
      if (inner?.kernel === 'BatchMatMul' && before !== undefined && onlyUsedBy(before, (c) => c === old)) {
        return [redo(inner, inner.inputs, scaled.by, call.outputs[0]!, replace)];
      }
      if (onlyUsedBy(old.outputs[0]!, (c) => c.kernel === 'BatchMatMul')) scales.set(call.outputs[0]!, scaled);
      return undefined;
    }
    if (call.kernel !== 'BatchMatMul' || !call.inputs.some((v) => scales.has(v))) return undefined;
    const by = call.inputs.reduce((n, v) => n * (scales.get(v)?.by ?? 1), 1);
    const inputs = call.inputs.map((v) => scales.get(v)?.x ?? v);
    return [redo(call, inputs, by, call.outputs[0]!, replace)];
  });
}

/** x and the factor of a product with a finite constant that is not 0. */
function scaling(call: Call): { x: Value; by: number } | undefined {
  if (call.kernel !== 'Multiply' || call.outputs[0]!.dtype !== 'float32') return undefined;
  for (const [x, c] of [call.inputs, [...call.inputs].reverse()] as unknown as [Value, Value][]) {
    if (c.source.kind !== 'constant' || c.shape.length > 0 || x.shape.length < 2) continue;
    const [by] = c.source.data as Float32Array;
    if (Number.isFinite(by) && by !== 0) return { x, by: by! };
  }
  return undefined;
}

function redo(call: Call, inputs: readonly Value[], by: number, out: Value, replace: (from: Value, to: Value) => void): Call {
  const named = Object.fromEntries(call.inputNames.map((name, i) => [name, inputs[i]!]));
  const alpha = ((call.attrs['alpha'] as number | undefined) ?? 1) * by;
  const made = makeCall(call.kernel, named, { ...call.attrs, alpha }, [out], call.origin);
  replace(out, made.outputs[0]!);
  return made;
}
