/** Kernels that choose between values. */
import { rows } from '../graph/lowering.js';
import { defineKernels } from './define.js';
import { elementwise, where } from './elementwise.js';

defineKernels(
  {
    kernel: 'Select',
    form: 'Where; And, Or, Not for bool',
    infer: ({ t }) => ({ dtype: t!.dtype, shape: t!.shape }),
    lower: (g, { condition, t, e }) => {
      const { shape } = condition!;
      if (shape.length === t!.shape.length) return elementwise(g, [condition!, t!, e!], (c, x, y) => where(g, c!, x!, y!, t!.dtype));
      // A condition of rank 1 chooses whole rows.
      const aligned = g.reshape(g.rows(condition!), [...shape, ...Array<number>(t!.shape.length - shape.length).fill(1)]);
      return rows(where(g, aligned, g.rows(t!), g.rows(e!), t!.dtype));
    },
  },
  {
    kernel: 'BroadcastArgs',
    form: 'Pad with 1, Where; sizes that do not fit are an error at run time',
    infer: ({ s0, s1 }) => ({ dtype: 'int32', shape: [Math.max(s0!.shape[0]!, s1!.shape[0]!)] }),
    lower: (g, { s0, s1 }, _, call) => {
      const rank = call.outputs[0]!.shape[0]!;
      const one = g.scalar(1, 'int32');
      const [a, b] = [s0!, s1!].map((s) =>
        s.shape[0] === rank ? g.rows(s) : g.op('Pad', [g.rows(s), g.ints([rank - s.shape[0]!, 0]), one]),
      ) as [string, string];
      const aIsOne = g.op('Equal', [a, one]);
      const fits = g.op('Or', [g.op('Or', [aIsOne, g.op('Equal', [b, one])]), g.op('Equal', [a, b])]);
      const sizes = g.op('Where', [aIsOne, b, a]);
      // Reads beyond the end where sizes do not fit, which stops the run.
      const places = g.op('Where', [
        fits,
        g.constant(
          Int32Array.from({ length: rank }, (_, i) => i),
          [rank],
          'int32',
        ),
        g.scalar(rank, 'int32'),
      ]);
      g.failure = 'Operands could not be broadcast together with the shapes s0 and s1.';
      return rows(g.op('Gather', [sizes, places], { axis: 0 }));
    },
  },
);
