/** What tfjs fuses after a convolution: a bias, then an activation. */
import type { Attrs, Value } from '../graph/ir.js';
import type { Lowering, Physical } from '../graph/lowering.js';
import { activate } from './activation.js';
import { operand } from './elementwise.js';

/** The bias that ONNX's Conv can add itself: one number per channel. */
export function channelBias(bias: Value | undefined, channels: number): Value | undefined {
  return bias !== undefined && bias.shape.length === 1 && bias.shape[0] === channels ? bias : undefined;
}

/**
 * Adds a bias that the convolution did not take, and applies the activation.
 *
 * @param bias undefined when the convolution has added it.
 */
export function biasAndActivation(
  g: Lowering,
  out: Physical,
  attrs: Attrs,
  bias: Value | undefined,
  preluWeights: Value | undefined,
): Physical {
  // In NCHW tfjs takes a vector as one number per channel.
  const aligned = (v: Value): string =>
    attrs['dataFormat'] === 'NCHW' && v.shape.length === 1 && v.shape[0] !== 1
      ? g.reshape(g.rows(v), [v.shape[0]!, 1, 1])
      : operand(g, v, out.layout);
  const sum = bias === undefined ? out.name : g.op('Add', [out.name, aligned(bias)]);
  return { name: activate(g, sum, attrs, preluWeights && aligned(preluWeights)), layout: out.layout };
}
