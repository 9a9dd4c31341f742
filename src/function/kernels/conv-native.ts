/** Convolutions and their gradients by native kernels: images stay in tfjs's own order, channels last. */
import type { Value } from '../graph/ir.js';
import { elements, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { hasFastFilterGradient, hasFastInputGradient } from './onednn-gaps.js';
import { fitsGradient, padsOf, type Window } from './window.js';

/** A convolution of a window over `x`, which gives `y`. */
export interface NativeConvolution {
  readonly window: Window;
  /** Shapes of the input image, the filter and the output image. */
  readonly x: readonly number[];
  readonly filter: readonly number[];
  readonly y: readonly number[];
  /** True when the filter is [height, width, channels, multiplier]. */
  readonly depthwise?: boolean;
}

function attributes(c: NativeConvolution, result: readonly number[]): Record<string, number | readonly number[]> {
  const { window: w, x, filter, y } = c;
  const axes = w.kernel.length;
  const pads = padsOf(w);
  return {
    x,
    filter,
    y,
    strides: w.strides,
    dilations: w.dilations,
    before: pads.slice(0, axes),
    after: pads.slice(axes),
    depthwise: c.depthwise ? 1 : 0,
    shapes: [result.length, ...result],
  };
}

/** tfjs's NCHW, and windows that start inside the image or leave out whole windows, stay with ONNX Runtime. */
function possible(g: Lowering, op: string, c: NativeConvolution): boolean {
  return g.native.has(op) && !c.window.channelsFirst && padsOf(c.window).every((p) => p >= 0) && elements({ shape: c.filter }) > 0;
}

/**
 * The convolution by the native kernel.
 *
 * @param relu applies a relu to the result in passing.
 * @returns undefined where there is no native kernel.
 */
export function nativeForward(
  g: Lowering,
  x: Value,
  filter: Value,
  bias: Value | undefined,
  c: NativeConvolution,
  relu = false,
): Physical | undefined {
  if (!possible(g, 'Conv', c)) return undefined;
  const inputs = [g.rows(x), g.rows(filter), ...(bias === undefined ? [] : [g.rows(bias)])];
  const [y] = g.ops('Conv', inputs, 1, { ...attributes(c, c.y), bias: bias === undefined ? 0 : 1, relu: relu ? 1 : 0 }, 'orbit');
  return rows(y!);
}

/**
 * The gradient by the input image by the native kernel, or undefined. That of an image with one channel takes oneDNN 1.9 times as long
 * as ONNX Runtime's convolution, without strides; see the table in docs/native-kernels.md.
 */
export function nativeInputGradient(g: Lowering, dy: Value, filter: Value, c: NativeConvolution): Physical | undefined {
  if (!possible(g, 'ConvInputGrad', c) || !fitsGradient(dy, c.window) || !hasFastInputGradient(c)) return undefined;
  if (c.window.kernel.length === 2 && c.window.channels === 1 && c.window.strides.every((stride) => stride === 1)) return undefined;
  return rows(g.op('ConvInputGrad', [g.rows(dy), g.rows(filter)], attributes(c, c.x), 'orbit'));
}

/**
 * The gradient by the filter by the native kernel, or undefined. oneDNN 3.13 gets that of a 1×1 filter wrong, and differently each time,
 * where strides leave out the image's last pixels and the channels are no multiple of its blocks: such filters stay with ONNX Runtime.
 */
export function nativeFilterGradient(g: Lowering, x: Value, dy: Value, c: NativeConvolution): Physical | undefined {
  if (!possible(g, 'ConvFilterGrad', c) || !fitsGradient(dy, c.window) || !hasFastFilterGradient(c)) return undefined;
  if (c.window.kernel.every((size) => size === 1) && c.window.strides.some((stride) => stride > 1)) return undefined;
  return rows(g.op('ConvFilterGrad', [g.rows(x), g.rows(dy)], attributes(c, c.filter), 'orbit'));
}
