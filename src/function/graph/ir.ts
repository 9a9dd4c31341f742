/**
 * The traced program: a list of tfjs kernel calls over values, in execution order. Tracing writes it, passes rewrite it,
 * `lower` turns it into ONNX.
 */
import type * as tf from '#tf';
import type { DType, TensorSpec, TypedArray } from '../dtype.js';
import type { Origin } from '../trace/origin.js';

/** A tensor of the program. Its `source` says where its contents come from. */
export interface Value {
  readonly id: number;
  readonly dtype: DType;
  readonly shape: readonly number[];
  readonly source: Source;
}

/** Where a value comes from. */
export type Source =
  | { readonly kind: 'input'; readonly index: number }
  | { readonly kind: 'variable'; readonly variable: tf.Variable }
  | { readonly kind: 'captured'; readonly tensor: tf.Tensor }
  | { readonly kind: 'constant'; readonly data: TypedArray }
  | { readonly kind: 'call'; readonly call: Call; readonly output: number };

/** Attributes of a call, as tfjs passes them to a kernel. */
export type Attrs = Readonly<Record<string, unknown>>;

/** One kernel call. */
export interface Call {
  readonly kernel: string;
  /** Input names in tfjs's order; list inputs are named '0', '1', …. */
  readonly inputNames: readonly string[];
  inputs: readonly Value[];
  readonly attrs: Attrs;
  outputs: readonly Value[];
  /** The part of the model and the line of user code that the call belongs to. */
  readonly origin: Origin;
}

/** A variable that the program assigns, and the value it gets. */
export interface Assignment {
  readonly variable: tf.Variable;
  readonly value: Value;
}

/** A whole traced program. */
export interface Graph {
  readonly name: string;
  readonly inputs: readonly Value[];
  readonly calls: readonly Call[];
  readonly outputs: readonly Value[];
  readonly assignments: readonly Assignment[];
}

let nextId = 0;

/** Makes a value with a fresh id. */
export function makeValue(spec: TensorSpec, source: Source): Value {
  return { id: nextId++, dtype: spec.dtype, shape: spec.shape, source };
}

/** Makes a call and its output values. */
export function makeCall(
  kernel: string,
  inputs: Readonly<Record<string, Value>>,
  attrs: Attrs,
  specs: readonly TensorSpec[],
  origin: Call['origin'] = {},
): Call {
  const call: Call = { kernel, inputNames: Object.keys(inputs), inputs: Object.values(inputs), attrs, outputs: [], origin };
  call.outputs = specs.map((spec, output) => makeValue(spec, { kind: 'call', call, output }));
  return call;
}

/** A copy of a call with other inputs, and outputs of its own. */
export function copyCall(call: Call, inputs: readonly Value[]): Call {
  const copy: Call = { ...call, inputs };
  copy.outputs = call.outputs.map((v, output) => makeValue(v, { kind: 'call', call: copy, output }));
  return copy;
}

/** The call that computes a value, or undefined for inputs, variables, captured tensors and constants. */
export function producer(value: Value): Call | undefined {
  return value.source.kind === 'call' ? value.source.call : undefined;
}

/** The input of a call with that name. */
export function input(call: Call, name: string): Value | undefined {
  const i = call.inputNames.indexOf(name);
  return i < 0 ? undefined : call.inputs[i];
}

/** Every value that the program's results depend on directly: outputs and assigned values. */
export function roots(graph: Graph): Value[] {
  return [...graph.outputs, ...graph.assignments.map((a) => a.value)];
}

/** The leaves (variables, captured tensors, constants) that the calls and roots of a graph read, each once, in order of first use. */
export function leaves(graph: Graph): Value[] {
  const seen = new Set<Value>();
  const visit = (v: Value): void => {
    if (v.source.kind !== 'call' && v.source.kind !== 'input') seen.add(v);
  };
  for (const call of graph.calls) call.inputs.forEach(visit);
  roots(graph).forEach(visit);
  return [...seen];
}

/** Values that stand in the place of others. */
export class Substitution {
  private readonly replaced = new Map<Value, Value>();

  /** Puts `to` in the place of `from`. */
  readonly replace = (from: Value, to: Value): void => void this.replaced.set(from, to);

  /** What stands in the place of a value, also through several replacements. */
  readonly current = (value: Value): Value => {
    let to = value;
    for (let next = this.replaced.get(to); next !== undefined; next = this.replaced.get(to)) to = next;
    return to;
  };

  /** The call with what stands in the place of its inputs: itself, or a copy whose outputs stand in the place of its own. */
  call(call: Call): Call {
    const inputs = call.inputs.map(this.current);
    if (inputs.every((v, i) => v === call.inputs[i])) return call;
    const copy = copyCall(call, inputs);
    call.outputs.forEach((v, i) => this.replace(v, copy.outputs[i]!));
    return copy;
  }

  /** A graph of these calls, with what stands in the place of the old graph's results. */
  graph(old: Graph, calls: readonly Call[]): Graph {
    return {
      ...old,
      calls,
      outputs: old.outputs.map(this.current),
      assignments: old.assignments.map(({ variable, value }) => ({ variable, value: this.current(value) })),
    };
  }
}

/**
 * Copies a graph with some values replaced: every use of a key becomes its replacement. Calls are copied, never changed.
 *
 * @param rewrite for each call in order: undefined keeps it (with replaced inputs), a list of calls replaces it, and
 *   `replace(old, new)` redirects later uses of its outputs. `old` is the call before earlier replacements in its inputs.
 */
export function rewriteCalls(
  graph: Graph,
  rewrite: (call: Call, replace: (from: Value, to: Value) => void, old: Call) => readonly Call[] | undefined,
): Graph {
  const substitution = new Substitution();
  const calls: Call[] = [];
  for (const old of graph.calls) {
    const call = substitution.call(old);
    for (const made of rewrite(call, substitution.replace, old) ?? [call]) {
      if (made !== call) made.inputs = made.inputs.map(substitution.current);
      calls.push(made);
    }
  }
  return substitution.graph(graph, calls);
}
