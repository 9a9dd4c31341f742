/**
 * The gradient of a convolution by its filter. ONNX Runtime's cpu provider has no kernel for it; which composition is
 * fastest depends on the image (measured on 2 cores, 11 shapes; the rule stays within 10 % of the best on each).
 */
import type { Value } from '../graph/ir.js';
import type { Lowering } from '../graph/lowering.js';
import { isPointwise, padsOf, type ConvInfo } from './conv-info.js';

/** From this many output pixels on, or below this many channels, columns are built from row slices in NCHW. */
const LARGE_IMAGE_PIXELS = 400;
const FEW_CHANNELS = 8;

/** Emits dFilter as a matrix whose reshape is [height, width, in, out]. */
export function filterGradient(g: Lowering, x: Value, dy: Value, c: ConvInfo): string {
  const pixels = c.outHeight * c.outWidth;
  if (isPointwise(c) && g.has(x, 'rows') && g.has(dy, 'rows')) {
    const count = c.batchSize * pixels;
    return g.op('Gemm', [g.reshape(g.rows(x), [count, c.inChannels]), g.reshape(g.rows(dy), [count, c.outChannels])], { transA: 1 });
  }
  return pixels >= LARGE_IMAGE_PIXELS || c.inChannels < FEW_CHANNELS ? bySlices(g, x, dy, c) : byGather(g, x, dy, c);
}

/** NCHW: slices along the width for each filter column, one Gather of rows, a product per image, summed over images. */
function bySlices(g: Lowering, x: Value, dy: Value, c: ConvInfo): string {
  const { batchSize: n, inChannels: ci, outChannels: co, outHeight, outWidth, filterHeight: kh, filterWidth: kw } = c;
  const padded = pad(g, g.nchw(x), c, 2);
  const columns: string[] = [];
  for (let j = 0; j < kw; j++) {
    const start = j * c.dilationWidth;
    const end = start + (outWidth - 1) * c.strideWidth + 1;
    columns.push(g.op('Slice', [padded, g.ints([start]), g.ints([end]), g.ints([3]), g.ints([c.strideWidth])]));
  }
  const index = new Int32Array(kh * outHeight);
  for (let i = 0, k = 0; i < kh; i++) for (let h = 0; h < outHeight; h++) index[k++] = h * c.strideHeight + i * c.dilationHeight;
  const stacked = kw === 1 ? columns[0]! : g.op('Concat', columns, { axis: 1 });
  const taps = g.op('Gather', [stacked, g.constant(index, [index.length], 'int32')], { axis: 2 });
  const perImage = g.op(
    'FusedMatMul',
    [g.reshape(taps, [n, kw * ci * kh, outHeight * outWidth]), g.reshape(g.nchw(dy), [n, co, outHeight * outWidth])],
    { transB: 1 },
    'com.microsoft',
  );
  const sum = g.op('ReduceSum', [perImage, g.ints([0])], { keepdims: 0 });
  return g.transpose(g.reshape(sum, [kw, ci, kh, co]), [2, 0, 1, 3]);
}

/** NHWC: one Gather copies the pixels of every window side by side, one Gemm does the rest. */
function byGather(g: Lowering, x: Value, dy: Value, c: ConvInfo): string {
  const { batchSize: n, inChannels: ci, outChannels: co, outHeight, outWidth, filterHeight: kh, filterWidth: kw } = c;
  const [top, left, bottom, right] = padsOf(c) as [number, number, number, number];
  const [height, width] = [c.inHeight + top + bottom, c.inWidth + left + right];
  const index = new Int32Array(outHeight * outWidth * kh * kw);
  let k = 0;
  for (let h = 0; h < outHeight; h++) {
    for (let w = 0; w < outWidth; w++) {
      for (let i = 0; i < kh; i++) {
        for (let j = 0; j < kw; j++) {
          index[k++] = (h * c.strideHeight + i * c.dilationHeight) * width + w * c.strideWidth + j * c.dilationWidth;
        }
      }
    }
  }
  const pixels = g.reshape(pad(g, g.rows(x), c, 1), [n, height * width, ci]);
  const windows = g.op('Gather', [pixels, g.constant(index, [index.length], 'int32')], { axis: 1 });
  const count = n * outHeight * outWidth;
  return g.op('Gemm', [g.reshape(windows, [count, kh * kw * ci]), g.reshape(g.rows(dy), [count, co])], { transA: 1 });
}

/** Pads height and width, which start at axis `first`. */
function pad(g: Lowering, image: string, c: ConvInfo, first: 1 | 2): string {
  const [top, left, bottom, right] = padsOf(c) as [number, number, number, number];
  if (top + left + bottom + right === 0) return image;
  const before = first === 1 ? [0, top, left, 0] : [0, 0, top, left];
  const after = first === 1 ? [0, bottom, right, 0] : [0, 0, bottom, right];
  return g.op('Pad', [image, g.ints([...before, ...after])]);
}
