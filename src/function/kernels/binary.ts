/** Kernels of two tensors: arithmetic, comparison, logic. */
import type { DType } from '../dtype.js';
import type { Lowering } from '../graph/lowering.js';
import { defineKernels, type KernelDefinition } from './define.js';
import { broadcastSpec, elementwise } from './elementwise.js';

type Emit = (g: Lowering, a: string, b: string, dtype: DType) => string;

/** A broadcasting kernel of `a` and `b`; the result has the dtype of `a` unless one is given. */
function binary(kernel: string, form: string, emit: string | Emit, result?: DType): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ a, b }) => broadcastSpec([a!, b!], result ?? a!.dtype),
    lower: (g, { a, b }) => elementwise(g, [a!, b!], (x, y) => (typeof emit === 'string' ? g.op(emit, [x, y]) : emit(g, x, y, a!.dtype))),
  };
}

defineKernels(
  binary('Add', 'Add', 'Add'),
  binary('Sub', 'Sub', 'Sub'),
  binary('Multiply', 'Mul', 'Mul'),
  binary('RealDiv', 'Div', 'Div'),
  binary('Maximum', 'Max', 'Max'),
  binary('Minimum', 'Min', 'Min'),
  binary('Pow', 'Pow', 'Pow'),
  binary('SquaredDifference', 'Sub, Mul', (g, a, b) => {
    const d = g.op('Sub', [a, b]);
    return g.op('Mul', [d, d]);
  }),
  binary('Equal', 'Equal', 'Equal', 'bool'),
  binary('NotEqual', 'Equal, Not', (g, a, b) => g.op('Not', [g.op('Equal', [a, b])]), 'bool'),
  binary('Greater', 'Greater', 'Greater', 'bool'),
  binary('GreaterEqual', 'GreaterOrEqual', 'GreaterOrEqual', 'bool'),
  binary('Less', 'Less', 'Less', 'bool'),
  binary('LessEqual', 'LessOrEqual', 'LessOrEqual', 'bool'),
  binary('LogicalAnd', 'And', 'And', 'bool'),
  binary('LogicalOr', 'Or', 'Or', 'bool'),
  binary('LogicalXor', 'Xor', 'Xor', 'bool'),
);
