/** Batch normalisation. */
import { defineKernels } from './define.js';
import { elementwise } from './elementwise.js';

defineKernels({
  kernel: 'FusedBatchNorm',
  form: '(x − mean) · rsqrt(variance + ε) · scale + offset, the vectors folded before they meet the image',
  infer: ({ x }) => x!,
  lower: (g, { x, mean, variance, offset, scale }, attrs) => {
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
