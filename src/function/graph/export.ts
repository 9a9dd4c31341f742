/** Exported graphs: names of the user's instead of numbers, and variables as inputs or as constants. */
import type * as tf from '#tf';
import { UsageError } from '../../errors.js';
import type { Graph } from './ir.js';
import type { LoweredGraph } from './lower.js';
import type { OnnxAttribute, OnnxGraph, OnnxInitializer, OnnxNode, OnnxValueInfo } from './onnx.js';

/** How a compiled function is written as an ONNX model. */
export interface OnnxOptions {
  /**
   * `inputs` (default): variables and tensors from outside are inputs, new values of variables are outputs. `initializers`:
   * their values of now are constants of the model; a function that assigns a variable is refused.
   */
  readonly variables?: 'inputs' | 'initializers';
  /**
   * Names of the tensors among the arguments, in order; all become inputs then, also those that nothing reads. Default:
   * `input_0`, `input_1`, …, without those that nothing reads.
   */
  readonly inputNames?: readonly string[];
  /** Names of the results, in order. Default `output_0`, `output_1`, …. */
  readonly outputNames?: readonly string[];
  /** Names of variables. Default: their own, which count through the process. */
  readonly variableNames?: ReadonlyMap<tf.Variable, string>;
}

/**
 * A lowered graph with readable names: a variable's input bears the variable's name, its new value `<name>:next`, tensors from
 * outside `captured_0`, …. Constants that nothing reads are left out.
 * @throws UsageError when options do not fit the graph
 */
export function exportGraph(graph: Graph, lowered: LoweredGraph, options: OnnxOptions): OnnxGraph {
  checkOptions(graph, options);
  const { variables, captured, assignments } = lowered;
  const all = withUnreadInputs(graph, lowered, options.inputNames);
  const { onnx, inputs } = all;
  const names = new Names(onnx);
  names.fix([
    ...(options.inputNames ?? []).map((to, i) => [inputs[i]!, to] as const),
    ...(options.outputNames ?? []).map((to, i) => [lowered.outputs[i]!, to] as const),
  ]);
  const nameOf = (variable: tf.Variable): string => options.variableNames?.get(variable) ?? variable.name;
  for (const { variable, name } of variables) names.wish(name, nameOf(variable));
  for (const { variable, name } of assignments) names.wish(name, `${nameOf(variable)}:next`);
  const used = new Set([...readBy(onnx), ...onnx.outputs.map((o) => o.name)]);
  const tidy = { ...onnx, initializers: onnx.initializers.filter((c) => used.has(c.name)) };
  const held = [...variables.map((v) => [v.name, v.variable] as const), ...captured.map((c) => [c.name, c.tensor] as const)];
  return names.applied(options.variables === 'initializers' ? withValues(tidy, new Map(held)) : tidy);
}

function checkOptions(graph: Graph, options: OnnxOptions): void {
  const { variables = 'inputs', inputNames, outputNames } = options;
  if (variables !== 'inputs' && variables !== 'initializers')
    throw new UsageError(`toOnnx: variables is "${String(variables)}"; it can be "inputs" or "initializers".`);
  const assigned = graph.assignments[0]?.variable.name;
  if (variables === 'initializers' && assigned !== undefined)
    throw new UsageError(
      `toOnnx: "${graph.name}" assigns the variable ${assigned}, which cannot be a constant of the model as well. ` +
        'Export a function that only reads variables: apply the model with { training: false }, and draw no random numbers.',
    );
  checkNames('input', inputNames, graph.inputs.length);
  checkNames('output', outputNames, graph.outputs.length);
  const both = inputNames?.find((name) => outputNames?.includes(name));
  if (both !== undefined) throw new UsageError(`toOnnx: an input and an output are both named "${both}"; ONNX needs names of their own.`);
}

function checkNames(what: string, names: readonly string[] | undefined, count: number): void {
  if (names === undefined) return;
  if (names.length !== count) throw new UsageError(`toOnnx: ${names.length} ${what} names for ${count} ${what}s: ${names.join(', ')}.`);
  const wrong = names.find((name, i) => name === '' || names.indexOf(name) !== i);
  if (wrong !== undefined) throw new UsageError(`toOnnx: the ${what} name "${wrong}" is ${wrong === '' ? 'empty' : 'given twice'}.`);
}

