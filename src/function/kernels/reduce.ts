/** Kernels that reduce over axes. */
import * as tf from '#tf';
import { sizeOf, type DType } from '../dtype.js';
import type { Attrs, Value } from '../graph/ir.js';
import { rows, type Lowering, type Physical } from '../graph/lowering.js';
import { defineKernels, type KernelDefinition } from './define.js';
import { iota } from './indices.js';

/** The axes of a reduction; tfjs's kernels name them differently. */
function axesOf(x: { readonly shape: readonly number[] }, attrs: Attrs): number[] {
  const given = (attrs['reductionIndices'] ?? attrs['axis']) as number | number[] | null | undefined;
  return tf.util.parseAxisParam(given ?? [...x.shape.keys()], x.shape as number[]);
}

function reducedShape(x: { readonly shape: readonly number[] }, attrs: Attrs): number[] {
  const axes = axesOf(x, attrs);
  return attrs['keepDims'] ? x.shape.map((d, i) => (axes.includes(i) ? 1 : d)) : x.shape.filter((_, i) => !axes.includes(i));
}

function reduction(kernel: string, form: string, op: string, result?: DType): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ x }, attrs) => ({ dtype: result ?? x!.dtype, shape: reducedShape(x!, attrs) }),
    lower: (g, { x }, attrs, call) => reduce(g, op, x!, attrs, call.outputs[0]!.shape),
  };
}

/** Sum or Prod: truth values are counted. */
function arithmetic(kernel: string, form: string, op: string): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ x }, attrs) => ({ dtype: x!.dtype === 'bool' ? 'int32' : x!.dtype, shape: reducedShape(x!, attrs) }),
    lower: (g, { x }, attrs, call) => {
      if (x!.dtype !== 'bool') return reduce(g, op, x!, attrs, call.outputs[0]!.shape);
      const axes = axesOf(x!, attrs);
      const counts = g.cast(g.rows(x!), 'int32');
      return rows(axes.length === 0 ? counts : g.op(op, [counts, g.ints(axes)], { keepdims: attrs['keepDims'] ? 1 : 0 }));
    },
  };
}

/** Below this many summed rows a plain reduction is as fast as the product with ones. */
const MANY_ROWS = 64;

function reduce(g: Lowering, op: string, x: Value, attrs: Attrs, shape: readonly number[]): Physical {
  const axes = axesOf(x, attrs);
  // ONNX reduces everything over an empty list of axes; tfjs means nothing.
  if (axes.length === 0) return rows(g.rows(x));
  const leading = axes.every((a, i) => a === i) && axes.length < x.shape.length;
  const additive = (op === 'ReduceSum' || op === 'ReduceMean') && x.dtype === 'float32';
  if (additive && axes.join() === '0,1,2' && x.shape.length === 4 && !g.has(x, 'rows')) {
    const [n, h, w, c] = x.shape as [number, number, number, number];
    return rows(g.reshape(g.op(op, [g.reshape(g.nchw(x), [n, c, h * w]), g.ints([0, 2])], { keepdims: 0 }), shape));
  }
  const count = sizeOf(axes.map((a) => x.shape[a]!));
  if (additive && leading && count >= MANY_ROWS) {
    // Sums over leading axes: a row of ones times the matrix is 2 to 50 times faster than the reduction kernel.
    return rows(g.reshape(sumOfRows(g, x, axes.length, op === 'ReduceMean' ? 1 / count : 1), shape));
  }
  return rows(g.op(op, [g.rows(x), g.ints(axes)], { keepdims: attrs['keepDims'] ? 1 : 0 }));
}

