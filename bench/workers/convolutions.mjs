// Convolutions and their gradients one by one, with native kernels and with ONNX Runtime's operators alone.
import { compile } from 'orbit-ts/function';
import * as tf from 'orbit-ts/tf';
import { serve } from './protocol.mjs';

/** The three functions of a convolution, with their arguments. */
function functionsOf({ x: shape, filter: window, strides, padding, dilations, depthwise }) {
  const convolve = (x, filter) =>
    depthwise
      ? tf.depthwiseConv2d(x, filter, strides, padding, 'NHWC', dilations)
      : tf.conv2d(x, filter, strides, padding, 'NHWC', dilations);
  const x = tf.randomNormal(shape);
  const filter = tf.randomNormal(window);
  const y = tf.randomNormal(shapeOfResult(shape, window, strides, padding, dilations, depthwise));
  return {
    pixels: y.size,
    // tfjs has no gradients of dilated convolutions.
    functions: {
      forward: [convolve, [x, filter]],
      ...(dilations === 1 && {
        'by input': [(filter, dy) => tf.grad((x) => convolve(x, filter))(x, dy), [filter, y]],
        'by filter': [(x, dy) => tf.grad((filter) => convolve(x, filter))(filter, dy), [x, y]],
      }),
    },
  };
}

function shapeOfResult([n, ...size], window, strides, padding, dilations, depthwise) {
  const reach = (k) => (k - 1) * dilations + 1;
  const out = [0, 1].map((i) => Math.ceil((padding === 'same' ? size[i] : size[i] - reach(window[i]) + 1) / strides));
  return [n, ...out, depthwise ? window[2] * window[3] : window[3]];
}

/** The sum of a step's nodes by ONNX Runtime's profiler: milliseconds without the call itself. */
const time = (step, inputs) => step.profile(...inputs).ms;

await serve({
  /** Least milliseconds over `rounds`, by function: native and composed, in turn. */
  convolution({ shape, rounds }) {
    const { functions, pixels } = functionsOf(shape);
    const taps = shape.filter.slice(0, shape.depthwise ? 2 : 3).reduce((a, b) => a * b, 1);
    const times = {};
    for (const [name, [call, inputs]] of Object.entries(functions)) {
      const native = compile(call);
      const composed = compile(call, { nativeKernels: false });
      const best = { native: Infinity, composed: Infinity };
      for (let i = 0; i < rounds; i++) {
        best.native = Math.min(best.native, time(native, inputs));
        best.composed = Math.min(best.composed, time(composed, inputs));
      }
      times[name] = best;
      native.dispose();
      composed.dispose();
    }
    return { times, flops: 2 * pixels * taps };
  },
});