/** The graph with every argument as an input, when they have names. */
function withUnreadInputs(graph: Graph, lowered: LoweredGraph, wanted: unknown): Pick<LoweredGraph, 'onnx' | 'inputs'> {
  if (wanted === undefined) return lowered;
  const inputs = lowered.inputs.map((name, i) => name ?? `input_${i}`);
  const infos = graph.inputs.map((v, i) => ({ name: inputs[i]!, type: v.dtype, shape: v.shape }));
  const others = lowered.onnx.inputs.filter((info) => !inputs.includes(info.name));
  return { onnx: { ...lowered.onnx, inputs: [...infos, ...others] }, inputs };
}

/** The graph with the values of tensors in the place of the inputs that stand for them. */
function withValues(graph: OnnxGraph, tensors: ReadonlyMap<string, tf.Tensor>): OnnxGraph {
  const baked: OnnxInitializer[] = graph.inputs.flatMap((info) => {
    const tensor = tensors.get(info.name);
    return tensor === undefined ? [] : [{ ...info, data: tensor.dataSync() }];
  });
  const inputs = graph.inputs.filter((info) => !tensors.has(info.name));
  return { ...graph, inputs, initializers: [...graph.initializers, ...baked] };
}

/** New names of values, none used twice. */
class Names {
  readonly #taken: Set<string>;
  readonly #renamed = new Map<string, string>();

  constructor(readonly graph: OnnxGraph) {
    this.#taken = new Set(namesOf(graph));
  }

  /** Gives exactly these names; a value that bears one of them gets another. */
  fix(pairs: readonly (readonly [from: string, to: string])[]): void {
    const leaving = new Set(pairs.map(([from]) => from));
    for (const [from, to] of pairs) {
      if (this.#taken.has(to) && !leaving.has(to)) this.wish(to, `${to}_`);
      this.#taken.add(to);
      this.#renamed.set(from, to);
    }
  }

  /** Gives this name, or one with a number after it. */
  wish(from: string, wanted: string): void {
    let to = wanted;
    for (let n = 2; this.#taken.has(to); n++) to = `${wanted}_${n}`;
    this.#taken.add(to);
    this.#renamed.set(from, to);
  }

  /** The graph, or one with the same values, with the names. */
  applied(graph: OnnxGraph): OnnxGraph {
    return renameGraph(graph, (name) => this.#renamed.get(name) ?? name);
  }
}

function readBy(graph: OnnxGraph): string[] {
  return graph.nodes.flatMap((node) => [...node.inputs, ...inside(node).flatMap(readBy)]);
}

function namesOf(graph: OnnxGraph): string[] {
  return [
    ...[...graph.inputs, ...graph.outputs, ...graph.initializers].map((info) => info.name),
    ...graph.nodes.flatMap((node) => [...node.outputs, ...inside(node).flatMap(namesOf)]),
  ];
}

function inside(node: OnnxNode): OnnxGraph[] {
  return Object.values(node.attributes).flatMap((a) => (holdsGraph(a) ? [a.graph] : []));
}

function holdsGraph(attribute: OnnxAttribute): attribute is { readonly graph: OnnxGraph } {
  return typeof attribute === 'object' && 'graph' in attribute;
}

function renameGraph(graph: OnnxGraph, to: (name: string) => string): OnnxGraph {
  const info = <T extends OnnxValueInfo>(value: T): T => ({ ...value, name: to(value.name) });
  return {
    ...graph,
    inputs: graph.inputs.map(info),
    outputs: graph.outputs.map(info),
    initializers: graph.initializers.map(info),
    nodes: graph.nodes.map((node) => ({
      ...node,
      inputs: node.inputs.map(to),
      outputs: node.outputs.map(to),
      attributes: Object.fromEntries(
        Object.entries(node.attributes).map(([name, a]) => [name, holdsGraph(a) ? { graph: renameGraph(a.graph, to) } : a]),
      ),
    })),
  };
}
