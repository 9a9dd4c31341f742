/** Kernels of two tensors: arithmetic, comparison, logic. */
import type { DType } from '../dtype.js';
import type { Lowering } from '../graph/lowering.js';
import { defineKernels, type KernelDefinition } from './define.js';
import { broadcastSpec, castTo, elementwise } from './elementwise.js';

type Emit = (g: Lowering, a: string, b: string, dtype: DType) => string;

/** ONNX operators that take truth values. */
const LOGICAL = new Set(['And', 'Or', 'Xor', 'Equal']);

/** A broadcasting kernel of `a` and `b`; the result has the dtype of `a` unless one is given. Truth values are computed as integers. */
function binary(kernel: string, form: string, emit: string | Emit, result?: DType): KernelDefinition {
  return {
    kernel,
    form,
    infer: ({ a, b }) => broadcastSpec([a!, b!], result ?? a!.dtype),
    lower: (g, { a, b }) =>
      elementwise(g, [a!, b!], (x, y) => {
        const run = (p: string, q: string, dtype: DType): string => (typeof emit === 'string' ? g.op(emit, [p, q]) : emit(g, p, q, dtype));
        if (a!.dtype !== 'bool' || (typeof emit === 'string' && LOGICAL.has(emit))) return run(x!, y!, a!.dtype);
        const out = run(g.cast(x!, 'int32'), g.cast(y!, 'int32'), 'int32');
        return result === undefined ? g.cast(out, 'bool') : out;
      }),
  };
}

/** Integer division that truncates. A zero divisor would end the process inside ONNX Runtime; tfjs stores 0. */
function divideIntegers(g: Lowering, a: string, b: string): string {
  const zero = g.op('Equal', [b, g.scalar(0, 'int32')]);
  const quotient = g.op('Div', [a, g.op('Where', [zero, g.scalar(1, 'int32'), b])]);
  return g.op('Where', [zero, g.scalar(0, 'int32'), quotient]);
}

function atan2(g: Lowering, y: string, x: string): string {
  const [zero, pi] = [g.scalar(0), g.scalar(Math.PI)];
  const negative = (v: string): string => g.op('Less', [g.op('Reciprocal', [v]), zero]); // true for -0 as well
  const signed = (v: string, of: string): string =>
    g.op('Where', [g.op('Or', [g.op('Less', [of, zero]), g.op('And', [g.op('Equal', [of, zero]), negative(of)])]), g.op('Neg', [v]), v]);
  const xNegative = g.op('Or', [g.op('Less', [x, zero]), g.op('And', [g.op('Equal', [x, zero]), negative(x)])]);
  // |y / x| decides the angle in the first quadrant; 0/0 and ∞/∞ need their own values.
  const [ay, ax] = [g.op('Abs', [y]), g.op('Abs', [x])];
  const both = g.op('And', [g.op('IsInf', [ay]), g.op('IsInf', [ax])]);
  const quotient = g.op('Where', [g.op('Equal', [ay, zero]), g.op('Mul', [ay, zero]), g.op('Div', [ay, ax])]);
  const first = g.op('Where', [both, g.scalar(Math.PI / 4), g.op('Atan', [quotient])]);
  const nan = g.op('Or', [g.op('IsNaN', [y]), g.op('IsNaN', [x])]);
  const angle = signed(g.op('Where', [xNegative, g.op('Sub', [pi, first]), first]), y);
  return g.op('Where', [nan, g.op('Add', [y, x]), angle]);
}

/** tfjs's prelu gives float32 for every dtype. */
const prelu: KernelDefinition = {
  kernel: 'Prelu',
  form: 'Less, Mul, Where',
  infer: ({ x, alpha }) => broadcastSpec([x!, alpha!], 'float32'),
  lower: (g, { x, alpha }) =>
    elementwise(g, [x!, alpha!], (...names) => {
      const [value, slope] = [x!, alpha!].map((v, i) => (v.dtype === 'float32' ? names[i]! : g.cast(names[i]!, 'float32'))) as [
        string,
        string,
      ];
      return g.op('Where', [g.op('Less', [value, g.scalar(0)]), g.op('Mul', [value, slope]), value]);
    }),
};

