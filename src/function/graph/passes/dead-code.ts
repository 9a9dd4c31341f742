import { producer, roots, type Call, type Graph, type Value } from '../ir.js';

/** Removes calls whose results nothing uses. */
export function deadCode(graph: Graph): Graph {
  const needed = new Set<Call>();
  const pending: Value[] = roots(graph);
  for (let value = pending.pop(); value !== undefined; value = pending.pop()) {
    const call = producer(value);
    if (call === undefined || needed.has(call)) continue;
    needed.add(call);
    pending.push(...call.inputs);
  }
  return { ...graph, calls: graph.calls.filter((c) => needed.has(c)) };
}
