import { copyCall, producer, rewriteCalls, roots, type Call, type Graph, type Value } from '../ir.js';
import { loopBody, LoopBody, makeLoop, type LoopOutput } from '../loop.js';
import { commonSubexpressions } from './common-subexpressions.js';
import { removeIdentities } from './simplify.js';

/**
 * Cleans the steps of loops: removes identities and equal calls in them, then every input, state and output that nothing
 * needs. A loop that gives nothing any more goes with them.
 */
export function pruneLoops(graph: Graph): Graph {
  if (!graph.calls.some((c) => loopBody(c) !== undefined)) return graph;
  const needed = new Set<Value>(roots(graph));
  const plans = new Map<Call, Plan>();
  for (const call of [...graph.calls].reverse()) {
    const body = loopBody(call);
    if (body === undefined) {
      if (call.outputs.some((v) => needed.has(v))) call.inputs.forEach((v) => needed.add(v));
      continue;
    }
    const plan = prune(clean(body, call), (i) => needed.has(call.outputs[i]!));
    plans.set(call, plan);
    plan.inputs.forEach((i) => needed.add(call.inputs[i]!));
  }
  return rewriteCalls(graph, (call, replace, old) => {
    const plan = plans.get(old);
    if (plan === undefined) return call.outputs.length > 0 && !old.outputs.some((v) => needed.has(v)) ? [] : undefined;
    const made = makeLoop(
      plan.body,
      plan.inputs.map((i) => call.inputs[i]!),
      call.origin,
    );
    plan.outputs.forEach((to, from) => replace(call.outputs[from]!, made.outputs[to]!));
    return made.outputs.length === 0 ? [] : [made];
  });
}

interface Plan {
  readonly body: LoopBody;
  /** Kept inputs of the old call. */
  readonly inputs: readonly number[];
  /** New place of each old output that is kept. */
  readonly outputs: ReadonlyMap<number, number>;
}

/** Runs passes over the step, and gives slices of the same stack one placeholder. */
function clean(body: LoopBody, call: Call): LoopBody {
  const first = new Map<Value, Value>();
  const same = new Map<Value, Value>();
  body.sliced.forEach((v, i) => {
    const known = first.get(call.inputs[i]!);
    if (known === undefined) first.set(call.inputs[i]!, v);
    else same.set(v, known);
  });
  const results = [...body.carried.map((c) => c.next), ...body.outputs.map((o) => o.value)];
  const start: Graph = { name: '', inputs: [], calls: body.calls, outputs: results, assignments: [] };
  const merged = rewriteCalls(start, (c, replace) => {
    if (!c.inputs.some((v) => same.has(v))) return undefined;
    const copy = copyCall(
      c,
      c.inputs.map((v) => same.get(v) ?? v),
    );
    c.outputs.forEach((v, i) => replace(v, copy.outputs[i]!));
    return [copy];
  });
  const { calls, outputs } = commonSubexpressions(removeIdentities(merged));
  const values = outputs.map((v) => same.get(v) ?? v);
  return new LoopBody(
    body.steps,
    body.reverse,
    calls,
    body.sliced,
    body.carried.map(({ value }, i) => ({ value, next: values[i]! })),
    body.captured,
    body.outputs.map(({ kind }, i) => ({ kind, value: values[body.carried.length + i]! })),
  );
}

function prune(body: LoopBody, isNeeded: (output: number) => boolean): Plan {
  const states = body.carried.length;
  const reached = new Set<Value>();
  const reach = (v: Value): void => {
    if (reached.has(v)) return;
    reached.add(v);
    producer(v)?.inputs.forEach(reach);
  };
  // Equal outputs are given once.
  const outputs: LoopOutput[] = [];
  const places = new Map<number, number>();
  body.outputs.forEach((o, i) => {
    if (!isNeeded(states + i)) return;
    let at = outputs.findIndex((p) => p.kind === o.kind && p.value === o.value);
    if (at < 0) at = outputs.push(o) - 1;
    places.set(i, at);
    reach(o.value);
  });
  const carried = body.carried.map(() => false);
  for (let grown = true; grown;) {
    grown = false;
    body.carried.forEach(({ value, next }, i) => {
      if (carried[i] || !(isNeeded(i) || reached.has(value))) return;
      carried[i] = grown = true;
      reach(next);
    });
  }
  const keep = body.carried.filter((_, i) => carried[i]);
  const kept = new Map<number, number>();
  body.carried.forEach((c, i) => carried[i] && kept.set(i, keep.indexOf(c)));
  places.forEach((at, i) => kept.set(states + i, keep.length + at));
  const slices = body.sliced.length;
  const inputs = [
    ...body.sliced.flatMap((v, i) => (reached.has(v) ? [i] : [])),
    ...body.carried.flatMap((_, i) => (carried[i] ? [slices + i] : [])),
    ...body.captured.flatMap((v, i) => (reached.has(v) ? [slices + states + i] : [])),
  ];
  const pruned = new LoopBody(
    body.steps,
    body.reverse,
    body.calls.filter((c) => c.outputs.some((v) => reached.has(v))),
    body.sliced.filter((v) => reached.has(v)),
    keep,
    body.captured.filter((v) => reached.has(v)),
    outputs,
  );
  return { body: pruned, inputs, outputs: kept };
}
