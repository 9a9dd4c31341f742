/** 2-D and 3-D pooling and their gradients. */
import type { Value } from '../graph/ir.js';
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { pool3DInfo, poolInfo } from './conv-info.js';
import { nativePooling } from './conv-native.js';
import { defineKernels } from './define.js';
import {
  col2Im,
  fitsGradient,
  gradientOf,
  imageOf,
  imageResult,
  isEmpty,
  padImage,
  padsOf,
  tilesExactly,
  unpadImage,
  window2D,
  window3D,
  windowAttributes,
  type Window,
} from './window.js';

/** Stands for −∞ around an image: ONNX Runtime's pooling starts from the lowest float and would find no maximum among −∞. */
const LOWEST = -3e38;

/** Looking for NaN would cost another pass over the image. */
const NAN_LIMIT = 'of a window that holds NaN the result may be NaN or its maximum, where eager tfjs passes over NaN';

/** ONNX refuses padding that reaches the window's size, and negative padding. */
function needsPadding(w: Window): boolean {
  return padsOf(w).some((p, i) => p < 0 || p >= w.kernel[i % w.kernel.length]!);
}

function inFloat(g: Lowering, x: Value, w: Window): string {
  const image = imageOf(g, x, w.channelsFirst);
  return x.dtype === 'float32' ? image : g.cast(image, 'float32');
}

/** Emits a pooling of a float image with channels first; `emptyWindow` is the maximum of a window that lies in the padding alone. */
function maxPool(g: Lowering, image: string, w: Window, emptyWindow: number): string {
  if (!needsPadding(w)) return g.op('MaxPool', [image], windowAttributes(w));
  const padded = padImage(g, image, w, LOWEST);
  const y = g.op('MaxPool', [padded.image], windowAttributes(padded.window));
  return g.op('Where', [g.op('LessOrEqual', [y, g.scalar(LOWEST)]), g.scalar(emptyWindow), y]);
}

