/** Kernels of one tensor that compute element by element. */
import type { Attrs } from '../graph/ir.js';
import type { Lowering } from '../graph/lowering.js';
import type { DType } from '../dtype.js';
import { defineKernels, type KernelDefinition } from './define.js';
import { elementwise } from './elementwise.js';

type Emit = (g: Lowering, x: string, attrs: Attrs, dtype: DType) => string;

/** A kernel of `x`; the result has x's dtype unless one is given. */
function unary(kernel: string, form: string, emit: string | Emit, result?: DType): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ x }) => ({ dtype: result ?? x!.dtype, shape: x!.shape }),
    lower: (g, { x }, attrs) => elementwise(g, [x!], (name) => (typeof emit === 'string' ? g.op(emit, [name]) : emit(g, name, attrs, x!.dtype))),
  };
}

/** The name of a cast to a dtype with tfjs's rules: to int32 truncates, to bool is "not 0". */
export function castTo(g: Lowering, x: string, from: DType, to: DType): string {
  return from === to ? x : g.cast(x, to);
}

defineKernels(
  unary('Abs', 'Abs', 'Abs'),
  unary('Ceil', 'Ceil', 'Ceil'),
  unary('Floor', 'Floor', 'Floor'),
  unary('Exp', 'Exp', 'Exp'),
  unary('Log', 'Log', 'Log'),
  unary('Neg', 'Neg', 'Neg'),
  unary('Sqrt', 'Sqrt', 'Sqrt'),
  unary('Rsqrt', 'Sqrt, Reciprocal', (g, x) => g.op('Reciprocal', [g.op('Sqrt', [x])])),
  unary('Reciprocal', 'Reciprocal', 'Reciprocal'),
  unary('Square', 'Mul', (g, x) => g.op('Mul', [x, x])),
  unary('Sigmoid', 'Sigmoid', 'Sigmoid'),
  unary('Tanh', 'Tanh', 'Tanh'),
  unary('Sin', 'Sin', 'Sin'),
  unary('Cos', 'Cos', 'Cos'),
  unary('Erf', 'Erf', 'Erf'),
  unary('Sign', 'Sign', 'Sign'),
  unary('Relu', 'Relu', 'Relu'),
  unary('Relu6', 'Clip to [0, 6]', (g, x, _attrs, dtype) => g.op('Clip', [x, g.scalar(0, dtype), g.scalar(6, dtype)])),
  unary('Softplus', 'Softplus', 'Softplus'),
  unary('LogicalNot', 'Not', 'Not', 'bool'),
  unary('IsNan', 'IsNaN', 'IsNaN', 'bool'),
  unary('Log1p', 'Add, Log', (g, x) => g.op('Log', [g.op('Add', [x, g.scalar(1)])])),
  unary('ClipByValue', 'Clip', (g, x, attrs, dtype) =>
    g.op('Clip', [x, g.scalar(attrs['clipValueMin'] as number, dtype), g.scalar(attrs['clipValueMax'] as number, dtype)]),
  ),
  unary('Step', 'Greater, Where; NaN stays NaN', (g, x, attrs, dtype) => {
    const positive = g.op('Greater', [x, g.scalar(0, dtype)]);
    const step = g.op('Where', [positive, g.scalar(1, dtype), g.scalar((attrs['alpha'] as number | undefined) ?? 0, dtype)]);
    return dtype === 'float32' ? g.op('Where', [g.op('IsNaN', [x]), x, step]) : step;
  }),
  unary('LeakyRelu', 'LeakyRelu', (g, x, attrs) => g.op('LeakyRelu', [x], { alpha: { float: attrs['alpha'] as number } })),
  unary('Elu', 'Elu', 'Elu'),
  {
    kernel: 'EluGrad',
    form: 'Where, Mul',
    infer: ({ dy }) => dy!,
    lower: (g, { dy, y }) =>
      elementwise(g, [dy!, y!], (d, v) =>
        g.op('Where', [g.op('GreaterOrEqual', [v, g.scalar(0)]), d, g.op('Mul', [d, g.op('Add', [v, g.scalar(1)])])]),
      ),
  },
  {
    // Written by the reluGradient pass: dy where the relu's output y is positive, else 0.
    kernel: 'orbit.ReluGrad',
    form: 'Greater, Cast, Mul on the relu output (lets the pre-activation die and the relu fold into the Conv)',
    infer: ({ dy }) => dy!,
    lower: (g, { dy, y }) => elementwise(g, [dy!, y!], (d, v) => g.op('Mul', [d, g.cast(g.op('Greater', [v, g.scalar(0)]), 'float32')])),
  },
  {
    kernel: 'Cast',
    form: 'Cast; to int32 truncates, to bool is "not 0"',
    infer: ({ x }, { dtype }) => {
      if (dtype !== 'float32' && dtype !== 'int32' && dtype !== 'bool') throw new Error(`casting to ${String(dtype)} cannot be compiled`);
      return { dtype, shape: x!.shape };
    },
    lower: (g, { x }, { dtype }) => elementwise(g, [x!], (name) => castTo(g, name, x!.dtype, dtype as DType)),
  },
);
