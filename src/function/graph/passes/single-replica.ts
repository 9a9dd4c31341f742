import { rewriteCalls, type Graph } from '../ir.js';
import { ALL_REDUCE } from '../segments.js';

/** Removes collectives: with one replica the sum over replicas is the tensor itself. */
export function singleReplica(graph: Graph): Graph {
  return rewriteCalls(graph, (call, replace) => {
    if (call.kernel !== ALL_REDUCE) return undefined;
    replace(call.outputs[0]!, call.inputs[0]!);
    return [];
  });
}
