/** Sliding windows over images of any rank: the geometry of a convolution or pooling as ONNX states it. */
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import type { Value } from '../graph/ir.js';
import type { ConvInfo, ConvInfo3D } from './conv-info.js';

/** A window that slides over the spatial axes of an image. Every list has one entry per spatial axis. */
export interface Window {
  readonly batch: number;
  readonly channels: number;
  readonly size: readonly number[];
  readonly out: readonly number[];
  readonly kernel: readonly number[];
  readonly strides: readonly number[];
  readonly dilations: readonly number[];
  /** Padding before the first element; negative where tfjs starts inside the image. */
  readonly before: readonly number[];
  /** Padding that makes the last window end exactly at the border; negative where windows leave a remainder. */
  readonly after: readonly number[];
  /** True when the image's channels stand before its spatial axes (tfjs's NCHW). */
  readonly channelsFirst: boolean;
}

/** The window of a 2-D convolution or pooling. */
export function window2D(c: ConvInfo): Window {
  return makeWindow({
    batch: c.batchSize,
    channels: c.inChannels,
    size: [c.inHeight, c.inWidth],
    out: [c.outHeight, c.outWidth],
    kernel: [c.filterHeight, c.filterWidth],
    strides: [c.strideHeight, c.strideWidth],
    dilations: [c.dilationHeight, c.dilationWidth],
    before: [c.padInfo.top, c.padInfo.left],
    channelsFirst: c.dataFormat === 'channelsFirst',
  });
}

/** The window of a 3-D convolution or pooling. */
export function window3D(c: ConvInfo3D): Window {
  return makeWindow({
    batch: c.batchSize,
    channels: c.inChannels,
    size: [c.inDepth, c.inHeight, c.inWidth],
    out: [c.outDepth, c.outHeight, c.outWidth],
    kernel: [c.filterDepth, c.filterHeight, c.filterWidth],
    strides: [c.strideDepth, c.strideHeight, c.strideWidth],
    dilations: [c.dilationDepth, c.dilationHeight, c.dilationWidth],
    before: [c.padInfo.front, c.padInfo.top, c.padInfo.left],
    channelsFirst: c.dataFormat === 'channelsFirst',
  });
}

// tfjs's rounding modes may cut or add windows at the end: the size of the output decides the padding there.
function makeWindow(w: Omit<Window, 'after'>): Window {
  const after = w.size.map((size, i) => (w.out[i]! - 1) * w.strides[i]! + effective(w)[i]! - size - w.before[i]!);
  return { ...w, after };
}

/** Extent of the window on each axis, dilation included. */
export function effective(w: Pick<Window, 'kernel' | 'dilations'>): number[] {
  return w.kernel.map((k, i) => (k - 1) * w.dilations[i]! + 1);
}

/**
 * Padding in ONNX's order. Remainders are left to ONNX's rounding down; a negative number means that the image must be cropped,
 * because tfjs starts inside it or takes fewer windows than fit (it computes one axis's count from another's stride).
 */
export function padsOf(w: Window): number[] {
  const last = w.after.map((p, i) => {
    const windows = Math.floor((w.size[i]! + w.before[i]! - effective(w)[i]!) / w.strides[i]!) + 1;
    return p >= 0 || windows !== w.out[i] ? p : 0;
  });
  return [...w.before, ...last];
}

/** ONNX attributes of a window: kernel shape, strides, dilations, pads. */
export function windowAttributes(w: Window): Record<'kernel_shape' | 'strides' | 'dilations' | 'pads', readonly number[]> {
  return { kernel_shape: w.kernel, strides: w.strides, dilations: w.dilations, pads: padsOf(w) };
}

/** True when the output has no elements: every kernel's result is then empty, and its gradients are zeros. */
export function isEmpty(w: Window): boolean {
  return w.batch * w.channels === 0 || w.out.some((d) => d <= 0) || w.size.some((d) => d === 0);
}

/** True when a window of one element touches every pixel once. */
export function isPointwise(w: Window): boolean {
  return w.kernel.every((k) => k === 1) && w.strides.every((s) => s === 1) && padsOf(w).every((p) => p === 0);
}

