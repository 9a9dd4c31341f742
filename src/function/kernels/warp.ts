/**
 * Kernels that read an image at computed places: crops of boxes, projective transforms, rotations. tfjs computes places in
 * double precision, so the graph does too: a pixel on a border must fall on the same side.
 */
import * as tf from '#tf';
import type { Value } from '../graph/ir.js';
import { rows, type Lowering } from '../graph/lowering.js';
import { defineKernels } from './define.js';

/** Double-precision arithmetic on names and numbers. */
class Doubles {
  constructor(private readonly g: Lowering) {}
  of = (x: string | number): string => (typeof x === 'string' ? x : this.g.constant(Float64Array.of(x), [], 'float64'));
  list = (values: readonly number[], shape: readonly number[]): string => this.g.constant(Float64Array.from(values), shape, 'float64');
  op = (op: string, ...inputs: (string | number)[]): string => this.g.op(op, inputs.map(this.of));
  add = (a: string | number, b: string | number): string => this.op('Add', a, b);
  sub = (a: string | number, b: string | number): string => this.op('Sub', a, b);
  mul = (a: string | number, b: string | number): string => this.op('Mul', a, b);
  div = (a: string | number, b: string | number): string => this.op('Div', a, b);
  floor = (a: string): string => this.op('Floor', a);
  /** JavaScript's Math.round. */
  round = (a: string): string => this.floor(this.add(a, 0.5));
  /** Towards zero. */
  trunc = (a: string): string => this.mul(this.op('Sign', a), this.floor(this.op('Abs', a)));
  where = (condition: string, a: string | number, b: string | number): string => this.g.op('Where', [condition, this.of(a), this.of(b)]);
  /** low ≤ a ≤ high; false for NaN. */
  within = (a: string, low: number, high: number): string =>
    this.g.op('And', [this.op('GreaterOrEqual', a, low), this.op('LessOrEqual', a, high)]);
  float = (a: string): string => this.g.cast(a, 'float32');
}

const range = (n: number): number[] => Array.from({ length: n }, (_, i) => i);

/** A value's contents as float32, in tfjs's order. */
const floats = (g: Lowering, v: Value): string => (v.dtype === 'float32' ? g.rows(v) : g.cast(g.rows(v), 'float32'));

/** A float result as the dtype of a value; fractions are cut off as typed arrays do. */
const like = (g: Lowering, name: string, v: Value): string => (v.dtype === 'float32' ? name : g.cast(name, v.dtype));

/** Pixels of the images at whole places [box or image, row, column]; places outside give pixel 0 of the first image. */
class Reader {
  private readonly pixels: string;
  constructor(
    private readonly g: Lowering,
    private readonly d: Doubles,
    private readonly shape: readonly [number, number, number, number],
    image: string,
  ) {
    this.pixels = g.reshape(image, [shape[0] * shape[1] * shape[2], shape[3]]);
  }

  /** `inside` (or none) says where the place lies in the image. */
  read(image: string | number, y: string, x: string, inside?: string): string {
    const { d, g } = this;
    const [, height, width] = this.shape;
    const place = d.add(d.mul(d.add(d.mul(image, height), y), width), x);
    return g.op('Gather', [this.pixels, g.cast(inside === undefined ? place : d.where(inside, place, 0), 'int64')], { axis: 0 });
  }
}

const outShapeOf = (image: { readonly shape: readonly number[] }, size: readonly number[]): number[] => [
  image.shape[0]!,
  ...size,
  image.shape[3]!,
];

