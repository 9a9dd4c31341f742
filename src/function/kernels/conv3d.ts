/** 3-D convolutions and their gradients. */
import type { Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import { conv3DInfo, type ConvInfo3D } from './conv-info.js';
import { nativeFilterGradient, nativeForward, nativeInputGradient, type NativeConvolution } from './conv-native.js';
import { defineKernels } from './define.js';
import { col2Im, effective, fitImage, imageOf, imageResult, isEmpty, window3D, windowAttributes } from './window.js';

// tfjs computes channels last whatever the data format says.
const geometry = (c: ConvInfo3D): NativeConvolution => ({
  window: { ...window3D(c), channelsFirst: false },
  x: c.inShape,
  filter: c.filterShape,
  y: c.outShape,
});

function forward(g: Lowering, x: Value, filter: Value, c: ConvInfo3D): Physical {
  const w = window3D(c);
  if (isEmpty(w)) return rows(g.filled(0, c.outShape, 'float32'));
  const native = nativeForward(g, x, filter, undefined, geometry(c));
  if (native !== undefined) return native;
  // 'same' with strides longer than the window starts inside the image.
  const { image, window } = fitImage(g, imageOf(g, x, false), w);
  return imageResult(g, g.op('Conv', [image, g.transpose(g.rows(filter), [4, 3, 0, 1, 2])], windowAttributes(window)), 5, false);
}

function inputGradient(g: Lowering, dy: Value, filter: Value, c: ConvInfo3D): Physical {
  const w = window3D(c);
  if (isEmpty(w)) return rows(g.filled(0, c.inShape, 'float32'));
  const native = nativeInputGradient(g, dy, filter, geometry(c));
  if (native !== undefined) return native;
  const reach = effective(w).map((k) => k - 1);
  const pads = [...reach.map((r, i) => r - w.before[i]!), ...reach.map((r, i) => r - w.after[i]!)];
  if (w.strides.every((s) => s === 1) && pads.every((p) => p >= 0)) {
    const turned = g.op('Slice', [
      g.rows(filter),
      g.ints([-1, -1, -1]),
      g.ints(w.kernel.map((k) => -k - 1)),
      g.ints([0, 1, 2]),
      g.ints([-1, -1, -1]),
    ]);
    const attributes = { kernel_shape: w.kernel, strides: w.strides, dilations: w.dilations, pads };
    return imageResult(g, g.op('Conv', [imageOf(g, dy, false), g.transpose(turned, [3, 4, 0, 1, 2])], attributes), 5, false);
  }
  const pixels = c.outDepth * c.outHeight * c.outWidth;
  const taps = c.filterDepth * c.filterHeight * c.filterWidth;
  const matrix = g.reshape(g.transpose(g.rows(filter), [3, 0, 1, 2, 4]), [c.inChannels * taps, c.outChannels]);
  const columns = g.op('MatMul', [matrix, g.reshape(imageOf(g, dy, false), [c.batchSize, c.outChannels, pixels])]);
  return imageResult(g, col2Im(g, columns, w), 5, false);
}

/** For each plane of the filter, one Gather puts the pixels of its windows side by side and one Gemm meets them with dy. */
function filterGradient(g: Lowering, x: Value, dy: Value, c: ConvInfo3D): Physical {
  const w = window3D(c);
  if (isEmpty(w)) return rows(g.filled(0, c.filterShape, 'float32'));
  const native = nativeFilterGradient(g, x, dy, geometry(c));
  if (native !== undefined) return native;
  const { batchSize: n, inChannels: ci, outChannels: co } = c;
  const image = padded(g, g.rows(x), w.before, w.after);
  const [depth, height, width] = w.size.map((d, i) => d + w.before[i]! + w.after[i]!) as [number, number, number];
  const pixels = g.reshape(image, [n, depth * height * width, ci]);
  const count = c.outDepth * c.outHeight * c.outWidth;
  const targets = g.reshape(g.rows(dy), [n * count, co]);
  const planes: string[] = [];
  for (let d = 0; d < c.filterDepth; d++) {
    const index: number[] = [];
    for (let z = 0; z < c.outDepth; z++) {
      for (let y = 0; y < c.outHeight; y++) {
        for (let v = 0; v < c.outWidth; v++) {
          const corner = ((z * c.strideDepth + d * c.dilationDepth) * height + y * c.strideHeight) * width + v * c.strideWidth;
          for (let i = 0; i < c.filterHeight; i++) {
            for (let j = 0; j < c.filterWidth; j++) index.push(corner + i * c.dilationHeight * width + j * c.dilationWidth);
          }
        }
      }
    }
    const windows = g.op('Gather', [pixels, g.constant(Int32Array.from(index), [index.length], 'int32')], { axis: 1 });
    const matrix = g.reshape(windows, [n * count, c.filterHeight * c.filterWidth * ci]);
    planes.push(g.op('Gemm', [matrix, targets], { transA: 1 }));
  }
  return rows(g.reshape(planes.length === 1 ? planes[0]! : g.op('Concat', planes, { axis: 0 }), c.filterShape));
}

function padded(g: Lowering, image: string, before: readonly number[], after: readonly number[]): string {
  return [...before, ...after].every((p) => p === 0) ? image : g.op('Pad', [image, g.ints([0, ...before, 0, 0, ...after, 0])]);
}

defineKernels(
  {
    kernel: 'Conv3D',
    form: 'Conv in NCDHW',
    infer: ({ x, filter }, attrs) => ({ dtype: 'float32', shape: conv3DInfo(x!.shape, filter!.shape, attrs).outShape }),
    lower: (g, { x, filter }, attrs) => forward(g, x!, filter!, conv3DInfo(x!.shape, filter!.shape, attrs)),
  },
  {
    kernel: 'Conv3DBackpropInputV2',
    form: 'Conv with the flipped filter (stride 1), else MatMul and Col2Im',
    infer: (_, { inputShape }) => ({ dtype: 'float32', shape: inputShape as number[] }),
    lower: (g, { dy, filter }, attrs) =>
      inputGradient(g, dy!, filter!, conv3DInfo(attrs['inputShape'] as number[], filter!.shape, { ...attrs, dilations: 1 })),
  },
  {
    kernel: 'Conv3DBackpropFilterV2',
    form: 'Gather and Gemm for each plane of the filter',
    infer: (_, { filterShape }) => ({ dtype: 'float32', shape: filterShape as number[] }),
    lower: (g, { x, dy }, attrs) =>
      filterGradient(g, x!, dy!, conv3DInfo(x!.shape, attrs['filterShape'] as number[], { ...attrs, dilations: 1 })),
  },
);
