/** Geometry of a 2-D convolution or pooling, computed by tfjs itself. */
import * as tf from '#tf';
import type { Attrs } from '../graph/ir.js';

/** Sizes, strides, dilations and padding of a convolution or pooling. */
export type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;

type Shape4D = [number, number, number, number];

/** Geometry of a convolution of `x` with `filter` ([height, width, in, out]; depthwise: [height, width, in, multiplier]). */
export function convInfo(x: readonly number[], filter: readonly number[], attrs: Attrs, depthwise = false): ConvInfo {
  const format = (attrs['dataFormat'] as string | undefined) ?? 'NHWC';
  if (format !== 'NHWC') throw new Error(`images in the order ${format} cannot be compiled; give NHWC (channels last)`);
  return tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    attrs['strides'] as number | [number, number],
    (attrs['dilations'] as number | [number, number] | null | undefined) ?? 1,
    attrs['pad'] as 'same' | 'valid' | number | tf.backend_util.ExplicitPadding,
    attrs['dimRoundingMode'] as 'floor' | 'round' | 'ceil' | undefined,
    depthwise,
  );
}

/** Geometry of a pooling of `x`. */
export function poolInfo(x: readonly number[], attrs: Attrs): ConvInfo {
  return tf.backend_util.computePool2DInfo(
    x as Shape4D,
    attrs['filterSize'] as number | [number, number],
    attrs['strides'] as number | [number, number],
    (attrs['dilations'] as number | [number, number] | null | undefined) ?? 1,
    attrs['pad'] as 'same' | 'valid' | number | tf.backend_util.ExplicitPadding,
    attrs['dimRoundingMode'] as 'floor' | 'round' | 'ceil' | undefined,
  );
}

/** ONNX attributes of a window: kernel shape, strides, dilations, pads. */
export function windowAttributes(c: ConvInfo): Record<'kernel_shape' | 'strides' | 'dilations' | 'pads', number[]> {
  return {
    kernel_shape: [c.filterHeight, c.filterWidth],
    strides: [c.strideHeight, c.strideWidth],
    dilations: [c.dilationHeight, c.dilationWidth],
    pads: padsOf(c),
  };
}

/** Padding in ONNX's order: top, left, bottom, right. */
export function padsOf({ padInfo: p }: ConvInfo): number[] {
  return [p.top, p.left, p.bottom, p.right];
}

/** True when a 1×1 window touches every pixel once: the convolution is a matrix product. */
export function isPointwise(c: ConvInfo): boolean {
  return c.filterHeight === 1 && c.filterWidth === 1 && c.strideHeight === 1 && c.strideWidth === 1 && padsOf(c).every((p) => p === 0);
}
