import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './index.js';
import { check } from './kernels/agree.testing.js';
import { nativeLibrary } from './runtime/native.js';

const native = nativeLibrary(true);
const reason = native?.ops.has('TransposedProduct') ? '' : ' (no native kernels here)';

const random = (shape: [number, number], seed: number): tf.Tensor2D => tf.randomNormal(shape, 0, 1, 'float32', seed);
const numbers = (x: tf.Tensor): Float32Array => x.dataSync<'float32'>() as Float32Array;

/** Σ over rows of x[row, i] · y[row, j], in float64. */
function exact(x: tf.Tensor2D, y: tf.Tensor2D): Float64Array {
  const [[rows, m], n, a, b] = [x.shape, y.shape[1], numbers(x), numbers(y)];
  const out = new Float64Array(m * n);
  for (let r = 0; r < rows; r++) for (let i = 0; i < m; i++) for (let j = 0; j < n; j++) out[i * n + j]! += a[r * m + i]! * b[r * n + j]!;
  return out;
}

describe.skipIf(!native?.ops.has('TransposedProduct'))(`native products of tall matrices${reason}`, () => {
  const product = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor2D => tf.matMul(x, y, true, false);
  const sizes = fc.record({
    rows: fc.integer({ min: 512, max: 1100 }),
    m: fc.integer({ min: 16, max: 50 }),
    n: fc.integer({ min: 16, max: 70 }),
  });

  it('are the exact sums to rounding, the same bits each time', () => {
    check(sizes, 8, ({ rows, m, n }) => {
      const [x, y] = [random([rows, m], 1), random([rows, n], 2)];
      const step = compile(product);
      const got = step.runSync(x, y);
      expect(got.shape).toEqual([m, n]);
      expect(step.profile(x, y).rows.map((r) => r.op)).toContain('TransposedProduct');
      expect(numbers(step.runSync(x, y))).toEqual(numbers(got));
      const [a, b] = [numbers(got), exact(x, y)];
      expect(a.findIndex((v, i) => Math.abs(v - b[i]!) > 1e-5 * Math.sqrt(rows))).toBe(-1);
      step.dispose();
    });
  });

  it('cover results of more than one block', () => {
    const [x, y] = [random([520, 530], 1), random([520, 1030], 2)];
    const [step, plain] = [compile(product), compile(product, { nativeKernels: false })];
    const [a, b] = [numbers(step.runSync(x, y)), numbers(plain.runSync(x, y))];
    expect(a.length).toBe(530 * 1030);
    expect(a.findIndex((v, i) => Math.abs(v - b[i]!) > 2e-4)).toBe(-1);
  });

  it('leave short sums, other transposes and integers to ONNX Runtime', () => {
    const ops = (fn: (x: tf.Tensor2D, y: tf.Tensor2D) => tf.Tensor, x: tf.Tensor2D, y: tf.Tensor2D): string[] =>
      compile(fn)
        .profile(x, y)
        .rows.map((r) => r.op);
    expect(ops(product, random([100, 32], 1), random([100, 32], 2))).not.toContain('TransposedProduct');
    expect(ops((x, y) => tf.matMul(x, y, false, true), random([20, 600], 1), random([20, 600], 2))).not.toContain('TransposedProduct');
    expect(ops(product, tf.ones([600, 20], 'int32'), tf.ones([600, 20], 'int32'))).not.toContain('TransposedProduct');
  });

  it('take over a scaling, and bear NaN', () => {
    const x = random([600, 16], 1);
    const y = tf.concat([random([599, 16], 2), tf.fill([1, 16], NaN)]) as tf.Tensor2D;
    const step = compile((a: tf.Tensor2D, b: tf.Tensor2D) => product(a, b).mul(0.5));
    expect(numbers(step.runSync(x, x))[0]).toBeCloseTo(exact(x, x)[0]! / 2, 2);
    expect(numbers(step.runSync(x, y)).every(Number.isNaN)).toBe(true);
  });
});