defineKernels(
  {
    kernel: 'CropAndResize',
    form: 'places in float64, Gather, a linear step along each axis',
    infer: ({ image, boxes }, { cropSize }) => ({
      dtype: 'float32',
      shape: [boxes!.shape[0]!, ...(cropSize as number[]), image!.shape[3]!],
    }),
    lower: (g, { image, boxes, boxInd }, { cropSize, method, extrapolationValue }, call) => {
      const shape = call.outputs[0]!.shape;
      if (shape.includes(0) || image!.shape.includes(0)) return rows(g.filled(0, shape, 'float32'));
      const d = new Doubles(g);
      const [batch, height, width] = image!.shape as [number, number, number, number];
      const count = boxes!.shape[0]!;
      const [cropHeight, cropWidth] = cropSize as [number, number];
      const [y1, x1, y2, x2] = g.ops('Split', [g.cast(g.rows(boxes!), 'float64'), g.ints([1, 1, 1, 1])], 4, { axis: 1 }) as [
        string,
        string,
        string,
        string,
      ];
      const places = (from: string, to: string, size: number, cropped: number): string => {
        if (cropped <= 1) return d.mul(d.mul(d.add(from, to), 0.5), size - 1);
        const scale = d.div(d.mul(d.sub(to, from), size - 1), cropped - 1);
        return d.add(d.mul(from, size - 1), d.mul(d.list(range(cropped), [1, cropped]), scale));
      };
      const y = g.reshape(places(y1, y2, height, cropHeight), [count, cropHeight, 1]);
      const x = g.reshape(places(x1, x2, width, cropWidth), [count, 1, cropWidth]);
      const box = g.reshape(g.cast(g.rows(boxInd!), 'float64'), [count, 1, 1]);
      const known = d.within(box, 0, batch - 1);
      const inside = g.op('And', [g.op('And', [d.within(y, 0, height - 1), d.within(x, 0, width - 1)]), known]);
      const reader = new Reader(g, d, image!.shape as [number, number, number, number], floats(g, image!));
      const at = (py: string, px: string): string => reader.read(box, py, px, inside);
      let value: string;
      if (method === 'bilinear') {
        const [top, bottom, left, right] = [d.floor(y), d.op('Ceil', y), d.floor(x), d.op('Ceil', x)];
        const part = (place: string, low: string): string => g.op('Unsqueeze', [d.float(d.sub(place, low)), g.ints([3])]);
        const step = (a: string, b: string, by: string): string => g.op('Add', [a, g.op('Mul', [g.op('Sub', [b, a]), by])]);
        const [alongX, alongY] = [part(x, left), part(y, top)];
        value = step(step(at(top, left), at(top, right), alongX), step(at(bottom, left), at(bottom, right), alongX), alongY);
      } else {
        value = at(d.round(y), d.round(x));
      }
      const spread = (mask: string): string => g.op('Unsqueeze', [mask, g.ints([3])]);
      const outside = g.op('Where', [spread(known), g.scalar(extrapolationValue as number), g.scalar(0)]);
      return rows(g.reshape(g.op('Where', [spread(inside), value, outside]), shape));
    },
  },
  {
    kernel: 'Transform',
    form: 'places in float64, Gather (eager tfjs on the cpu transforms the first image of a batch alone)',
    infer: ({ image }, { outputShape, interpolation }) => {
      if (interpolation !== 'nearest' && interpolation !== 'bilinear') {
        throw new Error(`Error in Transform: Expect 'nearest' or 'bilinear', but got ${String(interpolation)}`);
      }
      return { dtype: image!.dtype, shape: outShapeOf(image!, (outputShape as number[] | null | undefined) ?? image!.shape.slice(1, 3)) };
    },
    lower: (g, { image, transforms }, { interpolation, fillMode, fillValue }, call) => {
      const shape = call.outputs[0]!.shape as [number, number, number, number];
      const fill = fillValue as number;
      if (shape.includes(0) || image!.shape.includes(0)) return rows(g.filled(fill, shape, image!.dtype));
      const d = new Doubles(g);
      const [, height, width] = image!.shape as [number, number, number, number];
      const [batch, outHeight, outWidth] = shape;
      const count = transforms!.shape[0] === 1 ? 1 : batch;
      const t = g.ops('Split', [g.reshape(g.cast(g.rows(transforms!), 'float64'), [count, 8, 1, 1]), g.ints(Array<number>(8).fill(1))], 8, {
        axis: 1,
      });
      const term = (i: number): string => g.reshape(t[i]!, [count, 1, 1]);
      const outX = d.list(range(outWidth), [1, 1, outWidth]);
      const outY = d.list(range(outHeight), [1, outHeight, 1]);
      const plane = (i: number, last: string | number): string => d.add(d.add(d.mul(term(i), outX), d.mul(term(i + 1), outY)), last);
      const projection = plane(6, 1);
      const finite = g.op('Not', [d.op('Equal', projection, 0)]);
      const x = mapCoordinate(g, d, d.div(plane(0, term(2)), projection), width, String(fillMode));
      const y = mapCoordinate(g, d, d.div(plane(3, term(5)), projection), height, String(fillMode));
      const reader = new Reader(g, d, image!.shape as [number, number, number, number], floats(g, image!));
      const images = d.list(range(batch), [batch, 1, 1]);
      const spread = (name: string): string => g.op('Unsqueeze', [name, g.ints([3])]);
      const at = (py: string, px: string): string => {
        const inside = g.op('And', [d.within(py, 0, height - 1), d.within(px, 0, width - 1)]);
        return g.op('Where', [spread(inside), reader.read(images, py, px, inside), g.scalar(fill)]);
      };
      let value: string;
      if (interpolation === 'nearest') {
        value = at(d.round(y), d.round(x));
      } else {
        const [top, left] = [d.floor(y), d.floor(x)];
        const [bottom, right] = [d.add(top, 1), d.add(left, 1)];
        const blend = (a: string, b: string, low: string, place: string, high: string): string =>
          g.op('Add', [g.op('Mul', [spread(d.float(d.sub(high, place))), a]), g.op('Mul', [spread(d.float(d.sub(place, low))), b])]);
        const row = (py: string): string => blend(at(py, left), at(py, right), left, x, right);
        value = blend(row(top), row(bottom), top, y, bottom);
      }
      return rows(like(g, g.reshape(g.op('Where', [spread(finite), value, g.scalar(fill)]), shape), image!));
    },
  },
  {
    kernel: 'RotateWithOffset',
    form: 'Gather by a constant index; Where outside the image',
    infer: ({ image }) => image!,
    lower: (g, { image }, { radians, fillValue, center }) => {
      const [batch, height, width, channels] = image!.shape as [number, number, number, number];
      if (image!.shape.includes(0)) return rows(g.rows(image!));
      const [centerX, centerY] = tf.backend_util.getImageCenter(center as number | [number, number], height, width);
      const [sin, cos] = [Math.sin(radians as number), Math.cos(radians as number)];
      const index = new Int32Array(height * width);
      const inside = new Uint8Array(height * width);
      for (let row = 0; row < height; row++) {
        for (let col = 0; col < width; col++) {
          const x = Math.round((col - centerX) * cos - (row - centerY) * sin + centerX);
          const y = Math.round((col - centerX) * sin + (row - centerY) * cos + centerY);
          if (!(x >= 0 && x < width && y >= 0 && y < height)) continue;
          inside[row * width + col] = 1;
          index[row * width + col] = y * width + x;
        }
      }
      const pixels = g.reshape(floats(g, image!), [batch, height * width, channels]);
      const turned = g.op('Gather', [pixels, g.constant(index, [index.length], 'int32')], { axis: 1 });
      const colors = fillValue as number | readonly number[];
      const fill = range(channels).map((c) => (typeof colors === 'number' ? colors : c === 3 ? 255 : (colors[c] ?? NaN)));
      const chosen = g.op('Where', [
        g.constant(inside, [1, index.length, 1], 'bool'),
        turned,
        g.constant(
          Float32Array.from(fill, (v) => (image!.dtype === 'float32' ? v : Number.isNaN(v) ? 0 : v)),
          [1, 1, channels],
          'float32',
        ),
      ]);
      return rows(like(g, g.reshape(chosen, image!.shape), image!));
    },
  },
);

