/** The order of calls. */
import { producer, type Call } from './ir.js';

/**
 * Calls in an order in which each comes after what it reads; otherwise as given.
 *
 * @param standsFor the call in the place of one that is read. Default: itself.
 */
export function sortCalls(calls: readonly Call[], standsFor: (call: Call) => Call = (call) => call): Call[] {
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
      const made = call.inputs.map(producer).filter((c) => c !== undefined);
      const missing = made.map(standsFor).filter((c) => own.has(c) && !done.has(c));
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
