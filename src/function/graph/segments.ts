/** Cuts a program at its collectives: graph → host call → graph → …, values passing between them in device buffers. */
import { makeCall, producer, type Call, type Graph, type Value } from './ir.js';

/** The kernel that sums a tensor over all replicas. */
export const ALL_REDUCE = 'orbit.AllReduce';

/** A part of the program that one session runs. Its inputs and outputs may be intermediate values of the whole. */
export interface GraphSegment {
  readonly kind: 'graph';
  readonly graph: Graph;
}

/** Tensors that the host sums over all replicas: `from[i]` becomes `to[i]`. */
export interface HostSegment {
  readonly kind: 'allReduce';
  readonly from: readonly Value[];
  readonly to: readonly Value[];
}

/** A step of a program's execution. */
export type Segment = GraphSegment | HostSegment;

/**
 * Splits a graph so that everything that does not depend on a collective runs before it. A graph without collectives is
 * one segment.
 */
export function splitAtCollectives(graph: Graph): Segment[] {
  const stage = new Map<Value, number>();
  const stageOf = (v: Value): number => stage.get(v) ?? 0;
  const byStage: Call[][] = [[]];
  const collectives: Call[][] = [];
  for (const call of graph.calls) {
    const at = Math.max(0, ...call.inputs.map(stageOf));
    if (call.kernel === ALL_REDUCE) {
      const [x] = call.inputs as [Value];
      if (producer(x) === undefined) {
        // The host sums device buffers that a graph wrote: what no graph computes is copied by one.
        const copy = makeCall('Identity', { x }, {}, [x], call.origin);
        (byStage[at] ??= []).push(copy);
        call.inputs = [copy.outputs[0]!];
      }
      (collectives[at] ??= []).push(call);
      call.outputs.forEach((v) => stage.set(v, at + 1));
    } else {
      (byStage[at] ??= []).push(call);
      call.outputs.forEach((v) => stage.set(v, at));
    }
  }
  if (collectives.length === 0) return [{ kind: 'graph', graph }];
  const last = Math.max(byStage.length, collectives.length + 1);
  const segments: Segment[] = [];
  for (let at = 0; at < last; at++) {
    const calls = byStage[at] ?? [];
    const made = new Set(calls.flatMap((c) => c.outputs));
    const usedLater = new Set<Value>([
      ...byStage.slice(at + 1).flatMap((later) => (later ?? []).flatMap((c) => c.inputs)),
      ...collectives.slice(at).flatMap((group) => (group ?? []).flatMap((c) => c.inputs)),
      ...graph.outputs,
    ]);
    // What no graph computes (results of collectives, inputs, variables) is assigned or returned by the last one.
    const final = at === last - 1;
    const assignments = graph.assignments.filter(({ value }) => (final ? !madeBefore(value, stage, last - 1) : made.has(value)));
    const outputs = [
      ...new Set(
        [...made].filter((v) => usedLater.has(v)).concat(final ? graph.outputs.filter((v) => !madeBefore(v, stage, last - 1)) : []),
      ),
    ];
    const inside = new Set(made);
    const needed = new Set([...calls.flatMap((c) => c.inputs), ...outputs, ...assignments.map((a) => a.value)]);
    const inputs = [...needed].filter((v) => !inside.has(v) && (v.source.kind === 'call' || v.source.kind === 'input'));
    if (calls.length > 0 || outputs.length > 0 || assignments.length > 0) {
      segments.push({ kind: 'graph', graph: { name: graph.name, inputs, calls, outputs, assignments } });
    }
    const group = collectives[at];
    if (group !== undefined) {
      segments.push({ kind: 'allReduce', from: group.map((c) => c.inputs[0]!), to: group.map((c) => c.outputs[0]!) });
    }
  }
  return segments;
}

/** True when a graph before the last one computes the value. */
function madeBefore(value: Value, stage: ReadonlyMap<Value, number>, last: number): boolean {
  const call = producer(value);
  return call !== undefined && call.kernel !== ALL_REDUCE && (stage.get(value) ?? 0) < last;
}
