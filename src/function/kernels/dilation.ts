/** Grayscale dilation: the maximum over a window of image plus filter, and its gradients. */
import * as tf from '#tf';
import type { Attrs, Value } from '../graph/ir.js';
import { rows, type Lowering } from '../graph/lowering.js';
import { windowIndices } from './conv-filter-gradient.js';
import { defineKernels } from './define.js';
import { isEmpty, unpadImage, window2D, type Window } from './window.js';

/** What tfjs starts every maximum from. */
const START = Number.MIN_SAFE_INTEGER;

function dilationWindow(x: readonly number[], filter: readonly number[], attrs: Attrs): { window: Window; outShape: number[] } {
  const c = tf.backend_util.computeDilation2DInfo(
    x as [number, number, number, number],
    filter as [number, number, number],
    attrs['strides'] as [number, number],
    attrs['pad'] as 'same' | 'valid' | number,
    'NHWC',
    attrs['dilations'] as [number, number],
  );
  return { window: window2D(c), outShape: c.outShape };
}

/** Height and width of the image with its padding; remainders stay. */
const paddedSize = (w: Window): number[] => w.size.map((d, i) => d + w.before[i]! + w.after[i]!);

const taps = (w: Window): number => w.kernel[0]! * w.kernel[1]!;
const pixels = (w: Window): number => w.out[0]! * w.out[1]!;

/** Image plus filter for every window: [batch, output pixels, taps, channels]. NaN never wins, as in tfjs. */
function sums(g: Lowering, x: Value, filter: Value, w: Window): string {
  const float = (v: Value): string => (v.dtype === 'float32' ? g.rows(v) : g.cast(g.rows(v), 'float32'));
  const [height, width] = paddedSize(w) as [number, number];
  const pads = [0, ...w.before, 0, 0, ...w.after, 0];
  const padded = g.op('Pad', [float(x), g.ints(pads), g.scalar(START)]);
  const index = windowIndices(w, width);
  const windows = g.op('Gather', [g.reshape(padded, [w.batch, height * width, w.channels]), g.constant(index, [index.length], 'int32')], {
    axis: 1,
  });
  const all = g.op('Add', [g.reshape(windows, [w.batch, pixels(w), taps(w), w.channels]), g.reshape(float(filter), [taps(w), w.channels])]);
  return g.op('Where', [g.op('IsNaN', [all]), g.scalar(START), all]);
}

/** The place of each window's elements in the padded image; a window that lies in the padding alone gives its gradient to the nearest pixel. */
function inputPlaces(w: Window, width: number): Int32Array {
  const index = windowIndices(w, width);
  for (let pixel = 0; pixel < pixels(w); pixel++) {
    const window = index.subarray(pixel * taps(w), (pixel + 1) * taps(w));
    const [top, left] = [Math.floor(window[0]! / width) - w.before[0]!, (window[0]! % width) - w.before[1]!];
    const inside = window.some((at) => {
      const [y, x] = [Math.floor(at / width) - w.before[0]!, (at % width) - w.before[1]!];
      return y >= 0 && y < w.size[0]! && x >= 0 && x < w.size[1]!;
    });
    if (!inside) window.fill((Math.max(0, top) + w.before[0]!) * width + Math.max(0, left) + w.before[1]!);
  }
  return index;
}

/** Which tap each output pixel took (the first of equal ones), int64 [batch, output pixels, channels]. */
const winners = (g: Lowering, x: Value, filter: Value, w: Window): string =>
  g.op('ArgMax', [sums(g, x, filter, w)], { axis: 2, keepdims: 0 });

const floatDy = (g: Lowering, dy: Value): string => (dy.dtype === 'float32' ? g.rows(dy) : g.cast(g.rows(dy), 'float32'));

const as = (g: Lowering, name: string, v: Value): string => (v.dtype === 'float32' ? name : g.cast(name, v.dtype));

defineKernels(
  {
    kernel: 'Dilation2D',
    form: 'Gather of windows, Add, ReduceMax',
    infer: ({ x, filter }, attrs) => ({ dtype: x!.dtype, shape: dilationWindow(x!.shape, filter!.shape, attrs).outShape }),
    lower: (g, { x, filter }, attrs) => {
      const { window: w, outShape } = dilationWindow(x!.shape, filter!.shape, attrs);
      if (isEmpty(w)) return rows(g.filled(0, outShape, x!.dtype));
      const most = g.op('ReduceMax', [sums(g, x!, filter!, w), g.ints([2])], { keepdims: 0 });
      return rows(as(g, g.reshape(g.op('Max', [most, g.scalar(START)]), outShape), x!));
    },
  },
  {
    kernel: 'Dilation2DBackpropInput',
    form: 'ArgMax over windows, ScatterElements',
    infer: ({ x }) => x!,
    lower: (g, { x, filter, dy }, attrs) => {
      const { window: w } = dilationWindow(x!.shape, filter!.shape, attrs);
      if (isEmpty(w)) return rows(g.filled(0, x!.shape, x!.dtype));
      const [height, width] = paddedSize(w) as [number, number];
      const index = inputPlaces(w, width);
      const starts = BigInt64Array.from({ length: pixels(w) }, (_, i) => BigInt(i * taps(w)));
      const entry = g.op('Add', [winners(g, x!, filter!, w), g.constant(starts, [pixels(w), 1], 'int64')]);
      const place = g.op('Gather', [g.constant(index, [index.length], 'int32'), entry], { axis: 0 });
      const zeros = g.filled(0, [w.batch, height * width, w.channels], 'float32');
      const updates = g.reshape(floatDy(g, dy!), [w.batch, pixels(w), w.channels]);
      const scattered = g.op('ScatterElements', [zeros, place, updates], { axis: 1, reduction: 'add' });
      const image = g.transpose(g.reshape(scattered, [w.batch, height, width, w.channels]), [0, 3, 1, 2]);
      return rows(as(g, g.transpose(unpadImage(g, image, w), [0, 2, 3, 1]), x!));
    },
  },
  {
    kernel: 'Dilation2DBackpropFilter',
    form: 'ArgMax over windows, ScatterElements',
    infer: ({ filter }) => filter!,
    lower: (g, { x, filter, dy }, attrs) => {
      const { window: w } = dilationWindow(x!.shape, filter!.shape, attrs);
      if (isEmpty(w)) return rows(g.filled(0, filter!.shape, filter!.dtype));
      const rowsOfDy = [w.batch * pixels(w), w.channels];
      const zeros = g.filled(0, [taps(w), w.channels], 'float32');
      const inputs = [zeros, g.reshape(winners(g, x!, filter!, w), rowsOfDy), g.reshape(floatDy(g, dy!), rowsOfDy)];
      return rows(as(g, g.reshape(g.op('ScatterElements', inputs, { axis: 0, reduction: 'add' }), filter!.shape), filter!));
    },
  },
);
