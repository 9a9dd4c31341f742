/** Binary search in sorted rows. */
import { rows } from '../graph/lowering.js';
import { defineKernels } from './define.js';

defineKernels({
  kernel: 'SearchSorted',
  form: 'log2(n) steps of GatherElements, Less, Where: the binary search that tfjs makes',
  infer: ({ values }) => ({ dtype: 'int32', shape: values!.shape }),
  lower: (g, { sortedSequence, values }, { side }) => {
    const size = sortedSequence!.shape[1]!;
    if (size === 0) return rows(g.filled(0, values!.shape, 'int32'));
    const dtype = sortedSequence!.dtype === 'int32' && values!.dtype === 'int32' ? 'int32' : 'float32';
    const typed = (name: string, from: string): string => (from === dtype ? name : g.cast(name, dtype));
    const table = typed(g.rows(sortedSequence!), sortedSequence!.dtype);
    const wanted = typed(g.rows(values!), values!.dtype);
    const int = (x: number): string => g.scalar(x, 'int32');
    let left = g.filled(0, values!.shape, 'int32');
    let right = g.filled(size, values!.shape, 'int32');
    for (let width = size; width > 0; width = Math.floor(width / 2)) {
      const open = g.op('Less', [left, right]);
      const middle = g.op('Div', [g.op('Add', [left, right]), int(2)]);
      const found = g.op('GatherElements', [table, g.op('Min', [middle, int(size - 1)])], { axis: 1 });
      const below = g.op(side === 'left' ? 'Less' : 'LessOrEqual', [found, wanted]);
      left = g.op('Where', [g.op('And', [open, below]), g.op('Add', [middle, int(1)]), left]);
      right = g.op('Where', [g.op('And', [open, g.op('Not', [below])]), middle, right]);
    }
    return rows(right);
  },
});
