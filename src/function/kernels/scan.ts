/** Running sums and products along an axis. */
import * as tf from '#tf';
import type { DType } from '../dtype.js';
import type { Attrs, Value } from '../graph/ir.js';
import { rows, type Lowering } from '../graph/lowering.js';
import { defineKernels, type KernelSpecs } from './define.js';

const flag = (x: unknown): 0 | 1 => (x ? 1 : 0);

/** Sums and products of truth values are counts. */
const resultType = (dtype: DType): DType => (dtype === 'bool' ? 'int32' : dtype);

const axisOf = (x: { readonly shape: readonly number[] }, attrs: Attrs): number =>
  tf.util.parseAxisParam(attrs['axis'] as number, x.shape as number[])[0]!;

function infer({ x }: KernelSpecs, attrs: Attrs): { dtype: DType; shape: readonly number[] } {
  axisOf(x!, attrs);
  return { dtype: resultType(x!.dtype), shape: x!.shape };
}

const numbers = (g: Lowering, x: Value): string => (x.dtype === 'bool' ? g.cast(g.rows(x), 'int32') : g.rows(x));

defineKernels(
  {
    kernel: 'Cumsum',
    form: 'CumSum',
    infer,
    lower: (g, { x }, attrs) =>
      rows(
        g.op('CumSum', [numbers(g, x!), g.scalar(axisOf(x!, attrs), 'int32')], {
          exclusive: flag(attrs['exclusive']),
          reverse: flag(attrs['reverse']),
        }),
      ),
  },
  {
    kernel: 'Cumprod',
    form: 'log2(n) times Slice, Pad with 1, Mul',
    infer,
    lower: (g, { x }, attrs) => {
      const axis = axisOf(x!, attrs);
      const dtype = resultType(x!.dtype);
      const size = x!.shape[axis]!;
      /** Moves everything `by` places along the scan; ones come in at its start. */
      const shift = (name: string, by: number): string => {
        const [start, end] = attrs['reverse'] ? [by, size] : [0, size - by];
        const kept = g.op('Slice', [name, g.ints([start]), g.ints([end]), g.ints([axis])]);
        const before = x!.shape.map((_, i) => (i === axis && !attrs['reverse'] ? by : 0));
        const after = x!.shape.map((_, i) => (i === axis && attrs['reverse'] ? by : 0));
        return g.op('Pad', [kept, g.ints([...before, ...after]), g.scalar(1, dtype)]);
      };
      let product = numbers(g, x!);
      if (attrs['exclusive']) product = shift(product, 1);
      for (let by = 1; by < size; by *= 2) product = g.op('Mul', [product, shift(product, by)]);
      return rows(product);
    },
  },
);