/** A place outside the image, moved inside as the fill mode says. */
function mapCoordinate(g: Lowering, d: Doubles, at: string, size: number, mode: string): string {
  const clamp = (p: string): string => g.op('Clip', [p, d.of(0), d.of(size - 1)]);
  if (mode === 'nearest') return clamp(at);
  if (mode !== 'reflect' && mode !== 'wrap') return at;
  const below = d.op('Less', at, 0);
  const above = d.op('Greater', at, size - 1);
  if (size <= 1) return clamp(d.where(g.op('Or', [below, above]), 0, at));
  let low: string;
  let high: string;
  if (mode === 'reflect') {
    const period = 2 * size;
    const shifted = d.add(d.mul(d.trunc(d.div(d.op('Neg', at), period)), period), at);
    low = d.where(d.op('Less', shifted, -size), d.add(shifted, period), d.sub(d.op('Neg', shifted), 1));
    const cut = d.sub(at, d.mul(d.trunc(d.div(at, period)), period));
    high = d.where(d.op('GreaterOrEqual', cut, size), d.sub(d.sub(period, cut), 1), cut);
  } else {
    low = d.add(at, d.mul(d.add(d.trunc(d.div(d.op('Neg', at), size - 1)), 1), size));
    high = d.sub(at, d.mul(d.trunc(d.div(at, size - 1)), size));
  }
  return clamp(d.where(below, low, d.where(above, high, at)));
}
