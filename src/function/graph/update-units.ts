/** Updates of variables: the elementwise arithmetic at the end of a program that gives a variable and its slots their new values. */
import { BROADCASTING } from './elementwise-kernels.js';
import type { Call, Graph, Value } from './ir.js';

/** The arithmetic on one variable, its slots and its gradient. Nothing else of the program reads its results. */
export interface Unit {
  readonly shape: readonly number[];
  /** In execution order. */
  readonly calls: readonly Call[];
  /** What it reads of the variable's shape, in order of first use. */
  readonly tensors: readonly Value[];
  /** The arithmetic as text: equal for units that compute the same from their tensors. */
  readonly text: string;
}

/** The units behind some assigned values: what shares a tensor belongs together. */
export function unitsOf(graph: Graph, assigned: readonly Value[]): Unit[] {
  const inner = innerCalls(graph, new Set(assigned));
  const parent = new Map<Value, Value>();
  const find = (v: Value): Value => {
    let root = v;
    for (let up = parent.get(root); up !== undefined; up = parent.get(root)) root = up;
    return root;
  };
  for (const call of inner) {
    for (const v of call.inputs) {
      if (v.shape.length === 0 || v.source.kind === 'constant') continue;
      const [a, b] = [find(v), find(call.outputs[0]!)];
      if (a !== b) parent.set(a, b);
    }
  }
  const members = new Map<Value, Call[]>();
  for (const call of graph.calls) {
    if (!inner.has(call)) continue;
    const root = find(call.outputs[0]!);
    members.set(root, [...(members.get(root) ?? []), call]);
  }
  return [...members.values()].map(describe);
}

/** Elementwise calls whose results are assigned or go into such calls of the same shape, and nowhere else. */
function innerCalls(graph: Graph, assigned: ReadonlySet<Value>): Set<Call> {
  const users = new Map<Value, Call[]>();
  for (const call of graph.calls) for (const v of call.inputs) users.set(v, [...(users.get(v) ?? []), call]);
  const inner = new Set<Call>();
  for (const call of [...graph.calls].reverse()) {
    const [out] = call.outputs as [Value];
    const { shape } = out;
    const of = users.get(out) ?? [];
    const fits = (v: Value): boolean => v.dtype === 'float32' && (v.shape.length === 0 || v.shape.join() === shape.join());
    if (shape.length === 0 || !BROADCASTING.has(call.kernel) || ![out, ...call.inputs].every(fits)) continue;
    if (!assigned.has(out) && of.length === 0) continue;
    if (of.every((c) => inner.has(c) && c.outputs[0]!.shape.join() === shape.join())) inner.add(call);
  }
  return inner;
}

function describe(calls: readonly Call[]): Unit {
  const names = new Map<Value, string>();
  const tensors: Value[] = [];
  const name = (v: Value): string => {
    let known = names.get(v);
    if (known === undefined) {
      if (v.shape.length > 0) known = `t${tensors.push(v)}`;
      else known = v.source.kind === 'constant' ? `=${v.source.data[0]}` : `#${v.id}`;
      names.set(v, known);
    }
    return known;
  };
  const lines = calls.map((call, i) => {
    const line = `${call.kernel}(${call.inputs.map(name).join()})${JSON.stringify(call.attrs)}`;
    names.set(call.outputs[0]!, `r${i}`);
    return line;
  });
  return { shape: calls[0]!.outputs[0]!.shape, calls, tensors, text: lines.join('\n') };
}