function avgPool(g: Lowering, image: string, w: Window, emptyWindow: number): string {
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

/**
 * The gradient flows to MaxPool's own indices: the first maximum of each window. As tfjs does, NaN is passed over, and a window
 * without any number above −∞ gets none.
 */
function maxPoolGradient(g: Lowering, dy: string, x: string, w: Window): string {
  const numbers = g.op('Where', [g.op('Greater', [x, g.scalar(LOWEST)]), x, g.scalar(LOWEST)]);
  const padded = needsPadding(w) ? padImage(g, numbers, w, LOWEST) : { image: numbers, window: w };
  const [most, indices] = g.ops('MaxPool', [padded.image], 2, windowAttributes(padded.window));
  const flowing = g.op('Where', [g.op('Greater', [most!, g.scalar(LOWEST)]), dy, g.scalar(0)]);
  const shape = [w.batch, w.channels, ...padded.window.size];
  const zeros = g.filled(0, [shape.reduce((a, b) => a * b, 1)], 'float32');
  const scattered = g.op('ScatterElements', [zeros, g.reshape(indices!, [-1]), g.reshape(flowing, [-1])], { axis: 0, reduction: 'add' });
  const image = g.reshape(scattered, shape);
  return padded.window === w ? image : unpadImage(g, image, w);
}

/**
 * The gradient that flows to the first maximum of each window, for windows that tile the image of a relu's output. Equal maxima
 * are common: flat regions of an image give them.
 */
function maxPoolGradientByComparing(g: Lowering, dy: Value, x: Value, y: Value, w: Window): Physical {
  const [n, height, width, ch] = x.shape as [number, number, number, number];
  const [outHeight, outWidth] = w.out as [number, number];
  const [fh, fw] = w.kernel as [number, number];
  if (g.has(x, 'rows') && g.has(y, 'rows') && g.has(dy, 'rows') && ch >= 32) {
    const wide = [n, outHeight, fh, outWidth, fw, ch];
    const one = [n, outHeight, 1, outWidth, 1, ch];
    const equal = g.op('Equal', [g.reshape(g.rows(x), wide), g.reshape(g.rows(y), one)]);
    const windowRows = split(g, equal, fh, 2).map((row) => split(g, row, fw, 4));
    const first = firstTrue(g, windowRows.flat());
    const joined = windowRows.map((_, i) => g.op('Concat', first.slice(i * fw, (i + 1) * fw), { axis: 4 }));
    const hit = g.cast(g.op('Concat', joined, { axis: 2 }), 'float32');
    return rows(g.reshape(g.op('Mul', [hit, g.reshape(g.rows(dy), one)]), x.shape));
  }
  // Positions of the maxima within their planes, repeated over the window and compared: twice as fast as scattering.
  const [, indices] = g.ops('MaxPool', [g.nchw(x)], 2, windowAttributes(w));
  const starts = BigInt64Array.from({ length: n * ch }, (_, i) => BigInt(i * height * width));
  const within = g.cast(g.op('Sub', [indices!, g.constant(starts, [n, ch, 1, 1], 'int64')]), 'float32');
  const places = g.constant(
    Float32Array.from({ length: height * width }, (_, i) => i),
    [1, 1, height, width],
    'float32',
  );
  const hit = g.cast(g.op('Equal', [enlarge(g, within, w.kernel), places]), 'float32');
  return nchw(g.op('Mul', [hit, enlarge(g, g.nchw(dy), w.kernel)]));
}

/** Cuts a tensor into parts of one element along an axis. */
const split = (g: Lowering, x: string, parts: number, axis: number): string[] =>
  g.ops('Split', [x, g.ints(Array.from({ length: parts }, () => 1))], parts, { axis });

/** Of truth values in order, each only where none before it is true. */
function firstTrue(g: Lowering, values: readonly string[]): string[] {
  let none: string | undefined;
  return values.map((value, i) => {
    const first = none === undefined ? value : g.op('And', [value, none]);
    if (i + 1 < values.length) {
      const not = g.op('Not', [value]);
      none = none === undefined ? not : g.op('And', [none, not]);
    }
    return first;
  });
}

/** Repeats every pixel of an image with channels first. */
export function enlarge(g: Lowering, image: string, by: readonly number[]): string {
  const scales = g.constant(Float32Array.of(1, 1, ...by), [by.length + 2], 'float32');
  return g.op('Resize', [image, '', scales], { mode: 'nearest', coordinate_transformation_mode: 'asymmetric', nearest_mode: 'floor' });
}

/** tfjs divides every window's gradient by the full window, padding included. */
function avgPoolGradient(g: Lowering, dy: string, w: Window): string {
  const taps = w.kernel.reduce((a, b) => a * b, 1);
  if (w.kernel.length === 2 && tilesExactly(w)) return g.op('Mul', [enlarge(g, dy, w.kernel), g.scalar(1 / taps)]);
  const pixels = w.out.reduce((a, b) => a * b, 1);
  const share = g.op('Mul', [dy, g.scalar(1 / taps)]);
  const spread = g.op('Expand', [g.reshape(share, [w.batch, w.channels, 1, pixels]), g.ints([w.batch, w.channels, taps, pixels])]);
  return col2Im(g, g.reshape(spread, [w.batch, w.channels * taps, pixels]), w);
}

/** The last maximum of each window, as tfjs's 3-D pooling picks it: the first one of the image read backwards. */
function lastMaxPoolGradient(g: Lowering, dy: string, x: string, w: Window): string {
  const reversed = { ...w, before: w.after, after: w.before };
  return backwards(
    g,
    maxPoolGradient(g, backwards(g, dy, w.batch, w.channels, w.out), backwards(g, x, w.batch, w.channels, w.size), reversed),
    w.batch,
    w.channels,
    w.size,
  );
}

/** Turns an image round on all its spatial axes. */
function backwards(g: Lowering, image: string, batch: number, channels: number, size: readonly number[]): string {
  const pixels = size.reduce((a, b) => a * b, 1);
  const flat = g.reshape(image, [batch, channels, pixels]);
  return g.reshape(g.op('Slice', [flat, g.ints([-1]), g.ints([-pixels - 1]), g.ints([2]), g.ints([-1])]), [batch, channels, ...size]);
}

/** True when the pooling returns its input. */
const copies = (w: Window): boolean => w.kernel.every((k) => k === 1) && w.size.join() === w.out.join();

function pool2D(g: Lowering, x: Value, w: Window, shape: readonly number[], emit: typeof maxPool, emptyWindow: number): Physical {
  if (copies(w)) return rows(g.rows(x));
  if (isEmpty(w)) return rows(g.filled(0, shape, x.dtype));
  const native = nativePooling(g, x, w, shape, shape);
  if (native !== undefined) return rows(g.op(emit === maxPool ? 'MaxPool' : 'AvgPool', [g.rows(x)], native, 'orbit'));
  // As an integer tfjs's -∞ or NaN of an empty window is 0.
  const y = emit(g, inFloat(g, x, w), w, x.dtype === 'float32' ? emptyWindow : 0);
  return nchw(x.dtype === 'float32' ? y : g.cast(y, x.dtype));
}

defineKernels(
  {
    kernel: 'MaxPool',
    form: 'MaxPool in NCHW',
    limits: NAN_LIMIT,
    infer: ({ x }, attrs) => ({ dtype: x!.dtype, shape: poolInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs, call) => pool2D(g, x!, window2D(poolInfo(x!.shape, attrs)), call.outputs[0]!.shape, maxPool, -Infinity),
  },
  {
    kernel: 'AvgPool',
    form: 'AveragePool in NCHW, padding not counted',
    infer: ({ x }, attrs) => ({ dtype: x!.dtype, shape: poolInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs, call) => pool2D(g, x!, window2D(poolInfo(x!.shape, attrs)), call.outputs[0]!.shape, avgPool, NaN),
  },
  {
    kernel: 'MaxPoolGrad',
    form: 'by MaxPool indices and ScatterElements; compared with repeated indices where the input is a relu’s output and windows tile it',
    infer: ({ input }) => ({ dtype: 'float32', shape: input!.shape }),
    lower: (g, { dy, input, output }, attrs) => {
      const w = window2D(poolInfo(input!.shape, attrs));
      if (isEmpty(w)) return rows(g.filled(0, input!.shape, 'float32'));
      const native = fitsGradient(dy!, w) ? nativePooling(g, input!, w, dy!.shape, input!.shape) : undefined;
      if (native !== undefined) return rows(g.op('MaxPoolGrad', [g.rows(dy!), g.rows(input!)], native, 'orbit'));
      // A relu's output is finite where its gradient matters: comparing is faster than scattering there.
      if (attrs['inputIsRelu'] === true && tilesExactly(w) && fitsGradient(dy!, w))
        return maxPoolGradientByComparing(g, dy!, input!, output!, w);
      return nchw(maxPoolGradient(g, gradientOf(g, dy!, w), inFloat(g, input!, w), w));
    },
  },
  {
    kernel: 'AvgPoolGrad',
    form: 'Resize (windows that tile the image), else Col2Im',
    infer: ({ input }) => ({ dtype: 'float32', shape: input!.shape }),
    lower: (g, { dy, input }, attrs) => {
      const w = window2D(poolInfo(input!.shape, { ...attrs, dimRoundingMode: undefined }));
      if (isEmpty(w)) return rows(g.filled(0, input!.shape, 'float32'));
      const native = fitsGradient(dy!, w) ? nativePooling(g, input!, w, dy!.shape, input!.shape) : undefined;
      if (native !== undefined) return rows(g.op('AvgPoolGrad', [g.rows(dy!)], native, 'orbit'));
      return nchw(avgPoolGradient(g, gradientOf(g, dy!, w), w));
    },
  },
  {
    kernel: 'MaxPoolWithArgmax',
    form: 'MaxPool in NCHW; its indices turned into NHWC positions',
    infer: ({ x }, attrs) => {
      const shape = poolInfo(x!.shape, attrs).outShape;
      return [
        { dtype: x!.dtype, shape },
        { dtype: 'int32', shape },
      ];
    },
    lower: (g, { x }, attrs, call) => {
      const w = window2D(poolInfo(x!.shape, attrs));
      if (isEmpty(w)) return call.outputs.map((v) => rows(g.filled(0, v.shape, v.dtype)));
      const image = inFloat(g, x!, w);
      const padded = padImage(g, g.op('Where', [g.op('IsNaN', [image]), g.scalar(LOWEST), image]), w, LOWEST);
      const [values, indices] = g.ops('MaxPool', [padded.image], 2, windowAttributes(padded.window));
      const none = g.op('LessOrEqual', [values!, g.scalar(LOWEST)]);
      // As an integer tfjs's -∞ is 0.
      const most = g.op('Where', [none, g.scalar(x!.dtype === 'float32' ? -Infinity : 0), values!]);
      const places = positions(g, indices!, w, padded.window, attrs['includeBatchInIndex'] === true);
      const y = x!.dtype === 'float32' ? most : g.cast(most, x!.dtype);
      return [nchw(y), nchw(g.op('Where', [none, g.scalar(-1, 'int32'), places]))];
    },
  },
  {
    kernel: 'MaxPool3D',
    form: 'MaxPool in NCDHW',
    limits: NAN_LIMIT,
    infer: ({ x }, attrs) => ({ dtype: 'float32', shape: pool3DInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs, call) => {
      const w = window3D(pool3DInfo(x!.shape, attrs));
      if (isEmpty(w)) return rows(g.filled(0, call.outputs[0]!.shape, 'float32'));
      return imageResult(g, maxPool(g, inFloat(g, x!, w), w, -Infinity), 5, w.channelsFirst);
    },
  },
  {
    kernel: 'AvgPool3D',
    form: 'AveragePool in NCDHW, padding not counted',
    infer: ({ x }, attrs) => ({ dtype: 'float32', shape: pool3DInfo(x!.shape, attrs).outShape }),
    lower: (g, { x }, attrs, call) => {
      const w = window3D(pool3DInfo(x!.shape, attrs));
      if (isEmpty(w)) return rows(g.filled(0, call.outputs[0]!.shape, 'float32'));
      return imageResult(g, avgPool(g, inFloat(g, x!, w), w, 0), 5, w.channelsFirst);
    },
  },
  {
    kernel: 'MaxPool3DGrad',
    form: 'by MaxPool indices and ScatterElements, the image read backwards (tfjs picks the last of equal maxima)',
    infer: ({ input }) => ({ dtype: 'float32', shape: input!.shape }),
    lower: (g, { dy, input }, attrs) => {
      const w = window3D(pool3DInfo(input!.shape, { ...attrs, dataFormat: undefined }));
      if (isEmpty(w)) return rows(g.filled(0, input!.shape, 'float32'));
      return imageResult(g, lastMaxPoolGradient(g, gradientOf(g, dy!, w), inFloat(g, input!, w), w), 5, false);
    },
  },
  {
    kernel: 'AvgPool3DGrad',
    form: 'Col2Im',
    infer: ({ input }) => ({ dtype: 'float32', shape: input!.shape }),
    lower: (g, { dy, input }, attrs) => {
      const w = window3D(pool3DInfo(input!.shape, { ...attrs, dataFormat: undefined }));
      if (isEmpty(w)) return rows(g.filled(0, input!.shape, 'float32'));
      return imageResult(g, avgPoolGradient(g, gradientOf(g, dy!, w), w), 5, false);
    },
  },
);

/** From MaxPool's indices into the padded NCHW image to positions in the NHWC image. */
function positions(g: Lowering, indices: string, w: Window, padded: Window, withBatch: boolean): string {
  const [height, width] = padded.size as [number, number];
  const table = Int32Array.from({ length: height * width }, (_, i) => {
    const y = Math.floor(i / width) - w.before[0]!;
    const x = (i % width) - w.before[1]!;
    return (y * w.size[1]! + x) * w.channels;
  });
  const pixel = g.op('Mod', [indices, g.scalar(table.length, 'int64')]);
  const place = g.op('Gather', [g.constant(table, [table.length], 'int32'), pixel], { axis: 0 });
  const withChannel = g.op('Add', [
    place,
    g.constant(
      Int32Array.from({ length: w.channels }, (_, i) => i),
      [1, w.channels, 1, 1],
      'int32',
    ),
  ]);
  if (!withBatch) return withChannel;
  const stride = w.size[0]! * w.size[1]! * w.channels;
  return g.op('Add', [
    withChannel,
    g.constant(
      Int32Array.from({ length: w.batch }, (_, i) => i * stride),
      [w.batch, 1, 1, 1],
      'int32',
    ),
  ]);
}
