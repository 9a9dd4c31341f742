/**
 * Fuses elementwise kernels, and sums over rows, channels or everything, into calls that the native kernel `Fused` computes
 * in one pass over memory each.
 */
import { producer, roots, type Call, type Graph, type Value } from '../ir.js';
import { LoopBody } from '../loop.js';
import type { Group } from './group.js';
import { Grouping } from './groups.js';
import { fusedCall, type FusedCall } from './program.js';

export { attention, ATTENTION, ATTENTION_GRADIENT, type AttentionAttrs } from './attention.js';
export { FUSED, type FusedAttrs } from './program.js';
export { FUSED_UPDATES, groupUpdates, type FusedUpdatesAttrs } from './updates.js';

/** Below this many elements a sum alone stays with ONNX Runtime. */
const LARGE = 4096;

/**
 * The graph with its fusable calls fused. Numbers change by rounding alone.
 *
 * @param images fuses tensors of rank 4, too: not where convolutions keep them with their channels first.
 */
export function fuse(graph: Graph, images: boolean): Graph {
  const grouping = new Grouping(graph, images);
  const { wanted } = liveness(graph, grouping);
  const made = new Map<Group, FusedCall>();
  for (const [group, values] of wanted) {
    const fused = fusedCall(grouping, group, values);
    if (pays(group, fused)) made.set(group, fused);
    else for (const call of group.members.keys()) grouping.groupOf.delete(call);
  }
  if (made.size === 0) return graph;
  // Groups that stay separate calls read what the others had only computed for themselves: find out again what is needed.
  if (made.size < wanted.size) for (const group of wanted.keys()) if (!made.has(group)) grouping.groups.delete(group);
  return assemble(graph, grouping);
}

/** A loop whose step is fused. */
export function fuseLoop(body: LoopBody, images: boolean): LoopBody {
  const results = [...body.carried.map(({ next }) => next), ...body.outputs.map(({ value }) => value)];
  const { calls, outputs } = fuse({ name: 'step', inputs: [], calls: body.calls, outputs: results, assignments: [] }, images);
  const carried = body.carried.map(({ value }, i) => ({ value, next: outputs[i]! }));
  const kept = body.outputs.map(({ kind }, i) => ({ kind, value: outputs[carried.length + i]! }));
  return new LoopBody(body.steps, body.reverse, calls, body.sliced, carried, body.captured, kept);
}

function pays(group: Group, { instructions, call }: FusedCall): boolean {
  const sums = [...group.members.values()].some((m) => m.kind === 'sum');
  if (sums && (group.size >= LARGE || instructions > 0)) return true;
  if (group.size >= LARGE && group.row !== undefined && instructions > 1) return true;
  return instructions >= (group.size < 64 ? 3 : 2) && call.inputs.length <= 64;
}

/** The values of each group that something outside reads, and the calls outside groups that are needed. */
function liveness(graph: Graph, grouping: Grouping): { wanted: Map<Group, Value[]>; live: Set<Call> } {
  const wanted = new Map<Group, Value[]>();
  const given = new Set(graph.inputs);
  const live = new Set<Call>();
  const pending = [...roots(graph)];
  const seen = new Set<Value>();
  for (let v = pending.pop(); v !== undefined; v = pending.pop()) {
    const call = given.has(v) ? undefined : producer(v); // an input of a segment may come from a call of an earlier one
    if (call === undefined || seen.has(v)) continue;
    seen.add(v);
    const group = grouping.groupOf.get(call);
    if (group === undefined) {
      if (!live.has(call)) pending.push(...call.inputs);
      live.add(call);
      continue;
    }
    const values = wanted.get(group);
    if (values !== undefined) values.push(v);
    else {
      wanted.set(group, [v]);
      pending.push(...grouping.inputsOf(group));
    }
  }
  return { wanted, live };
}

function assemble(graph: Graph, grouping: Grouping): Graph {
  const { wanted, live } = liveness(graph, grouping);
  const replaced = new Map<Value, Value>();
  const order: Call[] = [];
  const byGroup = new Map<Group, FusedCall>();
  for (const [group, values] of wanted) {
    const fused = fusedCall(grouping, group, values);
    byGroup.set(group, fused);
    fused.replaces.forEach((v, i) => replaced.set(v, fused.call.outputs[i]!));
  }
  const done = new Set<Call>();
  const given = new Set(graph.inputs);
  const visit = (v: Value): void => {
    const call = given.has(v) ? undefined : producer(v);
    if (call === undefined) return;
    const group = grouping.groupOf.get(call);
    const target = group === undefined ? call : byGroup.get(group)!.call;
    if (done.has(target)) return;
    done.add(target);
    target.inputs.forEach(visit);
    order.push(target);
  };
  // In the order of the old program, so that values live no longer than before.
  for (const call of graph.calls) {
    const group = grouping.groupOf.get(call);
    if (group === undefined ? live.has(call) : byGroup.has(group) && lastOf(group) === call) call.outputs.forEach(visit);
  }
  roots(graph).forEach(visit);
  const current = (v: Value): Value => replaced.get(v) ?? v;
  const copies = new Map<Value, Value>();
  const calls = order.map((call) => {
    const inputs = call.inputs.map((v) => copies.get(current(v)) ?? current(v));
    if (inputs.every((v, i) => v === call.inputs[i])) return call;
    const copy: Call = { ...call, inputs };
    copy.outputs = call.outputs.map((v, output) => {
      const fresh: Value = { ...v, source: { kind: 'call', call: copy, output } };
      copies.set(v, fresh);
      return fresh;
    });
    return copy;
  });
  const final = (v: Value): Value => copies.get(current(v)) ?? current(v);
  return {
    ...graph,
    calls,
    outputs: graph.outputs.map(final),
    assignments: graph.assignments.map((a) => ({ variable: a.variable, value: final(a.value) })),
  };
}

function lastOf(group: Group): Call {
  return [...group.members.keys()].at(-1)!;
}
