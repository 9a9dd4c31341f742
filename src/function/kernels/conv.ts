/** 2-D convolutions and their gradients. Images stay NCHW from one convolution to the next. */
import type { Attrs, Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import { activationNames } from './activation.js';
import { convInfo, type ConvInfo } from './conv-info.js';
import { filterGradient } from './conv-filter-gradient.js';
import { nativeFilterGradient, nativeForward, nativeInputGradient, type NativeConvolution } from './conv-native.js';
import { defineKernels } from './define.js';
import { biasAndActivation, channelBias } from './fused.js';
import {
  channelsLastOf,
  col2Im,
  effective,
  fitImage,
  fitsGradient,
  gradientOf,
  imageOf,
  imageResult,
  isEmpty,
  isPointwise,
  window2D,
  windowAttributes,
} from './window.js';

const geometry = (c: ConvInfo): NativeConvolution => ({ window: window2D(c), x: c.inShape, filter: c.filterShape, y: c.outShape });

function forward(g: Lowering, x: Value, filter: Value, bias: Value | undefined, attrs: Attrs): Physical {
  const c = convInfo(x.shape, filter.shape, attrs);
  const w = window2D(c);
  if (isEmpty(w)) return rows(g.filled(0, c.outShape, 'float32'));
  const inputs = bias === undefined ? [] : [g.rows(bias)];
  if (isPointwise(w) && !w.channelsFirst && g.has(x, 'rows')) {
    const pixels = c.batchSize * c.outHeight * c.outWidth;
    const out = g.op('Gemm', [
      g.reshape(g.rows(x), [pixels, c.inChannels]),
      g.reshape(g.rows(filter), [c.inChannels, c.outChannels]),
      ...inputs,
    ]);
    return rows(g.reshape(out, c.outShape));
  }
  const native = nativeForward(g, x, filter, bias, geometry(c));
  if (native !== undefined) return native;
  // The filter as ONNX wants it: [out, in, height, width].
  const weights = g.transpose(g.rows(filter), [3, 2, 0, 1]);
  const { image, window } = fitImage(g, imageOf(g, x, w.channelsFirst), w);
  const out = g.op('Conv', [image, weights, ...inputs], windowAttributes(window));
  return imageResult(g, out, 4, w.channelsFirst);
}

/** The filter for the gradient by input of a stride-1 convolution: turned by 180°, [in, out, height, width]. */
function flipped(g: Lowering, filter: Value): string {
  const [kh, kw] = filter.shape as [number, number];
  const whole = g.rows(filter);
  const turned =
    kh * kw === 1 ? whole : g.op('Slice', [whole, g.ints([-1, -1]), g.ints([-kh - 1, -kw - 1]), g.ints([0, 1]), g.ints([-1, -1])]);
  return g.transpose(turned, [2, 3, 0, 1]);
}

function inputGradient(g: Lowering, dy: Value, filter: Value, attrs: Attrs): Physical {
  const shape = attrs['inputShape'] as number[];
  const c = convInfo(shape, filter.shape, attrs);
  const w = window2D(c);
  if (isEmpty(w)) return rows(g.filled(0, shape, 'float32'));
  const { batchSize: n, inChannels: ci, outChannels: co, outHeight, outWidth, filterHeight: kh, filterWidth: kw } = c;
  if (isPointwise(w) && !w.channelsFirst && fitsGradient(dy, w) && g.has(dy, 'rows')) {
    const pixels = n * outHeight * outWidth;
    const out = g.op('Gemm', [g.reshape(g.rows(dy), [pixels, co]), g.reshape(g.rows(filter), [ci, co])], { transB: 1 });
    return rows(g.reshape(out, shape));
  }
  const native = nativeInputGradient(g, dy, filter, geometry(c));
  if (native !== undefined) return native;
  const image = gradientOf(g, dy, w);
  const reach = effective(w).map((k) => k - 1);
  const pads = [...reach.map((r, i) => r - w.before[i]!), ...reach.map((r, i) => r - w.after[i]!)];
  // Large unpadded windows: the flipped convolution would compute mostly on zeros at the border, Col2Im does not.
  const unpadded = kh > 1 && w.before[0]! + w.after[0]! === 0;
  if (w.strides.every((s) => s === 1) && pads.every((p) => p >= 0) && !unpadded) {
    const out = g.op('Conv', [image, flipped(g, filter)], { kernel_shape: w.kernel, strides: [1, 1], dilations: w.dilations, pads });
    return imageResult(g, out, 4, w.channelsFirst);
  }
  const columns = g.op('MatMul', [
    g.reshape(g.transpose(g.rows(filter), [2, 0, 1, 3]), [ci * kh * kw, co]),
    g.reshape(image, [n, co, outHeight * outWidth]),
  ]);
  return imageResult(g, col2Im(g, columns, w), 4, w.channelsFirst);
}

function inferInputGradient(dy: readonly number[], filter: readonly number[], attrs: Attrs) {
  const shape = attrs['inputShape'] as number[];
  const c = convInfo(shape, filter, attrs);
  const [height, width] = c.dataFormat === 'channelsFirst' ? dy.slice(2) : dy.slice(1);
  if (height! < c.outHeight || width! < c.outWidth) {
    throw new Error(
      `dy has the shape [${dy.join()}], but the convolution of an input of shape [${shape.join()}] gives [${c.outShape.join()}]`,
    );
  }
  return { dtype: 'float32' as const, shape };
}

defineKernels(
  {
    kernel: 'Conv2D',
    form: 'Conv in NCHW with run-time weights; Gemm for 1×1 with stride 1',
    infer: ({ x, filter }, attrs) => ({ dtype: 'float32', shape: convInfo(x!.shape, filter!.shape, attrs).outShape }),
    lower: (g, { x, filter, bias }, attrs) => forward(g, x!, filter!, bias, attrs),
  },
  {
    kernel: 'FusedConv2D',
    form: 'as Conv2D with the bias in the Conv, then the activation',
    infer: ({ x, filter }, attrs) => {
      activationNames.check(attrs['activation']);
      return { dtype: 'float32', shape: convInfo(x!.shape, filter!.shape, attrs).outShape };
    },
    lower: (g, { x, filter, bias, preluActivationWeights }, attrs) => {
      const inside = channelBias(bias, filter!.shape[3]!);
      const c = convInfo(x!.shape, filter!.shape, attrs);
      if (
        attrs['activation'] === 'relu' &&
        (bias === undefined) === (inside === undefined) &&
        !isPointwise(window2D(c)) &&
        !isEmpty(window2D(c))
      ) {
        const native = nativeForward(g, x!, filter!, inside, geometry(c), true);
        if (native !== undefined) return native;
      }
      const out = forward(g, x!, filter!, inside, attrs);
      return biasAndActivation(g, out, attrs, inside === undefined ? bias : undefined, preluActivationWeights);
    },
  },
  {
    kernel: 'Conv2DBackpropInput',
    form: 'Conv with the flipped filter (stride 1, padded), MatMul and Col2Im otherwise, Gemm for 1×1',
    infer: ({ dy, filter }, attrs) => inferInputGradient(dy!.shape, filter!.shape, attrs),
    lower: (g, { dy, filter }, attrs) => inputGradient(g, dy!, filter!, attrs),
  },
  {
    kernel: 'Conv2DBackpropFilter',
    form: 'im2col by Gather and Gemm on small images or many channels; by slices, Gather and batched MatMul on large ones',
    infer: (_, { filterShape }) => ({ dtype: 'float32', shape: filterShape as number[] }),
    lower: (g, { x, dy }, attrs) => {
      const shape = attrs['filterShape'] as number[];
      const c = convInfo(x!.shape, shape, attrs);
      const w = window2D(c);
      if (isEmpty(w)) return rows(g.filled(0, shape, 'float32'));
      const native = isPointwise(w) ? undefined : nativeFilterGradient(g, x!, dy!, geometry(c));
      if (native !== undefined) return native;
      const sources = {
        haveRows: !w.channelsFirst && fitsGradient(dy!, w) && g.has(x!, 'rows') && g.has(dy!, 'rows'),
        channelsFirst: (v: 'x' | 'dy') => (v === 'x' ? imageOf(g, x!, w.channelsFirst) : gradientOf(g, dy!, w)),
        channelsLast: (v: 'x' | 'dy') => {
          if (v === 'x') return channelsLastOf(g, x!, w.channelsFirst);
          return fitsGradient(dy!, w) ? channelsLastOf(g, dy!, w.channelsFirst) : g.transpose(gradientOf(g, dy!, w), [0, 2, 3, 1]);
        },
      };
      return rows(g.reshape(filterGradient(g, sources, c.outChannels, w), shape));
    },
  },
);
