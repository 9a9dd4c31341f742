/** Geometry of convolutions and poolings, computed by tfjs itself. */
import * as tf from '#tf';
import type { Attrs } from '../graph/ir.js';

/** Sizes, strides, dilations and padding of a 2-D convolution or pooling. */
export type ConvInfo = ReturnType<typeof tf.backend_util.computeConv2DInfo>;
/** Sizes, strides, dilations and padding of a 3-D convolution or pooling. */
export type ConvInfo3D = ReturnType<typeof tf.backend_util.computeConv3DInfo>;

type Shape4D = [number, number, number, number];
type Shape5D = [number, number, number, number, number];
type Pad2D = 'same' | 'valid' | number | tf.backend_util.ExplicitPadding;
type Rounding = 'floor' | 'round' | 'ceil' | undefined;

/** Geometry of a convolution of `x` with `filter` ([height, width, in, out]). */
export function convInfo(x: readonly number[], filter: readonly number[], attrs: Attrs): ConvInfo {
  const format = (attrs['dataFormat'] as 'NHWC' | 'NCHW' | null | undefined) ?? 'NHWC';
  return tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    attrs['strides'] as number | [number, number],
    (attrs['dilations'] as number | [number, number] | null | undefined) ?? 1,
    attrs['pad'] as Pad2D,
    attrs['dimRoundingMode'] as Rounding,
    false,
    tf.backend_util.convertConv2DDataFormat(format),
  );
}

/** Geometry of a depthwise convolution of `x` with `filter` ([height, width, in, multiplier]). */
export function depthwiseInfo(x: readonly number[], filter: readonly number[], attrs: Attrs): ConvInfo {
  const dilations = (attrs['dilations'] as number | [number, number] | null | undefined) ?? 1;
  const strides = attrs['strides'] as number | [number, number];
  if (!tf.backend_util.eitherStridesOrDilationsAreOne(strides, dilations)) {
    throw new Error(
      `Error in depthwiseConv2d: Either strides or dilations must be 1. Got strides ${String(strides)} and dilations '${String(dilations)}'`,
    );
  }
  return tf.backend_util.computeConv2DInfo(
    x as Shape4D,
    filter as Shape4D,
    strides,
    dilations,
    attrs['pad'] as Pad2D,
    attrs['dimRoundingMode'] as Rounding,
    true,
  );
}

/** Geometry of a 3-D convolution of `x` with `filter` ([depth, height, width, in, out]). tfjs computes NDHWC whatever `dataFormat` says. */
export function conv3DInfo(x: readonly number[], filter: readonly number[], attrs: Attrs): ConvInfo3D {
  return tf.backend_util.computeConv3DInfo(
    x as Shape5D,
    filter as Shape5D,
    attrs['strides'] as number | [number, number, number],
    (attrs['dilations'] as number | [number, number, number] | null | undefined) ?? 1,
    attrs['pad'] as 'same' | 'valid' | number,
  );
}

/** Geometry of a pooling of `x`. */
export function poolInfo(x: readonly number[], attrs: Attrs): ConvInfo {
  return tf.backend_util.computePool2DInfo(
    x as Shape4D,
    attrs['filterSize'] as number | [number, number],
    attrs['strides'] as number | [number, number],
    1,
    attrs['pad'] as Pad2D,
    attrs['dimRoundingMode'] as Rounding,
  );
}

/** Geometry of a 3-D pooling of `x`. */
export function pool3DInfo(x: readonly number[], attrs: Attrs): ConvInfo3D {
  return tf.backend_util.computePool3DInfo(
    x as Shape5D,
    attrs['filterSize'] as number | [number, number, number],
    attrs['strides'] as number | [number, number, number],
    1,
    attrs['pad'] as 'same' | 'valid' | number,
    attrs['dimRoundingMode'] as Rounding,
    (attrs['dataFormat'] as 'NDHWC' | 'NCDHW' | null | undefined) ?? 'NDHWC',
  );
}
