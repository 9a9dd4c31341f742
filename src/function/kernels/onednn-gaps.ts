/**
 * Gradients of convolutions for which oneDNN 3.13 has no fast form on processors with AVX2: it falls back to plain loops, 5 to 200 times
 * slower than the compositions of ONNX Runtime's operators that serve instead. Elsewhere those cost at most about twice the native kernel.
 *
 * Milliseconds native ÷ composition (2 cores, AVX2):
 *
 * | gradient | convolution | native ÷ composition |
 * | --- | --- | --- |
 * | filter | 1 × 80, stride 4, 1 → 32 channels, 8 × 16000 | 287 ÷ 7.0 |
 * | filter | 14×14, 16 → 16, 4 × 40×40 (13×13: 3.8 ÷ 21) | 911 ÷ 11 |
 * | filter | 3×3×3 padded, 16 → 16, 2 × 10×10×10 (without padding: 0.21 ÷ 0.44) | 80 ÷ 1.3 |
 * | image | 1 × 9, stride 2, 16 → 32, 8 × 400 | 17 ÷ 0.77 |
 * | image | 7×7, stride 2, 3 → 64, 8 × 112×112 | 729 ÷ 8.5 |
 * | image | depthwise 9×9, stride 2, 16 channels times 2, 4 × 24×24 (times 1: 0.22 ÷ 0.94) | 22 ÷ 0.85 |
 * | image | 3×3×3, stride 2, 16 → 16, 2 × 12×12×12 | 9.2 ÷ 2.2 |
 */
import type { NativeConvolution } from './conv-native.js';
import { padsOf } from './window.js';

/** The widest filter whose gradient has a fast form. */
const WIDEST_FILTER = 13;

/** Images of fewer channels do not fill a vector: wider filters than this have no fast gradient by a strided image. */
const WIDEST_FILTER_OF_FEW_CHANNELS = 3;
const CHANNELS_OF_A_VECTOR = 8;

/** Whether the gradient by the filter is fast. */
export function hasFastFilterGradient({ window: w }: NativeConvolution): boolean {
  if (w.kernel.length === 3 && padsOf(w).some((pad) => pad > 0)) return false;
  return w.kernel.at(-1)! <= WIDEST_FILTER;
}

/** Whether the gradient by the input image is fast. */
export function hasFastInputGradient({ window: w, filter, depthwise = false }: NativeConvolution): boolean {
  const { strides, kernel } = w;
  const multiplier = depthwise ? filter.at(-1)! : undefined;
  if (multiplier === 1 || strides.every((stride) => stride === 1)) return true;
  if (kernel.length === 3 || strides.some((stride) => stride !== strides[0])) return false;
  const channels = depthwise ? 1 : w.channels; // of a group
  return channels >= CHANNELS_OF_A_VECTOR || kernel.at(-1)! <= WIDEST_FILTER_OF_FEW_CHANNELS;
}
