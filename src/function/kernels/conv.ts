/** 2-D convolutions and their gradients. Images stay NCHW from one convolution to the next. */
import type { Attrs, Value } from '../graph/ir.js';
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { activate, activationNames } from './activation.js';
import { convInfo, isPointwise, padsOf, windowAttributes, type ConvInfo } from './conv-info.js';
import { filterGradient } from './conv-filter-gradient.js';
import { defineKernels } from './define.js';
import { operand } from './elementwise.js';

function forward(g: Lowering, x: Value, filter: Value, bias: Value | undefined, attrs: Attrs): Physical {
  const c = convInfo(x.shape, filter.shape, attrs);
  const inputs = bias === undefined ? [] : [g.rows(bias)];
  if (isPointwise(c) && g.has(x, 'rows')) {
    const pixels = c.batchSize * c.outHeight * c.outWidth;
    const out = g.op('Gemm', [g.reshape(g.rows(x), [pixels, c.inChannels]), g.reshape(g.rows(filter), [c.inChannels, c.outChannels]), ...inputs]);
    return rows(g.reshape(out, c.outShape));
  }
  return nchw(g.op('Conv', [g.nchw(x), oihw(g, filter), ...inputs], windowAttributes(c)));
}

/** The filter as ONNX wants it: [out, in, height, width]. */
function oihw(g: Lowering, filter: Value): string {
  return g.transpose(g.rows(filter), [3, 2, 0, 1]);
}

/** The filter for the gradient by input of a stride-1 convolution: turned by 180°, [in, out, height, width]. */
function flipped(g: Lowering, filter: Value): string {
  const [kh, kw] = filter.shape as [number, number];
  const whole = g.rows(filter);
  const turned = kh * kw === 1 ? whole : g.op('Slice', [whole, g.ints([-1, -1]), g.ints([-kh - 1, -kw - 1]), g.ints([0, 1]), g.ints([-1, -1])]);
  return g.transpose(turned, [2, 3, 0, 1]);
}

function inputGradient(g: Lowering, dy: Value, filter: Value, attrs: Attrs): Physical {
  const shape = attrs['inputShape'] as number[];
  const c = convInfo(shape, filter.shape, attrs);
  const { batchSize: n, inChannels: ci, outChannels: co, outHeight, outWidth, filterHeight: kh, filterWidth: kw } = c;
  if (isPointwise(c) && g.has(dy, 'rows')) {
    const pixels = n * outHeight * outWidth;
    const out = g.op('Gemm', [g.reshape(g.rows(dy), [pixels, co]), g.reshape(g.rows(filter), [ci, co])], { transB: 1 });
    return rows(g.reshape(out, shape));
  }
  const reach = [(kh - 1) * c.dilationHeight, (kw - 1) * c.dilationWidth] as const;
  const [top, left, bottom, right] = padsOf(c) as [number, number, number, number];
  const pads = [reach[0] - top, reach[1] - left, reach[0] - bottom, reach[1] - right];
  // Large unpadded windows: the flipped convolution would compute mostly on zeros at the border, Col2Im does not.
  const unpadded = kh > 1 && top + bottom === 0;
  if (c.strideHeight === 1 && c.strideWidth === 1 && pads.every((p) => p >= 0) && !unpadded) {
    const attributes = { kernel_shape: [kh, kw], strides: [1, 1], dilations: [c.dilationHeight, c.dilationWidth], pads };
    return nchw(g.op('Conv', [g.nchw(dy), flipped(g, filter)], attributes));
  }
  const columns = g.op(
    'MatMul',
    [g.reshape(g.transpose(g.rows(filter), [2, 0, 1, 3]), [ci * kh * kw, co]), g.reshape(g.nchw(dy), [n, co, outHeight * outWidth])],
  );
  const { strides, dilations } = windowAttributes(c);
  return nchw(g.op('Col2Im', [columns, g.ints([c.inHeight, c.inWidth]), g.ints([kh, kw])], { pads: padsOf(c), strides, dilations }));
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
      const channels = filter!.shape[3];
      const vector = bias !== undefined && bias.shape.length === 1 && bias.shape[0] === channels ? bias : undefined;
      const out = forward(g, x!, filter!, vector, attrs);
      let name = out.name;
      if (bias !== undefined && vector === undefined) name = g.op('Add', [name, operand(g, bias, out.layout)]);
      const weights = preluActivationWeights && operand(g, preluActivationWeights, out.layout);
      return { name: activate(g, name, attrs, weights), layout: out.layout };
    },
  },
  {
    kernel: 'Conv2DBackpropInput',
    form: 'Conv with the flipped filter (stride 1, padded), MatMul and Col2Im otherwise, Gemm for 1×1',
    infer: (_, { inputShape }) => ({ dtype: 'float32', shape: inputShape as number[] }),
    lower: (g, { dy, filter }, attrs) => inputGradient(g, dy!, filter!, attrs),
  },
  {
    kernel: 'Conv2DBackpropFilter',
    form: 'im2col by Gather and Gemm on small images or many channels; by slices, Gather and batched MatMul on large ones',
    infer: (_, { filterShape }) => ({ dtype: 'float32', shape: filterShape as number[] }),
    lower: (g, { x, dy }, attrs) => {
      const c: ConvInfo = convInfo(x!.shape, attrs['filterShape'] as number[], attrs);
      return rows(g.reshape(filterGradient(g, x!, dy!, c), attrs['filterShape'] as number[]));
    },
  },
);
