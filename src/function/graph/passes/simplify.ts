import { input, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';

/** Removes calls that give their input back: identities, casts to the same dtype, reshapes to the same shape. */
export function removeIdentities(graph: Graph): Graph {
  return rewriteCalls(graph, (call, replace) => {
    const same = unchanged(call);
    if (same === undefined) return undefined;
    replace(call.outputs[0]!, same);
    return [];
  });
}

function unchanged(call: Call): Value | undefined {
  const [output] = call.outputs;
  const x = input(call, 'x') ?? input(call, 'input');
  if (x === undefined || output === undefined) return undefined;
  const sameShape = x.shape.length === output.shape.length && x.shape.every((d, i) => d === output.shape[i]);
  switch (call.kernel) {
    case 'Identity':
      return x;
    case 'Cast':
      return x.dtype === output.dtype ? x : undefined;
    case 'Reshape':
    case 'ExpandDims':
    case 'BroadcastTo':
      return sameShape ? x : undefined;
    default:
      return undefined;
  }
}
