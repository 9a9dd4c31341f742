/** From a traced graph to an ONNX graph. */
import type * as tf from '#tf';
import { OrbitError, TraceError } from '../../errors.js';
import { inputsOf, kernelDefinition } from '../kernels/index.js';
import { userLine } from '../trace/origin.js';
import { leaves, type Call, type Graph, type Value } from './ir.js';
import { elements, Lowering, rows } from './lowering.js';
import { liveNodes } from './live-nodes.js';
import type { OnnxGraph, OnnxNode, OnnxValueInfo } from './onnx.js';

/** An ONNX graph and what its inputs and outputs stand for. */
export interface LoweredGraph {
  readonly onnx: OnnxGraph;
  /** ONNX input name of each input of the function; undefined when the program does not read it. */
  readonly inputs: readonly (string | undefined)[];
  /** Variables the program reads, with the name of their input. */
  readonly variables: readonly { readonly variable: tf.Variable; readonly name: string }[];
  /** Tensors from outside that the program reads at each call. */
  readonly captured: readonly { readonly tensor: tf.Tensor; readonly name: string }[];
  /** ONNX output name of each output of the function. */
  readonly outputs: readonly string[];
  /** Variables the program assigns, with the name of their output. */
  readonly assignments: readonly { readonly variable: tf.Variable; readonly name: string }[];
}

/**
 * Lowers every call by its kernel's definition, then names the graph's outputs.
 *
 * @param native the native kernels that may be used; without any the graph is portable.
 */
export function lower(graph: Graph, native?: ReadonlySet<string>): LoweredGraph {
  const lowerCalls = (into: Lowering, calls: readonly Call[]): void => {
    for (const call of calls) lowerCall(into, call, graph.name);
  };
  const g = new Lowering(lowerCalls, undefined, native);
  const infos: OnnxValueInfo[] = [];
  const bind = (value: Value, name: string): string => {
    infos.push({ name, type: value.dtype, shape: value.shape });
    g.define(value, rows(name));
    return name;
  };
  const used = new Set<Value>(graph.calls.flatMap((c) => c.inputs));
  graph.outputs.forEach((v) => used.add(v));
  graph.assignments.forEach((a) => used.add(a.value));
  const inputs = graph.inputs.map((v, i) => (used.has(v) ? bind(v, `input_${i}`) : undefined));
  const variables: { variable: tf.Variable; name: string }[] = [];
  const captured: { tensor: tf.Tensor; name: string }[] = [];
  for (const v of leaves(graph)) {
    if (v.source.kind === 'variable') variables.push({ variable: v.source.variable, name: bind(v, `variable_${variables.length}`) });
    else if (v.source.kind === 'captured') captured.push({ tensor: v.source.tensor, name: bind(v, `captured_${captured.length}`) });
  }
  lowerCalls(g, graph.calls);
  g.label = 'results';
  g.failure = g.call = undefined;
  const results = [
    ...graph.outputs.map((value, i) => ({ value, wanted: `output_${i}` })),
    ...graph.assignments.map(({ value }, i) => ({ value, wanted: `assigned_${i}` })),
  ].map(({ value, wanted }) => ({ value, wanted, from: g.rows(value) }));
  const taken = new Set(infos.map((info) => info.name));
  const rename = new Map<string, string>();
  const produced = new Set(g.nodes.flatMap((n) => n.outputs));
  const copies: OnnxNode[] = [];
  for (const { from, wanted } of results) {
    // The node that computes a result writes it under the result's name; an Identity would copy it.
    if (produced.has(from) && !rename.has(from) && !taken.has(from)) rename.set(from, wanted);
    else
      copies.push({ op: 'Identity', domain: '', inputs: [from], outputs: [wanted], attributes: {}, label: `results/Identity_${wanted}` });
  }
  const wanted = results.flatMap((r) => [r.wanted, r.from]);
  const nodes = liveNodes([...g.nodes, ...copies], wanted).map((n) => ({
    ...n,
    inputs: n.inputs.map((x) => rename.get(x) ?? x),
    outputs: n.outputs.map((x) => rename.get(x) ?? x),
  }));
  return {
    onnx: {
      name: graph.name,
      inputs: infos,
      outputs: results.map(({ value, wanted }) => ({ name: wanted, type: value.dtype, shape: value.shape })),
      initializers: g.initializers,
      nodes,
    },
    inputs,
    variables,
    captured,
    outputs: graph.outputs.map((_, i) => `output_${i}`),
    assignments: graph.assignments.map(({ variable }, i) => ({ variable, name: `assigned_${i}` })),
  };
}

/** Emits one call by its kernel's definition. */
function lowerCall(g: Lowering, call: Call, name: string): void {
  const definition = kernelDefinition(call.kernel);
  if (definition === undefined) throw new TraceError(`The kernel ${call.kernel} has no lowering.`, { op: call.kernel });
  g.start(call);
  g.failure = undefined;
  try {
    // Without elements there is nothing to compute, and some of ONNX Runtime's operators end the process on empty tensors.
    const empty = call.outputs.every((v) => elements(v) === 0);
    const results = empty
      ? call.outputs.map((v) => rows(g.filled(0, v.shape, v.dtype)))
      : definition.lower(g, inputsOf(call), call.attrs, call);
    for (const [i, physical] of (Array.isArray(results) ? results : [results]).entries()) g.define(call.outputs[i]!, physical);
  } catch (cause) {
    if (cause instanceof OrbitError) throw cause;
    const line = userLine(call.origin.stack);
    const where = `\n  in the compiled function "${name}"${line ? `, at ${line}` : ''}`;
    throw new TraceError(`${call.kernel}: ${(cause as Error).message}${where}`, { op: call.kernel, cause });
  }
}