/** True when every pixel lies in exactly one window. */
export function tilesExactly(w: Window): boolean {
  return (
    w.strides.every((s, i) => s === w.kernel[i]) &&
    w.dilations.every((d) => d === 1) &&
    w.size.every((d, i) => d === w.out[i]! * w.kernel[i]!) &&
    w.before.every((p) => p === 0)
  );
}

/**
 * Pads (or crops) a channels-first image by nodes so that the window needs no padding of its own.
 *
 * @param fill the value around the image.
 */
export function padImage(g: Lowering, image: string, w: Window, fill = 0): { image: string; window: Window } {
  const none = w.size.map(() => 0);
  const window = { ...w, size: w.size.map((d, i) => d + w.before[i]! + w.after[i]!), before: none, after: none };
  if ([...w.before, ...w.after].every((p) => p === 0)) return { image, window };
  // Between reshapes, or ONNX Runtime would fold the padding back into the window that cannot take it.
  const planes = g.reshape(image, [w.batch * w.channels, ...w.size]);
  const padded = g.op('Pad', [planes, g.ints([0, ...w.before, 0, ...w.after]), g.scalar(fill)]);
  return { image: g.reshape(padded, [w.batch, w.channels, ...window.size]), window };
}

/** Crops the image where `padsOf` asks for it; most images come back as they are. */
export function fitImage(g: Lowering, image: string, w: Window): { image: string; window: Window } {
  return padsOf(w).some((p) => p < 0) ? padImage(g, image, w) : { image, window: w };
}

/** Undoes `padImage`: crops what was padded, and puts zeros where it was cropped. */
export function unpadImage(g: Lowering, image: string, w: Window): string {
  if ([...w.before, ...w.after].every((p) => p === 0)) return image;
  return g.op('Pad', [image, g.ints([0, 0, ...w.before.map((p) => -p), 0, 0, ...w.after.map((p) => -p)])]);
}

/** An image with its channels first, as ONNX's convolutions and poolings take it. */
export function imageOf(g: Lowering, value: Value, channelsFirst: boolean): string {
  if (channelsFirst) return g.rows(value);
  return value.shape.length === 4 ? g.nchw(value) : g.transpose(g.rows(value), [0, 4, 1, 2, 3]);
}

/** An image with its channels last. */
export function channelsLastOf(g: Lowering, value: Value, channelsFirst: boolean): string {
  if (!channelsFirst) return g.rows(value);
  return g.transpose(g.rows(value), value.shape.length === 4 ? [0, 2, 3, 1] : [0, 2, 3, 4, 1]);
}

/** True when the gradient has the window's own outputs; a rounding mode that tfjs's gradients do not know gives them more. */
export function fitsGradient(dy: Value, w: Window): boolean {
  return w.out.every((d, i) => dy.shape[i + (w.channelsFirst ? 2 : 1)] === d);
}

/** The gradient of a window's outputs, channels first. tfjs ignores rows and columns beyond the last window. */
export function gradientOf(g: Lowering, dy: Value, w: Window): string {
  const image = imageOf(g, dy, w.channelsFirst);
  const axes = w.out.map((_, i) => i + 2);
  return fitsGradient(dy, w) ? image : g.op('Slice', [image, g.ints(axes.map(() => 0)), g.ints(w.out), g.ints(axes)]);
}

/** A result that was computed with its channels first. */
export function imageResult(g: Lowering, name: string, rank: number, channelsFirst: boolean): Physical {
  if (channelsFirst) return rows(name);
  return rank === 4 ? nchw(name) : rows(g.transpose(name, [0, 2, 3, 4, 1]));
}

/** Adds up windows at their places in an image with channels first. */
export function col2Im(g: Lowering, columns: string, w: Window): string {
  const { strides, dilations, kernel, size } = w;
  if (padsOf(w).every((p) => p >= 0))
    return g.op('Col2Im', [columns, g.ints(size), g.ints(kernel)], { pads: padsOf(w), strides, dilations });
  const whole = size.map((d, i) => d + w.before[i]! + w.after[i]!);
  const image = g.op('Col2Im', [columns, g.ints(whole), g.ints(kernel)], { pads: padsOf(w).map(() => 0), strides, dilations });
  return unpadImage(g, image, w);
}
