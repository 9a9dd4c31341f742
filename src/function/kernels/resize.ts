/** Resizing images and its gradients. Coordinates are computed here, in double precision as tfjs does. */
import type { Attrs, Value } from '../graph/ir.js';
import { nchw, rows, type Layout, type Lowering, type Physical } from '../graph/lowering.js';
import { defineKernels } from './define.js';
import { enlarge } from './pool-gradient.js';

/** Where one axis's new pixels read: pixel `low` and, by the part `fraction`, pixel `high`. */
interface Reading {
  readonly low: number[];
  readonly high: number[];
  readonly fraction: number[];
}

/** Old pixels per new pixel. */
function ratio(from: number, to: number, alignCorners: boolean): number {
  return alignCorners && to > 1 ? (from - 1) / (to - 1) : from / to;
}

function bilinear(from: number, to: number, alignCorners: boolean, halfPixelCenters: boolean): Reading {
  const scale = ratio(from, to, alignCorners);
  const at = Array.from({ length: to }, (_, i) => (halfPixelCenters ? scale * (i + 0.5) - 0.5 : scale * i));
  const low = at.map((p) => Math.max(0, Math.floor(p)));
  return { low, high: at.map((p) => Math.max(0, Math.min(from - 1, Math.ceil(p)))), fraction: at.map((p, i) => p - low[i]!) };
}

function nearest(from: number, to: number, alignCorners: boolean, halfPixelCenters: boolean): number[] {
  const scale = ratio(from, to, alignCorners);
  return Array.from({ length: to }, (_, i) => {
    const at = halfPixelCenters ? scale * (i + 0.5) : scale * i;
    return Math.max(0, Math.min(from - 1, alignCorners ? Math.round(at) : Math.floor(at)));
  });
}

const flag = (attrs: Attrs, name: string): boolean => attrs[name] === true;

/** Axes of height and width in a layout. */
const spatial = (layout: Layout): [number, number] => (layout === 'rows' ? [1, 2] : [2, 3]);

const physical = (name: string, layout: Layout): Physical => (layout === 'rows' ? rows(name) : nchw(name));

function gather(g: Lowering, image: string, index: readonly number[], size: number, axis: number): string {
  const same = index.length === size && index.every((p, i) => p === i);
  return same ? image : g.op('Gather', [image, g.constant(Int32Array.from(index), [index.length], 'int32')], { axis });
}

function interpolate(g: Lowering, image: string, r: Reading, size: number, axis: number): string {
  const low = gather(g, image, r.low, size, axis);
  if (r.fraction.every((f, i) => f === 0 || r.low[i] === r.high[i])) return low;
  const shape = [r.fraction.length, ...Array<number>(3 - axis).fill(1)];
  const part = g.constant(Float32Array.from(r.fraction), shape, 'float32');
  return g.op('Add', [low, g.op('Mul', [g.op('Sub', [gather(g, image, r.high, size, axis), low]), part])]);
}

/** Multiplies height or width by a constant matrix: each old pixel receives the gradients of the new pixels that read it. */
function collect(g: Lowering, image: string, shape: number[], axis: number, r: Reading, from: number): string {
  const to = shape[axis]!;
  const matrix = new Float32Array(from * to);
  r.fraction.forEach((f, i) => {
    matrix[r.low[i]! * to + i]! += 1 - f;
    matrix[r.high[i]! * to + i]! += f;
  });
  const before = shape.slice(0, axis).reduce((a, b) => a * b, 1);
  const after = shape.slice(axis + 1).reduce((a, b) => a * b, 1);
  const product = g.op('MatMul', [g.constant(matrix, [from, to], 'float32'), g.reshape(image, [before, to, after])]);
  shape[axis] = from;
  return g.reshape(product, shape);
}

function gradient(g: Lowering, dy: Value, images: Value, readings: readonly [Reading, Reading]): Physical {
  if (images.shape.includes(0) || dy.shape.includes(0)) return rows(g.filled(0, images.shape, 'float32'));
  const layout = g.preferredLayout(dy);
  const [n, h, w, c] = dy.shape as [number, number, number, number];
  const shape = layout === 'rows' ? [n, h, w, c] : [n, c, h, w];
  let name = g.in(dy, layout);
  spatial(layout).forEach((axis, i) => (name = collect(g, name, shape, axis, readings[i]!, images.shape[i + 1]!)));
  return physical(name, layout);
}

