/** Dead nodes of an ONNX graph: lowerings sometimes emit a form of a value that nothing reads in the end. */
import type { OnnxNode } from './onnx.js';

/**
 * The nodes that results depend on, in the same order.
 *
 * @param results names that the graph gives.
 */
export function liveNodes(nodes: readonly OnnxNode[], results: Iterable<string>): OnnxNode[] {
  const read = new Set(results);
  return nodes
    .reduceRight<OnnxNode[]>((live, node) => {
      if (!node.outputs.some((name) => read.has(name))) return live;
      namesReadBy(node, read);
      live.push(node);
      return live;
    }, [])
    .reverse();
}

/** Adds what a node reads, graphs inside it included. */
function namesReadBy(node: OnnxNode, read: Set<string>): void {
  node.inputs.forEach((name) => read.add(name));
  for (const value of Object.values(node.attributes)) {
    if (typeof value !== 'object' || !('graph' in value)) continue;
    value.graph.nodes.forEach((inner) => namesReadBy(inner, read));
    value.graph.outputs.forEach(({ name }) => read.add(name));
  }
}
