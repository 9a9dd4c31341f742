/** The names of an exported graph: those of the user's variables instead of numbers. */
import type { LoweredGraph } from './lower.js';
import type { OnnxAttribute, OnnxGraph, OnnxNode, OnnxValueInfo } from './onnx.js';

/**
 * A lowered graph with readable names: a variable's input bears the variable's name, its new value `<name>:next`. Arguments stay
 * `input_0`, `input_1`, …, tensors from outside `captured_0`, …, results `output_0`, …. Constants that nothing
 * reads are left out.
 */
export function exportGraph(lowered: LoweredGraph): OnnxGraph {
  const { onnx, variables, assignments } = lowered;
  const taken = new Set(namesOf(onnx));
  const renamed = new Map<string, string>();
  const rename = (from: string, wanted: string): void => {
    let to = wanted;
    for (let n = 2; taken.has(to); n++) to = `${wanted}_${n}`;
    taken.add(to);
    renamed.set(from, to);
  };
  for (const { variable, name } of variables) rename(name, variable.name);
  for (const { variable, name } of assignments) rename(name, `${variable.name}:next`);
  const used = new Set([...readBy(onnx), ...onnx.outputs.map((o) => o.name)]);
  const tidy = { ...onnx, initializers: onnx.initializers.filter((c) => used.has(c.name)) };
  return renameGraph(tidy, (name) => renamed.get(name) ?? name);
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
