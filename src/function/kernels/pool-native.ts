/** Poolings and their gradients by native kernels: images stay in tfjs's own order, channels last. */
import type { Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import type { Window } from './window.js';

/** Looking for NaN would cost another pass over the image. */
export const NAN_LIMIT = 'of a window that holds NaN the result may be NaN or its maximum, where eager tfjs passes over NaN';

/**
 * A pooling or the gradient of one by the native kernel.
 *
 * @param op the native kernel's name
 * @param inputs what the kernel takes: the image, or the gradient by the results and the image
 * @param x the image, channels last
 * @param y shape of the pooling's results
 * @param result shape of what the kernel gives
 * @returns undefined where ONNX Runtime's serves: channels first, dilated windows, integers, and where convolutions leave images with
 *     their channels first.
 */
export function nativePooling(
  g: Lowering,
  op: string,
  inputs: readonly Value[],
  x: Value,
  w: Window,
  y: readonly number[],
  result: readonly number[],
): Physical | undefined {
  if (!g.native.has('Conv') || !g.native.has(op) || w.channelsFirst || x.dtype !== 'float32' || w.dilations.some((d) => d !== 1))
    return undefined;
  const attributes = { x: x.shape, y, kernel: w.kernel, strides: w.strides, before: w.before, shapes: [result.length, ...result] };
  const values = inputs.map((v) => g.rows(v));
  return rows(g.op(op, values, attributes, 'orbit'));
}
