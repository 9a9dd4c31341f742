/** Depthwise 2-D convolutions and their gradients: convolutions with one group per channel, in NCHW. */
import type { Attrs, Value } from '../graph/ir.js';
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { activationNames } from './activation.js';
import { depthwiseInfo, type ConvInfo } from './conv-info.js';
import { productPerImage } from './conv-filter-gradient.js';
import { nativeFilterGradient, nativeForward, nativeInputGradient, type NativeConvolution } from './conv-native.js';
import { defineKernels } from './define.js';
import { biasAndActivation, channelBias } from './fused.js';
import { col2Im, effective, fitImage, gradientOf, isEmpty, padsOf, window2D, windowAttributes } from './window.js';

const geometry = (c: ConvInfo): NativeConvolution => ({
  window: window2D(c),
  x: c.inShape,
  filter: c.filterShape,
  y: c.outShape,
  depthwise: true,
});

function forward(g: Lowering, x: Value, filter: Value, bias: Value | undefined, attrs: Attrs): Physical {
  const c = depthwiseInfo(x.shape, filter.shape, attrs);
  const w = window2D(c);
  if (isEmpty(w)) return rows(g.filled(0, c.outShape, 'float32'));
  const native = nativeForward(g, x, filter, bias, geometry(c));
  if (native !== undefined) return native;
  const weights = g.reshape(g.transpose(g.rows(filter), [2, 3, 0, 1]), [c.outChannels, 1, ...w.kernel]);
  const { image, window } = fitImage(g, g.nchw(x), w);
  const inputs = [image, weights, ...(bias === undefined ? [] : [g.rows(bias)])];
  return nchw(g.op('Conv', inputs, { ...windowAttributes(window), group: c.inChannels }));
}

function inputGradient(g: Lowering, dy: Value, filter: Value, attrs: Attrs): Physical {
  const shape = attrs['inputShape'] as number[];
  const c = depthwiseInfo(shape, filter.shape, attrs);
  const w = window2D(c);
  if (isEmpty(w)) return rows(g.filled(0, shape, 'float32'));
  const native = nativeInputGradient(g, dy, filter, geometry(c));
  if (native !== undefined) return native;
  const [kh, kw, channels, multiplier] = filter.shape as [number, number, number, number];
  const reach = effective(w).map((k) => k - 1);
  const pads = [...reach.map((r, i) => r - w.before[i]!), ...reach.map((r, i) => r - w.after[i]!)];
  if (w.strides.every((s) => s === 1) && pads.every((p) => p >= 0)) {
    const turned = g.op('Slice', [g.rows(filter), g.ints([-1, -1]), g.ints([-kh - 1, -kw - 1]), g.ints([0, 1]), g.ints([-1, -1])]);
    const attributes = { kernel_shape: w.kernel, strides: [1, 1], dilations: w.dilations, pads, group: channels };
    return nchw(g.op('Conv', [gradientOf(g, dy, w), g.transpose(turned, [2, 3, 0, 1])], attributes));
  }
  // Every output pixel's gradient times the filter, added up at the window's places.
  const pixels = c.outHeight * c.outWidth;
  const taps = g.reshape(g.transpose(g.rows(filter), [2, 0, 1, 3]), [1, channels, kh * kw, multiplier]);
  const images = g.reshape(gradientOf(g, dy, w), [c.batchSize, channels, multiplier, pixels]);
  const columns = g.op(multiplier === 1 ? 'Mul' : 'MatMul', [taps, images]);
  return nchw(col2Im(g, g.reshape(columns, [c.batchSize, channels * kh * kw, pixels]), w));
}

/** From this many output pixels on, with stride 1, products of slices beat the grouped convolution (measured on 2 cores). */
const LARGE_IMAGE_PIXELS = 400;

function filterGradient(g: Lowering, x: Value, dy: Value, attrs: Attrs): Physical {
  const c = depthwiseInfo(x.shape, attrs['filterShape'] as number[], attrs);
  if (isEmpty(window2D(c))) return rows(g.filled(0, c.filterShape, 'float32'));
  const native = nativeFilterGradient(g, x, dy, geometry(c));
  if (native !== undefined) return native;
  const large = c.strideHeight === 1 && c.strideWidth === 1 && c.outHeight * c.outWidth >= LARGE_IMAGE_PIXELS;
  return large ? byProducts(g, x, dy, c) : byConvolution(g, x, dy, c);
}

