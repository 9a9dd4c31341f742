import { input, makeCall, producer, roots, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';

/** Moves the bias that is added to a convolution's output into the convolution, where nothing else uses that output. */
export function convBias(graph: Graph): Graph {
  const uses = new Map<Value, number>();
  const use = (v: Value): void => void uses.set(v, (uses.get(v) ?? 0) + 1);
  graph.calls.forEach((c) => c.inputs.forEach(use));
  roots(graph).forEach(use);
  return rewriteCalls(graph, (call, replace) => {
    if (call.kernel !== 'Add') return undefined;
    const [a, b] = call.inputs as [Value, Value];
    for (const [image, bias] of [
      [a, b],
      [b, a],
    ] as const) {
      const conv = producer(image);
      if ((conv?.kernel !== 'Conv2D' && conv?.kernel !== 'DepthwiseConv2dNative') || uses.get(image) !== 1) continue;
      if (conv.attrs['dataFormat'] === 'NCHW' || input(conv, 'bias') !== undefined) continue;
      if (bias.shape.length !== 1 || bias.shape[0] !== image.shape[3]) continue;
      const fused = makeCall(conv.kernel, { ...namedInputs(conv), bias }, conv.attrs, [image], conv.origin);
      replace(call.outputs[0]!, fused.outputs[0]!);
      return [fused];
    }
    return undefined;
  });
}

function namedInputs(call: Call): Record<string, Value> {
  return { x: input(call, 'x')!, filter: input(call, 'filter')! };
}
