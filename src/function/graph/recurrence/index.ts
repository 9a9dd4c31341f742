/**
 * Loops over time steps as calls of the native kernel `Recurrence`, which runs whole sequences row by row: those whose steps
 * consist of elementwise kernels, of products with matrices that all steps share, and of columns taken apart and put together.
 */
import { formOf, sizeOf } from '../fusion/forms.js';
import { makeCall, producer, rewriteCalls, roots, type Call, type Graph, type Value } from '../ir.js';
import { loopBody, loopInputs, type LoopBody } from '../loop.js';
import { deadCode } from '../passes/dead-code.js';
import { pruneLoops } from '../passes/prune-loops.js';
import { gives, Unsupported } from './program.js';
import { ALIASES, isProduct, StepWriter } from './step.js';

/** The kernel of these calls. */
export const RECURRENCE = 'orbit.Recurrence';

/** Attributes of a call, as the native kernel takes them. */
export interface RecurrenceAttrs {
  readonly steps: number;
  readonly rows: number;
  /** Runs from the last step to the first. */
  readonly reverse: boolean;
  /** Kind, source, offset and width of each value. */
  readonly values: readonly number[];
  readonly constants: readonly number[];
  /** Instruction, result and three operands, each. */
  readonly program: readonly number[];
  /** Next value and input of the initial one of each state. */
  readonly states: readonly number[];
  /** What is given, and of which state or value. */
  readonly outputs: readonly number[];
}

/** Elements of a matrix that a step may read for its product with the inputs: with more, one product for all steps is faster. */
const SMALL = 65536;

/** Elements of a matrix from which on all threads should share in each product, also those of few rows. */
const LARGE = 300_000;

/**
 * The graph with its loops, where possible, as native calls. What only a loop reads of elementwise results moves into its step.
 *
 * @param threads that share in the rows of a loop; of fewer rows than threads, products with large matrices stay as they are.
 */
export function nativeRecurrences(graph: Graph, threads: number): Graph {
  if (!graph.calls.some((c) => loopBody(c) !== undefined)) return graph;
  const pruned = pruneLoops(graph);
  const users = new Map<Value, Set<Call>>();
  for (const call of pruned.calls) for (const v of call.inputs) users.set(v, (users.get(v) ?? new Set()).add(call));
  const own = new Set(pruned.calls);
  const kept = new Set(roots(pruned));
  const rewritten = rewriteCalls(pruned, (call, replace, old) => {
    const body = loopBody(old);
    if (body === undefined || leavesThreadsIdle(body, threads)) return undefined;
    const needed = old.outputs.map((v) => users.has(v) || kept.has(v));
    // Inputs are old values; the rewriting puts what replaced them in their place.
    const sinks = sinksInto(old, body, users, own, kept);
    const made = recurrence(old, body, needed, sinks) ?? recurrence(old, body, needed, () => false);
    if (made === undefined) return undefined;
    let next = 0;
    call.outputs.forEach((v, i) => needed[i] && replace(v, made.outputs[next++]!));
    return [made];
  });
  return deadCode(rewritten);
}

function leavesThreadsIdle({ carried, captured }: LoopBody, threads: number): boolean {
  const rows = carried[0]?.value.shape[0] ?? 0;
  return rows < threads && captured.some((v) => v.shape.length > 1 && sizeOf(v.shape) > LARGE);
}

/** Which stacks the step of a loop can compute itself because nothing else reads them. */
function sinksInto(
  loop: Call,
  { steps, sliced, carried }: LoopBody,
  users: ReadonlyMap<Value, ReadonlySet<Call>>,
  own: ReadonlySet<Call>,
  kept: ReadonlySet<Value>,
): (v: Value) => boolean {
  const rows = carried[0]?.value.shape[0] ?? 0;
  const found = new Map<Value, boolean>();
  const readHere = (v: Value): boolean => {
    if (kept.has(v)) return false;
    return [...(users.get(v) ?? [])].every((u) => {
      if (u === loop) return loop.inputs.every((x, i) => x !== v || i < sliced.length);
      return ALIASES.has(u.kernel) ? readHere(u.outputs[0]!) : sinks(u.outputs[0]!);
    });
  };
  const movable = (call: Call, v: Value): boolean => {
    if (isProduct(call)) {
      const [a, b] = call.inputs as [Value, Value];
      const plain = call.inputs.length === 2 && call.attrs['transposeA'] !== true && (call.attrs['activation'] ?? 'linear') === 'linear';
      const flat = [a, b, v].every((t) => t.shape.length === 2) && v.shape[0] === steps * rows;
      return plain && flat && v.dtype === 'float32' && sizeOf(b.shape) <= SMALL;
    }
    if (v.shape[0] !== steps) return false;
    if (call.kernel === 'SplitV') return call.inputs[0]!.shape[0] === steps && call.outputs[0]!.shape[0] === steps;
    const form = formOf(call);
    if (form === undefined || form.row !== undefined) return false;
    return form.operands.every((o) => o.shape.length < v.shape.length || (o.shape.length === v.shape.length && o.shape[0] === steps));
  };
  const sinks = (v: Value): boolean => {
    let known = found.get(v);
    if (known === undefined) {
      const call = producer(v);
      known = call !== undefined && own.has(call) && movable(call, v) && call.outputs.every(readHere);
      found.set(v, known);
    }
    return known;
  };
  return sinks;
}

function recurrence(call: Call, body: LoopBody, needed: readonly boolean[], sinks: (v: Value) => boolean): Call | undefined {
  const [state] = body.carried;
  const values = [...body.sliced, ...body.carried.map((c) => c.value), ...body.captured];
  const rows = state?.value.shape[0];
  if (rows === undefined || values.some((v) => v.dtype === 'int32' || sizeOf(v.shape) === 0)) return undefined;
  if ([...body.carried.map((c) => c.value), ...call.outputs].some((v) => v.dtype !== 'float32')) return undefined;
  const { stacks, initial, outer } = loopInputs(call, body);
  try {
    const writer = new StepWriter(body, { stacks, outer, sinks }, rows);
    const states = body.carried.map(({ next }, i) => [writer.of(next), writer.input(initial[i]!)] as const);
    const outputs = call.outputs.flatMap((_, i) => {
      if (!needed[i]) return [];
      const output = body.outputs[i - states.length];
      return [output === undefined ? [gives.last, i] : [gives[output.kind], writer.of(output.value)]];
    });
    const read = [...states.map(([next]) => next), ...outputs.flatMap(([kind, v]) => (kind === gives.last ? [] : [v!]))];
    const attrs: RecurrenceAttrs = {
      steps: body.steps,
      rows,
      reverse: body.reverse,
      ...writer.attributes(read),
      states: states.flat(),
      outputs: outputs.flat(),
    };
    const inputs = Object.fromEntries(writer.inputs.map((v, i) => [String(i), v]));
    const specs = call.outputs.filter((_, i) => needed[i]);
    return makeCall(RECURRENCE, inputs, attrs as unknown as Record<string, unknown>, specs, call.origin);
  } catch (error) {
    if (error instanceof Unsupported) return undefined;
    throw error;
  }
}
