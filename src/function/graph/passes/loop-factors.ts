import { makeCall, producer, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';
import { loopBody, LoopBody, makeLoop } from '../loop.js';

/**
 * Regroups products and sums in the steps of loops, so that operands which do not depend on the states meet first and can be
 * computed for all steps at once: (s · a) · b becomes s · (a · b). Numbers change by rounding alone.
 */
export function loopFactors(graph: Graph): Graph {
  return rewriteCalls(graph, (call, replace) => {
    const body = loopBody(call);
    const regrouped = body && regroup(body);
    if (regrouped === undefined) return undefined;
    const made = makeLoop(regrouped, call.inputs, call.origin);
    call.outputs.forEach((v, i) => replace(v, made.outputs[i]!));
    return [made];
  });
}

const REGROUPED = new Set(['Multiply', 'Add']);

function regroup(body: LoopBody): LoopBody | undefined {
  const varying = new Set<Value>(body.carried.map((c) => c.value));
  const uses = new Map<Value, number>();
  const use = (v: Value): void => void uses.set(v, (uses.get(v) ?? 0) + 1);
  for (const call of body.calls) {
    call.inputs.forEach(use);
    if (call.inputs.some((v) => varying.has(v))) call.outputs.forEach((v) => varying.add(v));
  }
  const results = [...body.carried.map((c) => c.next), ...body.outputs.map((o) => o.value)];
  results.forEach(use);
  let changed = false;
  const start: Graph = { name: '', inputs: [], calls: body.calls, outputs: results, assignments: [] };
  const { calls, outputs } = rewriteCalls(start, (call, replace, old) => {
    call.outputs.forEach((v, i) => varying.has(old.outputs[i]!) && varying.add(v));
    const inner = innerOf(call, old, varying, uses);
    if (inner === undefined) return undefined;
    changed = true;
    const { state, first, second } = inner;
    const [spec] = call.outputs as [Value];
    const fixed = makeCall(call.kernel, { a: first, b: second }, {}, [{ dtype: spec.dtype, shape: larger(first, second) }], call.origin);
    const whole = makeCall(call.kernel, { a: state, b: fixed.outputs[0]! }, {}, [spec], call.origin);
    varying.add(whole.outputs[0]!);
    uses.set(whole.outputs[0]!, uses.get(old.outputs[0]!) ?? 0);
    replace(spec, whole.outputs[0]!);
    return [fixed, whole];
  });
  if (!changed) return undefined;
  const states = body.carried.length;
  return new LoopBody(
    body.steps,
    body.reverse,
    calls,
    body.sliced,
    body.carried.map(({ value }, i) => ({ value, next: outputs[i]! })),
    body.captured,
    body.outputs.map(({ kind }, i) => ({ kind, value: outputs[states + i]! })),
  );
}

/** The operands of (state ∘ first) ∘ second, where the inner result has no other use and no operand broadcasts the state. */
function innerOf(
  call: Call,
  old: Call,
  varying: ReadonlySet<Value>,
  uses: ReadonlyMap<Value, number>,
): { state: Value; first: Value; second: Value } | undefined {
  const [out] = call.outputs as [Value];
  if (!REGROUPED.has(call.kernel) || out.dtype !== 'float32') return undefined;
  const side = call.inputs.findIndex((v) => varying.has(v));
  const [through, second] = [call.inputs[side], call.inputs[1 - side]];
  if (through === undefined || second === undefined || varying.has(second)) return undefined;
  const inner = producer(through);
  if (inner?.kernel !== call.kernel || (uses.get(old.inputs[side]!) ?? uses.get(through)) !== 1) return undefined;
  const at = inner.inputs.findIndex((v) => varying.has(v));
  const [state, first] = [inner.inputs[at], inner.inputs[1 - at]];
  if (state === undefined || first === undefined || varying.has(first)) return undefined;
  const shape = out.shape.join();
  const fits = state.shape.join() === shape && [first, second].some((v) => v.shape.join() === shape);
  return fits ? { state, first, second } : undefined;
}

function larger(a: Value, b: Value): readonly number[] {
  return a.shape.length >= b.shape.length && a.shape.every((d, i) => d >= (b.shape[i - a.shape.length + b.shape.length] ?? 1))
    ? a.shape
    : b.shape;
}