/** One convolution with a group for each image and channel: dy is the filter that slides over x. */
function byConvolution(g: Lowering, x: Value, dy: Value, c: ConvInfo): Physical {
  const shape = c.filterShape;
  const whole = window2D(c);
  const { image, window: w } = fitImage(g, g.nchw(x), whole);
  const { batchSize: n, inChannels, outChannels } = c;
  const [kh, kw] = w.kernel as [number, number];
  const pads = padsOf(w);
  const found = w.size.map((d, i) => {
    const rest = d + pads[i]! + pads[i + 2]! - (w.out[i]! - 1) * w.strides[i]! - 1;
    return Math.floor(rest / w.dilations[i]!) + 1;
  });
  let taps = g.op(
    'Conv',
    [g.reshape(image, [1, n * inChannels, ...w.size]), g.reshape(gradientOf(g, dy, w), [n * outChannels, 1, ...w.out])],
    { kernel_shape: w.out, strides: w.dilations, dilations: w.strides, pads, group: n * inChannels },
  );
  // Rows that no window reached make the result longer than the filter.
  if (found[0] !== kh || found[1] !== kw) taps = g.op('Slice', [taps, g.ints([0, 0]), g.ints([kh, kw]), g.ints([2, 3])]);
  const sum = n === 1 ? taps : g.op('ReduceSum', [g.reshape(taps, [n, outChannels * kh * kw]), g.ints([0])], { keepdims: 0 });
  return rows(g.transpose(g.reshape(sum, [shape[2]!, shape[3]!, kh, kw]), [2, 3, 0, 1]));
}

/** A small product for each image and channel, summed over the images. */
function byProducts(g: Lowering, x: Value, dy: Value, c: ConvInfo): Physical {
  const [kh, kw, channels, multiplier] = c.filterShape;
  const w = window2D(c);
  const planes = w.batch * channels;
  const images = g.reshape(g.nchw(x), [planes, 1, ...w.size]);
  const products = productPerImage(g, images, gradientOf(g, dy, w), multiplier, { ...w, batch: planes, channels: 1 });
  const sum = g.op('ReduceSum', [g.reshape(products, [w.batch, channels * kw * kh * multiplier]), g.ints([0])], { keepdims: 0 });
  return rows(g.transpose(g.reshape(sum, [channels, kw, kh, multiplier]), [2, 1, 0, 3]));
}

defineKernels(
  {
    kernel: 'DepthwiseConv2dNative',
    form: 'Conv with one group per channel',
    infer: ({ x, filter }, attrs) => ({ dtype: 'float32', shape: depthwiseInfo(x!.shape, filter!.shape, attrs).outShape }),
    lower: (g, { x, filter, bias }, attrs) => forward(g, x!, filter!, bias, attrs),
  },
  {
    kernel: 'FusedDepthwiseConv2D',
    form: 'as DepthwiseConv2dNative with the bias in the Conv, then the activation',
    infer: ({ x, filter }, attrs) => {
      activationNames.check(attrs['activation']);
      return { dtype: 'float32', shape: depthwiseInfo(x!.shape, filter!.shape, attrs).outShape };
    },
    lower: (g, { x, filter, bias, preluActivationWeights }, attrs) => {
      const inside = channelBias(bias, filter!.shape[2]! * filter!.shape[3]!);
      const out = forward(g, x!, filter!, inside, attrs);
      // tfjs reads depthwise images as NHWC whatever `dataFormat` says.
      return biasAndActivation(g, out, { ...attrs, dataFormat: 'NHWC' }, inside === undefined ? bias : undefined, preluActivationWeights);
    },
  },
  {
    kernel: 'DepthwiseConv2dNativeBackpropInput',
    form: 'grouped Conv with the flipped filter (stride 1), else Mul or MatMul and Col2Im',
    infer: (_, { inputShape }) => ({ dtype: 'float32', shape: inputShape as number[] }),
    lower: (g, { dy, filter }, attrs) => inputGradient(g, dy!, filter!, attrs),
  },
  {
    kernel: 'DepthwiseConv2dNativeBackpropFilter',
    form: 'Conv with one group per image and channel and dy as the filter; slices and batched MatMul on large images',
    infer: (_, { filterShape }) => ({ dtype: 'float32', shape: filterShape as number[] }),
    lower: (g, { x, dy }, attrs) => filterGradient(g, x!, dy!, attrs),
  },
);
