/** Poolings written with ONNX Runtime's own, for images with channels first. */
import type { Value } from '../graph/ir.js';
import type { Lowering } from '../graph/lowering.js';
import { imageOf, padImage, padsOf, windowAttributes, type Window } from './window.js';

/** Stands for −∞ around an image: ONNX Runtime's pooling starts from the lowest float and would find no maximum among −∞. */
export const LOWEST = -3e38;

/** ONNX refuses padding that reaches the window's size, and negative padding. */
export function needsPadding(w: Window): boolean {
  return padsOf(w).some((p, i) => p < 0 || p >= w.kernel[i % w.kernel.length]!);
}

/** The image in float32, with channels first. */
export function inFloat(g: Lowering, x: Value, w: Window): string {
  const image = imageOf(g, x, w.channelsFirst);
  return x.dtype === 'float32' ? image : g.cast(image, 'float32');
}

/** Emits a pooling of a float image with channels first; `emptyWindow` is the maximum of a window that lies in the padding alone. */
export function maxPool(g: Lowering, image: string, w: Window, emptyWindow: number): string {
  if (!needsPadding(w)) return g.op('MaxPool', [image], windowAttributes(w));
  const padded = padImage(g, image, w, LOWEST);
  const y = g.op('MaxPool', [padded.image], windowAttributes(padded.window));
  return g.op('Where', [g.op('LessOrEqual', [y, g.scalar(LOWEST)]), g.scalar(emptyWindow), y]);
}

/** Emits an average over the elements of each window that lie in the image; `emptyWindow` where there are none. */
export function avgPool(g: Lowering, image: string, w: Window, emptyWindow: number): string {
  if (!needsPadding(w)) return g.op('AveragePool', [image], { ...windowAttributes(w), count_include_pad: 0 });
  const padded = padImage(g, image, w);
  const y = g.op('AveragePool', [padded.image], { ...windowAttributes(padded.window), count_include_pad: 1 });
  return g.op('Mul', [y, correction(g, w, emptyWindow)]);
}

/** Per output pixel: the window's size over the number of its elements that lie in the image. */
function correction(g: Lowering, w: Window, emptyWindow: number): string {
  const counts = w.out.map((out, axis) =>
    Array.from({ length: out }, (_, o) => {
      const start = o * w.strides[axis]! - w.before[axis]!;
      return Array.from({ length: w.kernel[axis]! }, (_, k) => start + k * w.dilations[axis]!).filter((p) => p >= 0 && p < w.size[axis]!)
        .length;
    }),
  );
  const inside = counts.reduce((grid, axis) => grid.flatMap((a) => axis.map((b) => a * b)), [1]);
  const total = w.kernel.reduce((a, b) => a * b, 1);
  return g.constant(
    Float32Array.from(inside, (n) => (n === 0 ? emptyWindow : total / n)),
    [1, 1, ...w.out],
    'float32',
  );
}
