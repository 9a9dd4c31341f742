/** Kernels that choose between values. */
import { defineKernels } from './define.js';
import { elementwise } from './elementwise.js';

defineKernels({
  kernel: 'Select',
  form: 'Where',
  infer: ({ t }) => ({ dtype: t!.dtype, shape: t!.shape }),
  lower: (g, { condition, t, e }) => {
    const { shape } = condition!;
    if (shape.length === t!.shape.length) return elementwise(g, [condition!, t!, e!], (c, x, y) => g.op('Where', [c, x, y]));
    // A condition of rank 1 chooses whole rows.
    const aligned = g.reshape(g.rows(condition!), [...shape, ...Array<number>(t!.shape.length - shape.length).fill(1)]);
    return { name: g.op('Where', [aligned, g.rows(t!), g.rows(e!)]), layout: 'rows' };
  },
});
