/** The instructions of the native kernel `Fused`, and how tfjs's kernels are written with them. */
import type { Attrs } from '../ir.js';

/** Instruction numbers; native/src/tile.h has the same list. */
export const opcode = {
  add: 0,
  sub: 1,
  mul: 2,
  div: 3,
  max: 4,
  min: 5,
  greater: 6,
  greaterEqual: 7,
  less: 8,
  lessEqual: 9,
  equal: 10,
  notEqual: 11,
  and: 12,
  or: 13,
  squaredDifference: 14,
  reluGrad: 15,
  neg: 16,
  abs: 17,
  square: 18,
  sqrt: 19,
  rsqrt: 20,
  reciprocal: 21,
  exp: 22,
  log: 23,
  tanh: 24,
  sigmoid: 25,
  relu: 26,
  step: 27,
  erf: 28,
  not: 29,
  sign: 30,
  isNan: 31,
  copy: 32,
  relu6: 33,
  select: 34,
  rowSum: 35,
  rowMax: 36,
} as const;

/** Writes instructions; operands and results are numbers of the program's values. */
export interface Emitter {
  emit(op: number, ...operands: number[]): number;
  constant(value: number): number;
}

type Emit = (e: Emitter, operands: number[], attrs: Attrs) => number;

/** A kernel that computes element by element. */
export interface Elementwise {
  /** Names of the operands; a list kernel has none. */
  readonly operands: readonly string[];
  readonly emit: Emit;
  /** False where the attributes ask for something that has no instruction. */
  readonly when?: (attrs: Attrs) => boolean;
  /** True when computing it again costs no more than reading it from memory. */
  readonly cheap: boolean;
}

const binary = (op: number): Elementwise => ({ operands: ['a', 'b'], emit: (e, [a, b]) => e.emit(op, a!, b!), cheap: true });
const unary = (op: number, cheap = true): Elementwise => ({ operands: ['x'], emit: (e, [x]) => e.emit(op, x!), cheap });

const elementwise: Readonly<Record<string, Elementwise>> = {
  Add: binary(opcode.add),
  Sub: binary(opcode.sub),
  Multiply: binary(opcode.mul),
  RealDiv: { ...binary(opcode.div), cheap: false },
  Maximum: binary(opcode.max),
  Minimum: binary(opcode.min),
  SquaredDifference: binary(opcode.squaredDifference),
  Greater: binary(opcode.greater),
  GreaterEqual: binary(opcode.greaterEqual),
  Less: binary(opcode.less),
  LessEqual: binary(opcode.lessEqual),
  Equal: binary(opcode.equal),
  NotEqual: binary(opcode.notEqual),
  LogicalAnd: binary(opcode.and),
  LogicalOr: binary(opcode.or),
  LogicalNot: unary(opcode.not),
  Neg: unary(opcode.neg),
  Abs: unary(opcode.abs),
  Square: unary(opcode.square),
  Sqrt: unary(opcode.sqrt, false),
  Rsqrt: unary(opcode.rsqrt, false),
  Reciprocal: unary(opcode.reciprocal, false),
  Exp: unary(opcode.exp, false),
  Log: unary(opcode.log, false),
  Tanh: unary(opcode.tanh, false),
  Sigmoid: unary(opcode.sigmoid, false),
  Erf: unary(opcode.erf, false),
  Sign: unary(opcode.sign),
  IsNan: unary(opcode.isNan),
  Relu: unary(opcode.relu),
  Relu6: unary(opcode.relu6),
  Step: { ...unary(opcode.step), when: (attrs) => (attrs['alpha'] ?? 0) === 0 },
  ClipByValue: {
    operands: ['x'],
    emit: (e, [x], attrs) => {
      const above = e.emit(opcode.max, x!, e.constant(attrs['clipValueMin'] as number));
      return e.emit(opcode.min, above, e.constant(attrs['clipValueMax'] as number));
    },
    cheap: true,
  },
  'orbit.ReluGrad': { operands: ['dy', 'y'], emit: (e, [dy, y]) => e.emit(opcode.reluGrad, dy!, y!), cheap: true },
  Select: { operands: ['condition', 't', 'e'], emit: (e, [c, t, f]) => e.emit(opcode.select, c!, t!, f!), cheap: true },
  AddN: { operands: [], emit: (e, terms) => terms.reduce((a, b) => e.emit(opcode.add, a, b)), cheap: true },
};

/** How a kernel is written with instructions; undefined when it is not elementwise. */
export function elementwiseForm(kernel: string, attrs: Attrs): Elementwise | undefined {
  const form = Object.hasOwn(elementwise, kernel) ? elementwise[kernel] : undefined;
  return form?.when?.(attrs) === false ? undefined : form;
}