/** Σ over the first `axes` axes, times `scale`, as [1, columns] or [columns]. */
function sumOfRows(g: Lowering, x: Value, axes: number, scale: number): string {
  const columns = sizeOf(x.shape.slice(axes));
  const count = sizeOf(x.shape.slice(0, axes));
  // Narrow images: sum whole rows of W·C first, then over W, so that the product has long rows.
  const width = axes === 3 && columns < 64 ? x.shape[2]! : 1;
  const ones = g.once(`ones:${count / width}:${scale}`, () => g.filled(scale, [1, count / width], 'float32'));
  const sums = g.op('MatMul', [ones, g.reshape(g.rows(x), [count / width, width * columns])]);
  if (width === 1) return sums;
  return g.op('ReduceSum', [g.reshape(sums, [width, columns]), g.ints([0])], { keepdims: 0 });
}

defineKernels(
  arithmetic('Sum', 'MatMul with ones over many leading rows, else ReduceSum', 'ReduceSum'),
  {
    ...reduction('Mean', 'MatMul with ones over many leading rows, else ReduceMean', 'ReduceMean', 'float32'),
    lower: (g, { x }, attrs, call) => {
      if (x!.dtype === 'float32') return reduce(g, 'ReduceMean', x!, attrs, call.outputs[0]!.shape);
      const axes = axesOf(x!, attrs);
      const floats = g.cast(g.rows(x!), 'float32');
      return rows(axes.length === 0 ? floats : g.op('ReduceMean', [floats, g.ints(axes)], { keepdims: attrs['keepDims'] ? 1 : 0 }));
    },
  },
  extremum('Max', 'ReduceMax'),
  extremum('Min', 'ReduceMin'),
  arithmetic('Prod', 'ReduceProd', 'ReduceProd'),
  {
    kernel: 'All',
    form: 'Cast, ReduceMin, Cast',
    infer: ({ x }, attrs) => ({ dtype: 'bool', shape: reducedShape(x!, attrs) }),
    lower: (g, { x }, attrs, call) => reduceBool(g, 'ReduceMin', x!, attrs, call.outputs[0]!.shape),
  },
  {
    kernel: 'Any',
    form: 'Cast, ReduceMax, Cast',
    infer: ({ x }, attrs) => ({ dtype: 'bool', shape: reducedShape(x!, attrs) }),
    lower: (g, { x }, attrs, call) => reduceBool(g, 'ReduceMax', x!, attrs, call.outputs[0]!.shape),
  },
  {
    kernel: 'ArgMax',
    form: 'ArgMax (first of equal maxima; NaN counts in the first place only), Cast',
    infer: ({ x }, { axis }) => ({ dtype: 'int32', shape: dropAxis(x!, axis) }),
    lower: (g, { x }, { axis }) => argument(g, 'ArgMax', x!, axis, Infinity),
  },
  {
    kernel: 'ArgMin',
    form: 'ArgMin (first of equal minima; NaN counts in the first place only), Cast',
    infer: ({ x }, { axis }) => ({ dtype: 'int32', shape: dropAxis(x!, axis) }),
    lower: (g, { x }, { axis }) => argument(g, 'ArgMin', x!, axis, -Infinity),
  },
  {
    kernel: 'Softmax',
    form: 'Softmax',
    infer: ({ logits }) => logits!,
    lower: (g, { logits }, { dim }) => rows(g.op('Softmax', [g.rows(logits!)], { axis: dim as number })),
  },
  {
    kernel: 'LogSoftmax',
    form: 'LogSoftmax',
    infer: ({ logits }) => logits!,
    lower: (g, { logits }, { axis }) => rows(g.op('LogSoftmax', [g.rows(logits!)], { axis: (axis as number | undefined) ?? -1 })),
  },
  {
    kernel: 'TopK',
    form: 'TopK, Cast; of equal values the first comes first',
    limits: 'with sorted = false and k below the size the values come sorted, where tfjs promises no order',
    infer: ({ x }, { k }) => {
      const shape = [...x!.shape.slice(0, -1), k as number];
      return [
        { dtype: x!.dtype, shape },
        { dtype: 'int32', shape },
      ];
    },
    lower: (g, { x }, { k, sorted }) => {
      if (k === x!.shape.at(-1) && sorted === false) {
        // tfjs leaves everything in its place.
        return [rows(g.rows(x!)), rows(g.op('Expand', [iota(g, k as number), g.ints(x!.shape)]))];
      }
      const numbers = x!.dtype === 'bool' ? g.cast(g.rows(x!), 'int32') : g.rows(x!);
      const [values, indices] = g.ops('TopK', [numbers, g.ints([k as number])], 2, { axis: -1 });
      return [rows(x!.dtype === 'bool' ? g.cast(values!, 'bool') : values!), rows(g.cast(indices!, 'int32'))];
    },
  },
  {
    kernel: 'AddN',
    form: 'Sum',
    infer: (inputs) => Object.values(inputs)[0]!,
    lower: (g, inputs) => {
      const names = Object.values(inputs).map((v) => g.rows(v));
      return rows(Object.values(inputs)[0]!.dtype === 'float32' ? g.op('Sum', names) : names.reduce((a, b) => g.op('Add', [a, b])));
    },
  },
);

