/** 2-D pooling and its gradients. */
import type { Value } from '../graph/ir.js';
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { poolInfo } from './conv-info.js';
import { defineKernels } from './define.js';
import { avgPool, inFloat, LOWEST, maxPool } from './pool-forward.js';
import { avgPoolGradient, maxPoolGradient, maxPoolGradientByComparing } from './pool-gradient.js';
import { NAN_LIMIT, nativePooling } from './pool-native.js';
import { fitsGradient, gradientOf, isEmpty, padImage, tilesExactly, window2D, windowAttributes, type Window } from './window.js';

/** True when the pooling returns its input. */
const copies = (w: Window): boolean => w.kernel.every((k) => k === 1) && w.size.join() === w.out.join();

function pool2D(g: Lowering, x: Value, w: Window, shape: readonly number[], emit: typeof maxPool, emptyWindow: number): Physical {
  if (copies(w)) return rows(g.rows(x));
  if (isEmpty(w)) return rows(g.filled(0, shape, x.dtype));
  const native = nativePooling(g, emit === maxPool ? 'MaxPool' : 'AvgPool', [x], x, w, shape, shape);
  if (native !== undefined) return native;
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
      const native = fitsGradient(dy!, w) ? nativePooling(g, 'MaxPoolGrad', [dy!, input!], input!, w, dy!.shape, input!.shape) : undefined;
      if (native !== undefined) return native;
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
      const native = fitsGradient(dy!, w) ? nativePooling(g, 'AvgPoolGrad', [dy!], input!, w, dy!.shape, input!.shape) : undefined;
      if (native !== undefined) return native;
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
