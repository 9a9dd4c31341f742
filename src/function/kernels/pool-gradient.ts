/** Gradients of poolings written with ONNX Runtime's operators. */
import type { Value } from '../graph/ir.js';
import { nchw, rows, type Lowering, type Physical } from '../graph/lowering.js';
import { LOWEST, needsPadding } from './pool-forward.js';
import { col2Im, padImage, tilesExactly, unpadImage, windowAttributes, type Window } from './window.js';

/**
 * The gradient flows to MaxPool's own indices: the first maximum of each window. As tfjs does, NaN is passed over, and a window
 * without any number above −∞ gets none.
 */
export function maxPoolGradient(g: Lowering, dy: string, x: string, w: Window): string {
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
export function maxPoolGradientByComparing(g: Lowering, dy: Value, x: Value, y: Value, w: Window): Physical {
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
export function avgPoolGradient(g: Lowering, dy: string, w: Window): string {
  const taps = w.kernel.reduce((a, b) => a * b, 1);
  if (w.kernel.length === 2 && tilesExactly(w)) return g.op('Mul', [enlarge(g, dy, w.kernel), g.scalar(1 / taps)]);
  const pixels = w.out.reduce((a, b) => a * b, 1);
  const share = g.op('Mul', [dy, g.scalar(1 / taps)]);
  const spread = g.op('Expand', [g.reshape(share, [w.batch, w.channels, 1, pixels]), g.ints([w.batch, w.channels, taps, pixels])]);
  return col2Im(g, g.reshape(spread, [w.batch, w.channels * taps, pixels]), w);
}

/** The last maximum of each window, as tfjs's 3-D pooling picks it: the first one of the image read backwards. */
export function lastMaxPoolGradient(g: Lowering, dy: string, x: string, w: Window): string {
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
