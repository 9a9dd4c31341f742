/** Matrix products. */
import { sizeOf } from '../dtype.js';
import type { Attrs, Value } from '../graph/ir.js';
import { rows, type Lowering } from '../graph/lowering.js';
import { activate, activationNames } from './activation.js';
import { defineKernels, type KernelSpecs } from './define.js';
import { broadcastShapes } from './elementwise.js';

function productShape({ a, b }: KernelSpecs, { transposeA, transposeB }: Attrs): number[] {
  const [sa, sb] = [a!.shape, b!.shape];
  const [m, k] = (transposeA ? [sa.at(-1), sa.at(-2)] : [sa.at(-2), sa.at(-1)]) as [number, number];
  const [k2, n] = (transposeB ? [sb.at(-1), sb.at(-2)] : [sb.at(-2), sb.at(-1)]) as [number, number];
  if (k !== k2) throw new Error(`the inner dimensions ${k} and ${k2} of [${sa.join(',')}] and [${sb.join(',')}] differ`);
  return [...broadcastShapes(sa.slice(0, -2), sb.slice(0, -2)), m, n];
}

function product(g: Lowering, a: Value, b: Value, { transposeA, transposeB }: Attrs, shape: readonly number[]): string {
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
  if (sizeOf(a.shape.slice(0, -2)) === 1 && sizeOf(b.shape.slice(0, -2)) === 1) {
    // Gemm takes the transposes at no cost.
    const matrix = (v: Value): string => (v.shape.length === 2 ? g.rows(v) : g.reshape(g.rows(v), v.shape.slice(-2)));
    const out = g.op('Gemm', [matrix(a), matrix(b)], flags);
    return shape.length === 2 ? out : g.reshape(out, shape);
  }
  if (!transposeA && !transposeB) return g.op('MatMul', [g.rows(a), g.rows(b)]);
  return g.op('FusedMatMul', [g.rows(a), g.rows(b)], flags, 'com.microsoft');
}

/** ONNX Runtime has no integer matrix product for tfjs's int32: compute in float32, as tfjs's own cpu kernel does. */
function asFloat(v: Value): void {
  if (v.dtype !== 'float32') throw new Error(`matrix products of dtype ${v.dtype} cannot be compiled; cast to float32`);
}

defineKernels(
  {
    kernel: 'BatchMatMul',
    form: 'Gemm for one pair of matrices, MatMul / FusedMatMul for batches',
    infer: (inputs, attrs) => {
      asFloat(inputs['a'] as Value);
      return { dtype: 'float32', shape: productShape(inputs, attrs) };
    },
    lower: (g, { a, b }, attrs, call) => rows(product(g, a!, b!, attrs, call.outputs[0]!.shape)),
  },
  {
    kernel: '_FusedMatMul',
    form: 'as BatchMatMul, then Add and the activation',
    infer: (inputs, attrs) => {
      asFloat(inputs['a'] as Value);
      activationNames.check(attrs['activation']);
      return { dtype: 'float32', shape: productShape(inputs, attrs) };
    },
    lower: (g, { a, b, bias, preluActivationWeights }, attrs, call) => {
      let out = product(g, a!, b!, attrs, call.outputs[0]!.shape);
      if (bias !== undefined) out = g.op('Add', [out, g.rows(bias)]);
      return rows(activate(g, out, attrs, preluActivationWeights && g.rows(preluActivationWeights)));
    },
  },
);
