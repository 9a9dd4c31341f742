import { input, makeCall, producer, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';

/**
 * Rewrites tfjs's relu gradient `dy · cast(step(x))` to work on the relu's output, `dy` where `relu(x) > 0`: the
 * pre-activation is then used by the relu alone, which lets ONNX Runtime fold the relu into the convolution before it.
 * Also tells a max-pool gradient when the pooled tensor is a relu's output, which permits its fast form.
 */
export function reluGradient(graph: Graph): Graph {
  const reluOf = new Map<Value, Value>();
  const relus = new Set<Value>();
  return rewriteCalls(graph, (call, replace) => {
    if (call.kernel === 'Relu') {
      reluOf.set(call.inputs[0]!, call.outputs[0]!);
      relus.add(call.outputs[0]!);
    }
    if (call.kernel === 'MaxPoolGrad' && relus.has(input(call, 'input')!)) return [withAttr(call, replace)];
    if (call.kernel !== 'Multiply') return undefined;
    const [a, b] = call.inputs as [Value, Value];
    for (const [dy, mask] of [
      [a, b],
      [b, a],
    ] as const) {
      const relu = reluOf.get(stepArgument(mask) ?? dy);
      if (relu === undefined || stepArgument(mask) === undefined || dy.shape.join() !== relu.shape.join()) continue;
      const fused = makeCall('orbit.ReluGrad', { dy, y: relu }, {}, [dy], call.origin);
      replace(call.outputs[0]!, fused.outputs[0]!);
      return [fused];
    }
    return undefined;
  });
}

/** x, when the value is step(x) or cast(step(x)) with slope 0 on the left. */
function stepArgument(value: Value): Value | undefined {
  const call = producer(value);
  if (call?.kernel === 'Cast') return stepArgument(call.inputs[0]!);
  return call?.kernel === 'Step' && !call.attrs['alpha'] ? call.inputs[0] : undefined;
}

function withAttr(call: Call, replace: (from: Value, to: Value) => void): Call {
  const inputs = Object.fromEntries(call.inputNames.map((name, i) => [name, call.inputs[i]!]));
  const copy = makeCall(call.kernel, inputs, { ...call.attrs, inputIsRelu: true }, call.outputs, call.origin);
  replace(call.outputs[0]!, copy.outputs[0]!);
  return copy;
}