/** Pow where C's pow, which ONNX Runtime calls, gives 1 and JavaScript's NaN; and 0 ** -1 of integers, which is no integer. */
function power(g: Lowering, x: string, y: string, dtype: DType): string {
  const plain = g.op('Pow', [x, y]);
  if (dtype !== 'float32') {
    const infinite = g.op('And', [g.op('Equal', [x, g.scalar(0, dtype)]), g.op('Less', [y, g.scalar(0, dtype)])]);
    return g.op('Where', [infinite, g.scalar(0, dtype), plain]);
  }
  const one = g.op('Equal', [g.op('Abs', [x]), g.scalar(1)]);
  const endless = g.op('Or', [g.op('IsNaN', [y]), g.op('IsInf', [y])]);
  return g.op('Where', [g.op('And', [one, endless]), g.scalar(NaN), plain]);
}

const guardedPower = binary('Pow', 'Pow; NaN for 1 to the power of NaN or infinity, unless the exponent is a finite constant', power);

const pow: KernelDefinition = {
  ...guardedPower,
  lower: (g, { a, b }, attrs, call) => {
    const { source } = b!;
    const finite = source.kind === 'constant' && source.data.every((e) => Number.isFinite(e));
    if (!finite || a!.dtype !== 'float32') return guardedPower.lower(g, { a: a!, b: b! }, attrs, call);
    return elementwise(g, [a!, b!], (x, y) => g.op('Pow', [x!, y!]));
  },
};

defineKernels(
  prelu,
  pow,
  binary('Add', 'Add', 'Add'),
  binary('Sub', 'Sub', 'Sub'),
  binary('Multiply', 'Mul', 'Mul'),
  binary('RealDiv', 'Div; integers truncate, x / 0 is 0', (g, a, b, dtype) =>
    dtype === 'float32' ? g.op('Div', [a, b]) : divideIntegers(g, a, b),
  ),
  binary(
    'FloorDiv',
    'Div, Floor, Cast',
    (g, a, b, dtype) => {
      if (dtype === 'float32') return castTo(g, g.op('Floor', [g.op('Div', [a, b])]), 'float32', 'int32');
      const quotient = divideIntegers(g, a, b);
      const rest = g.op('Sub', [a, g.op('Mul', [quotient, b])]);
      const zero = g.scalar(0, 'int32');
      const down = g.op('And', [
        g.op('Not', [g.op('Equal', [rest, zero])]),
        g.op('Xor', [g.op('Less', [rest, zero]), g.op('Less', [b, zero])]),
      ]);
      const nonzero = g.op('Not', [g.op('Equal', [b, zero])]);
      return g.op('Sub', [quotient, g.cast(g.op('And', [down, nonzero]), 'int32')]);
    },
    'int32',
  ),
  binary('Mod', 'Mod with the sign of the divisor', (g, a, b, dtype) => {
    if (dtype === 'float32') {
      const rest = g.op('Mod', [a, b], { fmod: 1 });
      const same = g.op('Equal', [g.op('GreaterOrEqual', [a, g.scalar(0)]), g.op('GreaterOrEqual', [b, g.scalar(0)])]);
      return g.op('Where', [same, rest, g.op('Mod', [g.op('Add', [rest, b]), b], { fmod: 1 })]);
    }
    const zero = g.op('Equal', [b, g.scalar(0, 'int32')]);
    return g.op('Where', [zero, g.scalar(0, 'int32'), g.op('Mod', [a, g.op('Where', [zero, g.scalar(1, 'int32'), b])])]);
  }),
  binary('Atan2', 'Atan of the quotient, moved to the right quadrant', (g, y, x) => atan2(g, y, x)),
  binary('BitwiseAnd', 'BitwiseAnd', 'BitwiseAnd'),
  binary('Maximum', 'Max', 'Max'),
  binary('Minimum', 'Min', 'Min'),
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
