/** Local response normalisation across channels. */
import type { Attrs, Value } from '../graph/ir.js';
import { nchw, rows, type Lowering } from '../graph/lowering.js';
import { defineKernels } from './define.js';

const parameters = (attrs: Attrs): Record<'depthRadius' | 'bias' | 'alpha' | 'beta', number> => ({
  depthRadius: (attrs['depthRadius'] as number | undefined) ?? 5,
  bias: (attrs['bias'] as number | undefined) ?? 1,
  alpha: (attrs['alpha'] as number | undefined) ?? 1,
  beta: (attrs['beta'] as number | undefined) ?? 0.5,
});

/** A matrix that sums each channel's neighbours. */
function band(g: Lowering, channels: number, radius: number): string {
  const matrix = Float32Array.from({ length: channels * channels }, (_, i) =>
    Math.abs(Math.floor(i / channels) - (i % channels)) <= radius ? 1 : 0,
  );
  return g.constant(matrix, [channels, channels], 'float32');
}

/** [pixels, channels]. */
const pixels = (g: Lowering, v: Value): string => g.reshape(g.rows(v), [v.shape[0]! * v.shape[1]! * v.shape[2]!, v.shape[3]!]);

defineKernels(
  {
    kernel: 'LRN',
    form: 'LRN in NCHW',
    infer: ({ x }) => x!,
    lower: (g, { x }, attrs) => {
      const { depthRadius, bias, alpha, beta } = parameters(attrs);
      if (x!.shape.includes(0)) return rows(g.rows(x!));
      const size = 2 * depthRadius + 1;
      // ONNX divides alpha by the size of the neighbourhood.
      const attributes = { size, alpha: { float: alpha * size }, beta: { float: beta }, bias: { float: bias } };
      return nchw(g.op('LRN', [g.nchw(x!)], attributes));
    },
  },
  {
    kernel: 'LRNGrad',
    form: 'dy·norm^−β − 2αβ·x·Σ(dy·y/norm), the sums over channels by MatMul with a band matrix',
    infer: ({ x }) => x!,
    lower: (g, { x, y, dy }, attrs) => {
      const { depthRadius, bias, alpha, beta } = parameters(attrs);
      if (x!.shape.includes(0)) return rows(g.rows(x!));
      const near = band(g, x!.shape[3]!, depthRadius);
      const [px, py, pdy] = [pixels(g, x!), pixels(g, y!), pixels(g, dy!)];
      const sums = g.op('MatMul', [g.op('Mul', [px, px]), near]);
      const norm = g.op('Add', [g.op('Mul', [sums, g.scalar(alpha)]), g.scalar(bias)]);
      const own = g.op('Mul', [pdy, g.op('Pow', [norm, g.scalar(-beta)])]);
      const shares = g.op('MatMul', [g.op('Div', [g.op('Mul', [pdy, py]), norm]), near]);
      const others = g.op('Mul', [g.op('Mul', [px, shares]), g.scalar(2 * alpha * beta)]);
      return rows(g.reshape(g.op('Sub', [own, others]), x!.shape));
    },
  },
);
