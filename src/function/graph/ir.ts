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
  const replaced = new Map<Value, Value>();
  const current = (v: Value): Value => {
    let to = v;
    for (let next = replaced.get(to); next !== undefined; next = replaced.get(to)) to = next;
    return to;
  };
  const calls: Call[] = [];
  for (const old of graph.calls) {
    const inputs = old.inputs.map(current);
    let call = old;
    if (inputs.some((v, i) => v !== old.inputs[i])) {
      const copy = copyCall(old, inputs);
      old.outputs.forEach((v, i) => replaced.set(v, copy.outputs[i]!));
      call = copy;
    }
    for (const made of rewrite(call, (from, to) => replaced.set(from, to), old) ?? [call]) {
      if (made !== call) made.inputs = made.inputs.map(current);
      calls.push(made);
    }
  }
  return {
    ...graph,
    calls,
    outputs: graph.outputs.map(current),
    assignments: graph.assignments.map((a) => ({ variable: a.variable, value: current(a.value) })),
  };
}
