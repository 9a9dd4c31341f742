/** 2-D pooling and its gradients. */
import type { Value } from '../graph/ir.js';
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { padsOf, poolInfo, windowAttributes, type ConvInfo } from './conv-info.js';
import { defineKernels } from './define.js';

/** True when every pixel lies in exactly one window. */
function tilesExactly(c: ConvInfo): boolean {
  return (
    c.strideHeight === c.filterHeight &&
    c.strideWidth === c.filterWidth &&
    c.dilationHeight === 1 &&
    c.dilationWidth === 1 &&
    c.inHeight === c.outHeight * c.filterHeight &&
    c.inWidth === c.outWidth * c.filterWidth &&
    padsOf(c).every((p) => p === 0)
  );
}

/** Attributes of a pooling. tfjs's rounding modes may cut or add windows at the end: the output's size decides the padding there. */
function poolAttributes(c: ConvInfo): Record<string, number[]> {
  const { kernel_shape, strides, dilations } = windowAttributes(c);
  const [top, left] = padsOf(c) as [number, number];
  const end = (out: number, stride: number, window: number, size: number, before: number): number =>
    Math.max(0, (out - 1) * stride + window - size - before);
  const bottom = end(c.outHeight, c.strideHeight, c.effectiveFilterHeight, c.inHeight, top);
  const right = end(c.outWidth, c.strideWidth, c.effectiveFilterWidth, c.inWidth, left);
  return { kernel_shape, strides, dilations, pads: [top, left, bottom, right] };
}

function maxPoolGradient(g: Lowering, dy: Value, x: Value, y: Value, c: ConvInfo, inputIsRelu: boolean): Physical {
  const [n, h, w, ch] = x.shape as [number, number, number, number];
  if (inputIsRelu && tilesExactly(c)) {
    // Ties after a relu are zeros whose gradient the relu's own gradient drops, so "equal to the maximum" is exact there.
    const { outHeight, outWidth, filterHeight: fh, filterWidth: fw } = c;
    if (g.has(x, 'rows') && g.has(y, 'rows') && g.has(dy, 'rows') && ch >= 32) {
      const wide = [n, outHeight, fh, outWidth, fw, ch];
      const one = [n, outHeight, 1, outWidth, 1, ch];
      const hit = g.cast(g.op('Equal', [g.reshape(g.rows(x), wide), g.reshape(g.rows(y), one)]), 'float32');
      return rows(g.reshape(g.op('Mul', [hit, g.reshape(g.rows(dy), one)]), x.shape));
    }
    const grown = (v: Value): string => enlarge(g, g.nchw(v), fh, fw);
    const hit = g.cast(g.op('Equal', [g.nchw(x), grown(y)]), 'float32');
    return nchw(g.op('Mul', [hit, grown(dy)]));
  }
  // Exact for ties: the indices that MaxPool itself picks (the first maximum, as tfjs does).
  const [, indices] = g.ops('MaxPool', [g.nchw(x)], 2, poolAttributes(c));
  const flat = [n * ch * h * w];
  const zeros = g.filled(0, flat, 'float32');
  const scattered = g.op('ScatterElements', [zeros, g.reshape(indices!, [-1]), g.reshape(g.nchw(dy), [-1])], { axis: 0, reduction: 'add' });
  return nchw(g.reshape(scattered, [n, ch, h, w]));
}

/** Repeats every pixel of an NCHW image. */
function enlarge(g: Lowering, image: string, byHeight: number, byWidth: number): string {
  const scales = g.constant(Float32Array.of(1, 1, byHeight, byWidth), [4], 'float32');
  return g.op('Resize', [image, '', scales], { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });
}

function avgPoolGradient(g: Lowering, dy: Value, x: Value, c: ConvInfo): Physical {
  const [n, , , ch] = x.shape as [number, number, number, number];
  const { filterHeight: fh, filterWidth: fw } = c;
  if (tilesExactly(c)) return nchw(g.op('Mul', [enlarge(g, g.nchw(dy), fh, fw), g.scalar(1 / (fh * fw))]));
  // tfjs divides every window's gradient by the full window, padding included.
  const share = g.op('Mul', [g.nchw(dy), g.scalar(1 / (fh * fw))]);
  const pixels = c.outHeight * c.outWidth;
  const spread = g.op('Expand', [g.reshape(share, [n, ch, 1, pixels]), g.ints([n, ch, fh * fw, pixels])]);
  const { strides, dilations } = windowAttributes(c);
  const columns = g.reshape(spread, [n, ch * fh * fw, pixels]);
  return nchw(g.op('Col2Im', [columns, g.ints([c.inHeight, c.inWidth]), g.ints([fh, fw])], { pads: padsOf(c), strides, dilations }));
}

defineKernels(
  {
    kernel: 'MaxPool',
    form: 'MaxPool in NCHW',
    infer: ({ x }, attrs) => ({ dtype: x!.dtype, shape: poolInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs) => {
      const c = poolInfo(x!.shape, attrs);
      if (c.filterHeight === 1 && c.filterWidth === 1 && c.inShape.join() === c.outShape.join()) return rows(g.rows(x!));
      return nchw(g.op('MaxPool', [g.nchw(x!)], poolAttributes(c)));
    },
  },
  {
    kernel: 'AvgPool',
    form: 'AveragePool in NCHW, padding not counted',
    infer: ({ x }, attrs) => ({ dtype: x!.dtype, shape: poolInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs) => {
      const c = poolInfo(x!.shape, attrs);
      if (c.filterHeight === 1 && c.filterWidth === 1 && c.inShape.join() === c.outShape.join()) return rows(g.rows(x!));
      return nchw(g.op('AveragePool', [g.nchw(x!)], { ...poolAttributes(c), count_include_pad: 0 }));
    },
  },
  {
    kernel: 'MaxPoolGrad',
    form: 'by MaxPool indices and ScatterElements; by equality where the input is a relu’s output and windows tile it',
    infer: ({ input }) => input!,
    lower: (g, { dy, input, output }, attrs) => maxPoolGradient(g, dy!, input!, output!, poolInfo(input!.shape, attrs), attrs['inputIsRelu'] === true),
  },
  {
    kernel: 'AvgPoolGrad',
    form: 'Resize (windows that tile the image), else Col2Im',
    infer: ({ input }) => input!,
    lower: (g, { dy, input }, attrs) => avgPoolGradient(g, dy!, input!, poolInfo(input!.shape, attrs)),
  },
);