/** Max or Min: NaN if any element is, which ONNX's reductions do not promise. */
function extremum(kernel: string, op: string): KernelDefinition {
  return {
    ...reduction(kernel, `${op}; NaN if any element is`, op),
    lower: (g, { x }, attrs, call) => {
      // Of nothing tfjs makes NaN, or 0 for integers; ONNX an infinity.
      if (sizeOf(x!.shape) === 0) return rows(g.filled(x!.dtype === 'float32' ? NaN : 0, call.outputs[0]!.shape, x!.dtype));
      const plain = reduce(g, op, x!, attrs, call.outputs[0]!.shape);
      const axes = axesOf(x!, attrs);
      if (x!.dtype !== 'float32' || axes.length === 0) return plain;
      const nan = g.op('ReduceMax', [g.cast(g.op('IsNaN', [g.rows(x!)]), 'float32'), g.ints(axes)], {
        keepdims: attrs['keepDims'] ? 1 : 0,
      });
      return rows(g.op('Where', [g.op('Greater', [nan, g.scalar(0)]), g.scalar(NaN), plain.name]));
    },
  };
}

/** ArgMax or ArgMin. A NaN in the first place is found there, any other never: each comparison with it fails. */
function argument(g: Lowering, op: string, x: Value, axis: unknown, best: number): Physical {
  if (sizeOf(x.shape) === 0) return rows(g.filled(0, dropAxis(x, axis), 'int32')); // ONNX Runtime refuses to search nothing
  const [a] = tf.util.parseAxisParam(axis as number, x.shape as number[]) as [number];
  let name = g.rows(x);
  if (x.dtype === 'bool') name = g.cast(name, 'int32');
  if (x.dtype === 'float32') {
    const size = x.shape[a]!;
    const ranks = g.constant(
      Float32Array.from({ length: size }, (_, i) => (i === 0 ? best : -best)),
      [size, ...x.shape.slice(a + 1).map(() => 1)],
      'float32',
    );
    name = g.op('Where', [g.op('IsNaN', [name]), ranks, name]);
  }
  return rows(g.cast(g.op(op, [name], { axis: a, keepdims: 0 }), 'int32'));
}

function dropAxis(x: { readonly shape: readonly number[] }, axis: unknown): number[] {
  const [a] = tf.util.parseAxisParam(axis as number, x.shape as number[]);
  return x.shape.filter((_, i) => i !== a);
}

function reduceBool(g: Lowering, op: string, x: Value, attrs: Attrs, shape: readonly number[]): Physical {
  const axes = axesOf(x, attrs);
  if (axes.length === 0) return rows(g.rows(x));
  if (sizeOf(x.shape) === 0) return rows(g.filled(0, shape, 'bool')); // tfjs finds nothing in nothing, for All too
  return rows(g.cast(g.op(op, [g.cast(g.rows(x), 'int32'), g.ints(axes)], { keepdims: attrs['keepDims'] ? 1 : 0 }), 'bool'));
}
