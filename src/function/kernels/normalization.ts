/** Batch normalisation. */
import { nchw } from '../graph/lowering.js';
import { defineKernels } from './define.js';
import { elementwise } from './elementwise.js';

defineKernels({
  kernel: 'FusedBatchNorm',
  form: 'BatchNormalization where the image is in NCHW; else (x − mean) · (rsqrt(variance + ε) · scale) + offset',
  infer: ({ x }) => x!,
  lower: (g, { x, mean, variance, offset, scale }, attrs) => {
    const channels = x!.shape.at(-1)!;
    const perChannel = [mean, variance, offset, scale].every((v) => v === undefined || (v.shape.length === 1 && v.shape[0] === channels));
    if (perChannel && x!.shape.length === 4 && !x!.shape.includes(0) && g.preferredLayout(x!) === 'nchw') {
      const vector = (v: typeof scale, otherwise: number): string =>
        v === undefined ? g.filled(otherwise, [channels], 'float32') : g.rows(v);
      const inputs = [g.nchw(x!), vector(scale, 1), vector(offset, 0), g.rows(mean!), g.rows(variance!)];
      return nchw(g.op('BatchNormalization', inputs, { epsilon: { float: (attrs['varianceEpsilon'] as number | undefined) ?? 0.001 } }));
    }
    const epsilon = g.scalar((attrs['varianceEpsilon'] as number | undefined) ?? 0.001);
    const vectors = [mean!, variance!, ...(scale ? [scale] : []), ...(offset ? [offset] : [])];
    return elementwise(g, [x!, ...vectors], (image, m, v, ...rest) => {
      let factor = g.op('Reciprocal', [g.op('Sqrt', [g.op('Add', [v!, epsilon])])]);
      if (scale) factor = g.op('Mul', [factor, rest.shift()!]);
      const centred = g.op('Mul', [g.op('Sub', [image!, m!]), factor]);
      return offset ? g.op('Add', [centred, rest.shift()!]) : centred;
    });
  },
});
