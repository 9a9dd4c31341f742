/** Puts equal fused calls on many variables, the update of an optimizer, into one call. */
import { makeCall, producer, Substitution, type Call, type Graph, type Value } from '../ir.js';
import { substitute } from '../sort-calls.js';
import { accessCode } from './access.js';
import { FUSED, keepCode, type FusedAttrs } from './program.js';

/** The kernel of updates of many variables. */
export const FUSED_UPDATES = 'orbit.FusedUpdates';

/** Elements of one call: more need no company, and would keep all gradients waiting for the last one. */
const MAX_ELEMENTS = 1 << 22;

/** Attributes of an update of many variables, as the native kernel takes them: those of its program, and these. */
export interface FusedUpdatesAttrs extends Omit<FusedAttrs, 'size'> {
  /** Elements of each variable. */
  readonly sizes: readonly number[];
  /** By input of the program: 1 where all variables share it. Shared inputs come first, then the others of each variable. */
  readonly shared: readonly number[];
  /** Bytes that all updates of the program read and write. */
  readonly bytes: number;
}

/** The graph with equal updates of variables put together. Numbers do not change by a bit. */
export function groupUpdates(graph: Graph): Graph {
  const groups = new Map<string, Call[]>();
  const assigned = new Set(graph.assignments.map((a) => a.value));
  for (const call of graph.calls) {
    const key = keyOf(call, assigned);
    if (key !== undefined) groups.set(key, [...(groups.get(key) ?? []), call]);
  }
  if (groups.size === 0) return graph;
  const bytes = [...groups.values()].flat().reduce((sum, call) => sum + bytesOf(call), 0);
  const paths = new Paths(graph);
  const substitution = new Substitution();
  const merged = new Map<Call, Call>();
  for (const calls of groups.values()) {
    for (const members of independent(calls, paths)) {
      if (members.length === 1 && !members[0]!.outputs.some((v) => assigned.has(v))) continue;
      const call = update(members, bytes);
      members.forEach((member, i) => {
        merged.set(member, call);
        member.outputs.forEach((v, k) => substitution.replace(v, call.outputs[i * member.outputs.length + k]!));
      });
    }
  }
  // A call stands where its last member stood, or later where others wait for it.
  const standsFor = (call: Call): Call => merged.get(call) ?? call;
  const last = new Map(graph.calls.map((call) => [standsFor(call), call]));
  const placed = graph.calls.filter((call) => last.get(standsFor(call)) === call).map(standsFor);
  return substitute(graph, placed, substitution);
}

/** What equal updates have in common; undefined for other calls than updates, sums of gradients, and arithmetic on such sums. */
function keyOf(call: Call, assigned: ReadonlySet<Value>): string | undefined {
  if (call.kernel !== FUSED) return undefined;
  const { row, inputs, constants, program, outputs, scales } = call.attrs as unknown as FusedAttrs;
  const own = inputs.every((n, i) => i % 2 === 1 || n === accessCode.full || n === accessCode.scalar);
  const keeps = outputs.filter((_, i) => i % 3 === 0);
  const sums = keeps.every((keep) => keep === keepCode.total) || sizeOf(call) === 1;
  const updates = call.outputs.some((v) => assigned.has(v)) && keeps.every((keep) => keep === keepCode.full || keep === keepCode.total);
  if (row > 0 || !own || !(sums || updates)) return undefined;
  return JSON.stringify([inputs, constants, program, outputs, scales]);
}

function sizeOf(call: Call): number {
  return (call.attrs as unknown as FusedAttrs).size;
}

function bytesOf(call: Call): number {
  const tensors = [...call.inputs, ...call.outputs].filter((v) => v.shape.reduce((a, b) => a * b, 1) === sizeOf(call));
  return 4 * sizeOf(call) * tensors.length;
}

/** Which calls depend on which, also through calls that were put together. */
class Paths {
  private readonly readers = new Map<Call, Set<Call>>();
  private readonly together = new Map<Call, readonly Call[]>();

  constructor(graph: Graph) {
    const own = new Set(graph.calls);
    for (const call of graph.calls)
      for (const made of call.inputs.map(producer)) {
        if (made === undefined || !own.has(made)) continue;
        const readers = this.readers.get(made) ?? new Set();
        this.readers.set(made, readers.add(call));
      }
  }

  /** Whether any of `to` waits for `from`. */
  lead(from: readonly Call[], to: readonly Call[]): boolean {
    const wanted = new Set(to);
    const seen = new Set<Call>(from);
    const pending = [...from];
    for (let call = pending.pop(); call !== undefined; call = pending.pop())
      for (const reader of this.readers.get(call) ?? [])
        for (const next of this.together.get(reader) ?? [reader]) {
          if (wanted.has(next)) return true;
          if (seen.has(next)) continue;
          seen.add(next);
          pending.push(next);
        }
    return false;
  }

  unite(calls: readonly Call[]): void {
    for (const call of calls) this.together.set(call, calls);
  }
}

/** Calls that can run as one, in their order, as many as belong into one call. */
function independent(calls: readonly Call[], paths: Paths): Call[][] {
  const groups: Call[][] = [];
  let open: Call[] = [];
  let elements = 0;
  for (const call of calls) {
    const fits = open.length > 0 && elements + sizeOf(call) <= MAX_ELEMENTS && !paths.lead(open, [call]) && !paths.lead([call], open);
    if (!fits) {
      groups.push((open = []));
      elements = 0;
    }
    open.push(call);
    elements += sizeOf(call);
    paths.unite(open);
  }
  return groups;
}

function update(members: readonly Call[], bytes: number): Call {
  const first = members[0]!;
  const { size: _, ...attrs } = first.attrs as unknown as FusedAttrs;
  const shared = first.inputs.map((v, k) => (members.every((call) => call.inputs[k] === v) ? 1 : 0));
  const inputs = [...first.inputs.filter((_, k) => shared[k] === 1), ...members.flatMap((c) => c.inputs.filter((_, k) => shared[k] === 0))];
  const own: FusedUpdatesAttrs = { ...attrs, sizes: members.map(sizeOf), shared, bytes };
  return makeCall(
    FUSED_UPDATES,
    Object.fromEntries(inputs.map((v, i) => [String(i), v])),
    { ...own },
    members.flatMap((c) => c.outputs),
    first.origin,
  );
}
