/** Kernels of one tensor that compute element by element. */
import type { Attrs } from '../graph/ir.js';
import type { Lowering } from '../graph/lowering.js';
import type { DType } from '../dtype.js';
import { defineKernels, type KernelDefinition } from './define.js';
import { castTo, elementwise } from './elementwise.js';

type Emit = (g: Lowering, x: string, attrs: Attrs, dtype: DType) => string;

/** A kernel of `x`; the result has x's dtype unless one is given. Truth values are computed as integers. */
function unary(kernel: string, form: string, emit: string | Emit, result?: DType): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ x }) => ({ dtype: result ?? x!.dtype, shape: x!.shape }),
    lower: (g, { x }, attrs) =>
      elementwise(g, [x!], (name) => {
        const run = (input: string, dtype: DType): string =>
          typeof emit === 'string' ? g.op(emit, [input]) : emit(g, input, attrs, dtype);
        if (x!.dtype !== 'bool' || result !== undefined) return run(name!, x!.dtype);
        return g.cast(run(g.cast(name!, 'int32'), 'int32'), 'bool');
      }),
  };
}

/** A kernel whose ONNX form only takes float32: int32 and bool are computed in float32 and truncated, as tfjs does. */
function floatUnary(kernel: string, form: string, emit: string | Emit, result?: DType): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ x }) => ({ dtype: result ?? x!.dtype, shape: x!.shape }),
    lower: (g, { x }, attrs) =>
      elementwise(g, [x!], (name) => {
        const input = castTo(g, name!, x!.dtype, 'float32');
        const out = typeof emit === 'string' ? g.op(emit, [input]) : emit(g, input, attrs, 'float32');
        const dtype = result ?? x!.dtype;
        if (result === 'bool' || dtype === 'float32') return out;
        const whole = castTo(g, out, 'float32', 'int32');
        return dtype === 'int32' ? whole : g.cast(whole, 'bool');
      }),
  };
}

defineKernels(
  unary('Abs', 'Abs', 'Abs'),
  unary('Neg', 'Neg', 'Neg'),
  unary('Square', 'Mul', (g, x) => g.op('Mul', [x, x])),
  unary('LogicalNot', 'Not', 'Not', 'bool'),
  unary('Relu', 'Relu', 'Relu'),
  unary('Relu6', 'Clip to [0, 6]', (g, x, _attrs, dtype) => g.op('Clip', [x, g.scalar(0, dtype), g.scalar(6, dtype)])),
  unary('ClipByValue', 'Clip; NaN stays NaN', (g, x, attrs, dtype) =>
    g.op('Clip', [x, g.scalar(attrs['clipValueMin'] as number, dtype), g.scalar(attrs['clipValueMax'] as number, dtype)]),
  ),
  unary('Sign', 'Sign; 0 for NaN', (g, x, _attrs, dtype) => {
    const sign = g.op('Sign', [x]);
    return dtype === 'float32' ? g.op('Where', [g.op('IsNaN', [x]), g.scalar(0), sign]) : sign;
  }),
  unary('Step', 'Greater, Where; NaN stays NaN', (g, x, attrs, dtype) => {
    const positive = g.op('Greater', [x, g.scalar(0, dtype)]);
    const step = g.op('Where', [positive, g.scalar(1, dtype), g.scalar((attrs['alpha'] as number | undefined) ?? 0, dtype)]);
    return dtype === 'float32' ? g.op('Where', [g.op('IsNaN', [x]), x, step]) : step;
  }),
  floatUnary('Ceil', 'Ceil', 'Ceil'),
  floatUnary('Floor', 'Floor', 'Floor'),
  floatUnary('Round', 'Round (halves to even)', 'Round'),
  floatUnary('Exp', 'Exp', 'Exp', 'float32'),
  floatUnary('Expm1', 'Tanh for small x (exp(x) − 1 would cancel), Exp and Sub else', (g, x) => {
    const t = g.op('Tanh', [g.op('Mul', [x, g.scalar(0.5)])]);
    const near = g.op('Div', [g.op('Mul', [t, g.scalar(2)]), g.op('Sub', [g.scalar(1), t])]);
    const far = g.op('Sub', [g.op('Exp', [x]), g.scalar(1)]);
    return g.op('Where', [g.op('Less', [g.op('Abs', [x]), g.scalar(0.5)]), near, far]);
  }),
  floatUnary('Log', 'Log', 'Log'),
  floatUnary('Log1p', 'Log(1 + x), corrected for the rounding of 1 + x', (g, x) => {
    const u = g.op('Add', [x, g.scalar(1)]);
    const rounded = g.op('Sub', [u, g.scalar(1)]);
    const corrected = g.op('Mul', [g.op('Log', [u]), g.op('Div', [x, rounded])]);
    const exact = g.op('Or', [g.op('Equal', [rounded, g.scalar(0)]), g.op('Equal', [x, g.scalar(Infinity)])]);
    return g.op('Where', [exact, x, corrected]);
  }),
  floatUnary('Sqrt', 'Sqrt', 'Sqrt'),
  floatUnary('Rsqrt', 'Sqrt, Reciprocal', (g, x) => g.op('Reciprocal', [g.op('Sqrt', [x])])),
  floatUnary('Reciprocal', 'Reciprocal', 'Reciprocal'),
  floatUnary('Sigmoid', 'Sigmoid', 'Sigmoid'),
  floatUnary('Tanh', 'Tanh', 'Tanh'),
  floatUnary('Sin', 'Sin', 'Sin'),
  floatUnary('Cos', 'Cos', 'Cos'),
  floatUnary('Tan', 'Tan', 'Tan'),
  floatUnary('Asin', 'Asin', 'Asin'),
  floatUnary('Acos', 'Acos', 'Acos'),
  floatUnary('Atan', 'Atan', 'Atan'),
  floatUnary('Sinh', 'Sinh', 'Sinh'),
  floatUnary('Cosh', 'Cosh', 'Cosh'),
  floatUnary('Asinh', 'Asinh', 'Asinh'),
  floatUnary('Acosh', 'Acosh', 'Acosh'),
  floatUnary('Atanh', 'Atanh', 'Atanh'),
  floatUnary('Erf', 'Erf', 'Erf'),
  floatUnary('Softplus', 'Softplus', 'Softplus'),
  floatUnary('Elu', 'Elu', 'Elu'),
  floatUnary('Selu', 'Selu', 'Selu'),
  floatUnary('LeakyRelu', 'LeakyRelu', (g, x, attrs) => g.op('LeakyRelu', [x], { alpha: { float: attrs['alpha'] as number } }), 'float32'),
  floatUnary('IsNan', 'IsNaN', 'IsNaN', 'bool'),
  floatUnary('IsInf', 'IsInf', 'IsInf', 'bool'),
  floatUnary('IsFinite', 'IsNaN, IsInf, Or, Not', (g, x) => g.op('Not', [g.op('Or', [g.op('IsNaN', [x]), g.op('IsInf', [x])])]), 'bool'),
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
