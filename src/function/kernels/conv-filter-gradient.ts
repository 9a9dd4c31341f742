/**
 * The gradient of a convolution by its filter. ONNX Runtime's cpu provider has no kernel for it; which composition is
 * fastest depends on the image (measured on 2 cores, 11 shapes; the rule stays within 10 % of the best on each).
 */
import type { Lowering } from '../graph/lowering.js';
import { isPointwise, padsOf, type Window } from './window.js';

/** From this many output pixels on, or below this many channels, columns are built from row slices in NCHW. */
const LARGE_IMAGE_PIXELS = 400;
const FEW_CHANNELS = 8;

/** The two images of the gradient, in either order of axes. */
export interface GradientImages {
  /** True when both exist with channels last already. */
  readonly haveRows: boolean;
  channelsFirst(which: 'x' | 'dy'): string;
  channelsLast(which: 'x' | 'dy'): string;
}

/** Emits dFilter as a matrix whose reshape is [height, width, in, out]. */
export function filterGradient(g: Lowering, images: GradientImages, outChannels: number, w: Window): string {
  const pixels = w.out[0]! * w.out[1]!;
  if (isPointwise(w) && images.haveRows) {
    const count = w.batch * pixels;
    return g.op(
      'Gemm',
      [g.reshape(images.channelsLast('x'), [count, w.channels]), g.reshape(images.channelsLast('dy'), [count, outChannels])],
      { transA: 1 },
    );
  }
  const form = pixels >= LARGE_IMAGE_PIXELS || w.channels < FEW_CHANNELS ? bySlices : byGather;
  return form(g, images, outChannels, w);
}

/** NCHW: a product per image, summed over images. */
function bySlices(g: Lowering, images: GradientImages, co: number, w: Window): string {
  const [kh, kw] = w.kernel as [number, number];
  const perImage = productPerImage(g, images.channelsFirst('x'), images.channelsFirst('dy'), co, w);
  const sum = g.op('ReduceSum', [perImage, g.ints([0])], { keepdims: 0 });
  return g.transpose(g.reshape(sum, [kw, w.channels, kh, co]), [2, 0, 1, 3]);
}

/**
 * Slices along the width for each filter column, one Gather of rows, and a product with dy for each image of an NCHW batch:
 * [image, filter width · in · filter height, out].
 */
export function productPerImage(g: Lowering, x: string, dy: string, co: number, w: Window): string {
  const { batch: n, channels: ci } = w;
  const [outHeight, outWidth] = w.out as [number, number];
  const [kh, kw] = w.kernel as [number, number];
  const padded = pad(g, x, w, 2);
  const columns: string[] = [];
  for (let j = 0; j < kw; j++) {
    const start = j * w.dilations[1]!;
    const end = start + (outWidth - 1) * w.strides[1]! + 1;
    columns.push(g.op('Slice', [padded, g.ints([start]), g.ints([end]), g.ints([3]), g.ints([w.strides[1]!])]));
  }
  const index = new Int32Array(kh * outHeight);
  for (let i = 0, k = 0; i < kh; i++) for (let h = 0; h < outHeight; h++) index[k++] = h * w.strides[0]! + i * w.dilations[0]!;
  const stacked = kw === 1 ? columns[0]! : g.op('Concat', columns, { axis: 1 });
  const taps = g.op('Gather', [stacked, g.constant(index, [index.length], 'int32')], { axis: 2 });
  const pixels = outHeight * outWidth;
  return g.op('FusedMatMul', [g.reshape(taps, [n, kw * ci * kh, pixels]), g.reshape(dy, [n, co, pixels])], { transB: 1 }, 'com.microsoft');
}

/** NHWC: one Gather copies the pixels of every window side by side, one Gemm does the rest. */
function byGather(g: Lowering, images: GradientImages, co: number, w: Window): string {
  const { batch: n, channels: ci } = w;
  const pads = padsOf(w);
  const [height, width] = w.size.map((d, i) => d + pads[i]! + pads[i + 2]!) as [number, number];
  const index = windowIndices(w, width);
  const pixels = g.reshape(pad(g, images.channelsLast('x'), w, 1), [n, height * width, ci]);
  const windows = g.op('Gather', [pixels, g.constant(index, [index.length], 'int32')], { axis: 1 });
  const count = n * w.out[0]! * w.out[1]!;
  const taps = w.kernel[0]! * w.kernel[1]!;
  return g.op('Gemm', [g.reshape(windows, [count, taps * ci]), g.reshape(images.channelsLast('dy'), [count, co])], { transA: 1 });
}

/** For each output pixel and then each element of its window: the pixel's place in the padded image, whose rows have `width` pixels. */
export function windowIndices(w: Window, width: number): Int32Array {
  const [outHeight, outWidth] = w.out as [number, number];
  const [kh, kw] = w.kernel as [number, number];
  const index = new Int32Array(outHeight * outWidth * kh * kw);
  let k = 0;
  for (let h = 0; h < outHeight; h++) {
    for (let v = 0; v < outWidth; v++) {
      for (let i = 0; i < kh; i++) {
        for (let j = 0; j < kw; j++) {
          index[k++] = (h * w.strides[0]! + i * w.dilations[0]!) * width + v * w.strides[1]! + j * w.dilations[1]!;
        }
      }
    }
  }
  return index;
}

/** Pads height and width, which start at axis `first`. */
function pad(g: Lowering, image: string, w: Window, first: 1 | 2): string {
  const [top, left, bottom, right] = padsOf(w) as [number, number, number, number];
  if (padsOf(w).every((p) => p === 0)) return image;
  const before = first === 1 ? [0, top, left, 0] : [0, 0, top, left];
  const after = first === 1 ? [0, bottom, right, 0] : [0, 0, bottom, right];
  return g.op('Pad', [image, g.ints([...before, ...after])]);
}
