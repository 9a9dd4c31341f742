/** The order of calls, and of those that take the place of others. */
import { producer, type Call, type Graph, type Substitution, type Value } from './ir.js';

/** The graph of these calls, in place of the old one's: they may read what was replaced, and stand in any order. */
export function substitute(graph: Graph, calls: readonly Call[], substitution: Substitution): Graph {
  const sorted = sortCalls(calls, substitution.current);
  return substitution.graph(
    graph,
    sorted.map((call) => substitution.call(call)),
  );
}

/**
 * Calls in an order in which each comes after what it reads; otherwise as given.
 *
 * @param current the value in the place of one that is read. Default: itself.
 */
export function sortCalls(calls: readonly Call[], current: (value: Value) => Value = (value) => value): Call[] {
  const own = new Set(calls);
  const sorted: Call[] = [];
  const done = new Set<Call>();
  const visit = (start: Call): void => {
    // A stack of its own: programs are thousands of calls deep.
    const pending = [start];
    while (pending.length > 0) {
      const call = pending.at(-1)!;
      if (done.has(call)) {
        pending.pop();
        continue;
      }
      const made = call.inputs.map((v) => producer(current(v))).filter((c) => c !== undefined);
      const missing = made.filter((c) => own.has(c) && !done.has(c));
      if (missing.length > 0) {
        pending.push(...missing);
        continue;
      }
      pending.pop();
      done.add(call);
      sorted.push(call);
    }
  };
  calls.forEach(visit);
  return sorted;
}