/** How often each pixel is repeated by a nearest-neighbour resize that does nothing else; undefined when it does. */
function repeats(x: Value, attrs: Attrs): [number, number] | undefined {
  const [height, width] = attrs['size'] as [number, number];
  const by = [height / x.shape[1]!, width / x.shape[2]!] as [number, number];
  return !flag(attrs, 'alignCorners') && by.every((k) => Number.isInteger(k) && k >= 1) ? by : undefined;
}

defineKernels(
  {
    kernel: 'ResizeBilinear',
    form: 'two Gathers and a linear step along each axis',
    infer: ({ images }, { size }) => ({ dtype: 'float32', shape: [images!.shape[0]!, ...(size as number[]), images!.shape[3]!] }),
    lower: (g, { images }, attrs) => {
      const x = images!;
      const layout = g.preferredLayout(x);
      let name = g.in(x, layout);
      if (x.dtype !== 'float32') name = g.cast(name, 'float32');
      spatial(layout).forEach((axis, i) => {
        const from = x.shape[i + 1]!;
        const r = bilinear(from, (attrs['size'] as number[])[i]!, flag(attrs, 'alignCorners'), flag(attrs, 'halfPixelCenters'));
        name = interpolate(g, name, r, from, axis);
      });
      return physical(name, layout);
    },
  },
  {
    kernel: 'ResizeBilinearGrad',
    form: 'MatMul with a constant matrix along each axis',
    infer: ({ images }) => ({ dtype: 'float32', shape: images!.shape }),
    lower: (g, { dy, images }, attrs) => {
      const axis = (i: number): Reading =>
        bilinear(images!.shape[i]!, dy!.shape[i]!, flag(attrs, 'alignCorners'), flag(attrs, 'halfPixelCenters'));
      return gradient(g, dy!, images!, [axis(1), axis(2)]);
    },
  },
  {
    kernel: 'ResizeNearestNeighbor',
    form: 'Resize where pixels are repeated in NCHW, else a Gather along each axis',
    infer: ({ images }, { size }) => ({ dtype: images!.dtype, shape: [images!.shape[0]!, ...(size as number[]), images!.shape[3]!] }),
    lower: (g, { images }, attrs) => {
      const x = images!;
      const layout = g.preferredLayout(x);
      const by = repeats(x, attrs);
      if (by !== undefined && layout === 'nchw' && x.dtype === 'float32') return nchw(enlarge(g, g.nchw(x), by));
      let name = g.in(x, layout);
      spatial(layout).forEach((axis, i) => {
        const from = x.shape[i + 1]!;
        const index = nearest(from, (attrs['size'] as number[])[i]!, flag(attrs, 'alignCorners'), flag(attrs, 'halfPixelCenters'));
        name = gather(g, name, index, from, axis);
      });
      return physical(name, layout);
    },
  },
  {
    kernel: 'ResizeNearestNeighborGrad',
    form: 'AveragePool where pixels were repeated in NCHW, else MatMul with a constant matrix along each axis',
    infer: ({ images }) => ({ dtype: 'float32', shape: images!.shape }),
    lower: (g, { dy, images }, attrs) => {
      const by = repeats(images!, { ...attrs, size: dy!.shape.slice(1, 3) });
      if (by !== undefined && !dy!.shape.includes(0) && g.preferredLayout(dy!) === 'nchw') {
        const mean = g.op('AveragePool', [g.nchw(dy!)], { kernel_shape: by, strides: by });
        return nchw(g.op('Mul', [mean, g.scalar(by[0] * by[1])]));
      }
      const axis = (i: number): Reading => {
        const low = nearest(images!.shape[i]!, dy!.shape[i]!, flag(attrs, 'alignCorners'), flag(attrs, 'halfPixelCenters'));
        return { low, high: low, fraction: low.map(() => 0) };
      };
      return gradient(g, dy!, images!, [axis(1), axis(2)]);
    },
  },
);
