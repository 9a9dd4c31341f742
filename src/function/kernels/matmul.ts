/** Matrix products. */
import { sizeOf } from '../dtype.js';
import type { Attrs, Value } from '../graph/ir.js';
import { rows, type Lowering } from '../graph/lowering.js';
import type { OnnxAttribute } from '../graph/onnx.js';
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

/** `alpha`, which the productScale pass writes, scales the product. */
function product(g: Lowering, a: Value, b: Value, { transposeA, transposeB, alpha }: Attrs, shape: readonly number[]): string {
  const flags = { transA: transposeA ? 1 : 0, transB: transposeB ? 1 : 0 };
  const attributes: Record<string, OnnxAttribute> = alpha === undefined ? flags : { ...flags, alpha: { float: alpha as number } };
  if (a.dtype !== 'float32') return integerProduct(g, a, b, flags);
  if (sizeOf(a.shape.slice(0, -2)) === 1 && sizeOf(b.shape.slice(0, -2)) === 1) {
    // Gemm takes the transposes at no cost.
    const matrix = (v: Value): string => (v.shape.length === 2 ? g.rows(v) : g.reshape(g.rows(v), v.shape.slice(-2)));
    const operands = [matrix(a), matrix(b)];
    const out = transposedProduct(g, operands, a, b, flags, alpha as number | undefined) ?? g.op('Gemm', operands, attributes);
    return shape.length === 2 ? out : g.reshape(out, shape);
  }
  if (!transposeA && !transposeB && alpha === undefined) return g.op('MatMul', [g.rows(a), g.rows(b)]);
  return g.op('FusedMatMul', [g.rows(a), g.rows(b)], attributes, 'com.microsoft');
}

/** Below these sizes ONNX Runtime's product of a transposed matrix is as fast as the native kernel. */
const LEAST_SUM = 512;
const LEAST_SIDE = 16;

/** aᵀ · b of tall matrices, the gradient by a layer's weights, by the native kernel; undefined where ONNX Runtime's serves. */
function transposedProduct(
  g: Lowering,
  operands: string[],
  a: Value,
  b: Value,
  { transA, transB }: { transA: number; transB: number },
  alpha = 1,
): string | undefined {
  const [k, m] = a.shape.slice(-2) as [number, number];
  const n = b.shape.at(-1)!;
  if (!g.native.has('TransposedProduct') || !transA || transB || k < LEAST_SUM || Math.min(m, n) < LEAST_SIDE) return undefined;
  return g.op('TransposedProduct', operands, { dims: [k, m, n], alpha: { floats: [alpha] }, shapes: [2, m, n] }, 'orbit');
}

/** Gemm and FusedMatMul take floats only. Truth values are multiplied as integers; their sum counts as true unless it is 0. */
function integerProduct(g: Lowering, a: Value, b: Value, { transA, transB }: { transA: number; transB: number }): string {
  const operand = (v: Value, transposed: number): string => {
    const name = v.dtype === 'int32' ? g.rows(v) : g.cast(g.rows(v), 'int32');
    const axes = [...v.shape.keys()];
    return transposed ? g.transpose(name, [...axes.slice(0, -2), axes.at(-1)!, axes.at(-2)!]) : name;
  };
  const out = g.op('MatMul', [operand(a, transA), operand(b, transB)]);
  return a.dtype === 'int32' ? out : g.cast(out, a.dtype);
}

defineKernels(
  {
    kernel: 'BatchMatMul',
    form: 'Gemm for one pair of matrices (native: aᵀ · b of tall ones), MatMul / FusedMatMul for batches; Transpose and MatMul for int32 and bool',
    infer: (inputs, attrs) => {
      return { dtype: inputs['a']!.dtype, shape: productShape(inputs, attrs) };
    },
    lower: (g, { a, b }, attrs, call) => rows(product(g, a!, b!, attrs, call.outputs[0]!.shape)),
  },
  {
    kernel: '_FusedMatMul',
    form: 'as BatchMatMul, then Add and the activation',
    limits: 'for int32 only relu as activation',
    infer: (inputs, attrs) => {
      activationNames.check(attrs['activation']);
      const { dtype } = inputs['a']!;
      if (dtype !== 'float32' && !['linear', 'relu'].includes((attrs['activation'] as string | null | undefined) ?? 'linear')) {
        throw new Error(
          `the activation "${String(attrs['activation'])}" cannot be fused into a product of dtype ${dtype}; call it on its own`,
        );
      }
      return { dtype, shape: productShape(inputs, attrs) };
    },
    lower: (g, { a, b, bias, preluActivationWeights }, attrs, call) => {
      let out = product(g, a!, b!, attrs, call.outputs[0]!.shape);
      if (bias !== undefined) out = g.op('Add', [out, g.rows(bias)]);
      return rows(activate(g, out, attrs, preluActivationWeights && g.rows(preluActivationWeights)));
    },
  },
);
