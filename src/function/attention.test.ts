import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from './index.js';
import { check, gradients, type Op } from './kernels/agree.testing.js';
import { nativeLibrary } from './runtime/native.js';
import { Session } from './runtime/session.js';
import type { OnnxAttribute } from './graph/onnx.js';

const native = nativeLibrary(true);
const reason = native?.ops.has('AttentionGrad') ? '' : ' (no native kernels here)';

const random = (shape: number[], seed: number, scale = 1): tf.Tensor => tf.randomNormal(shape, 0, scale, 'float32', seed);

/** -1e9 above the diagonal. */
function causal(rows: number, keys: number): tf.Tensor {
  const data = Float32Array.from({ length: rows * keys }, (_, i) => (i % keys > Math.floor(i / keys) + keys - rows ? -1e9 : 0));
  return tf.tensor2d(data, [rows, keys]);
}

/** Runs an op with native kernels, with ONNX Runtime's alone and eagerly; gives the ops that ran natively. */
function agree(op: Op, inputs: tf.Tensor[], tolerance = 1e-5): string[] {
  const list = (...xs: tf.Tensor[]): tf.Tensor[] => [op(...xs)].flat();
  const step = compile(list);
  const plain = compile(list, { nativeKernels: false });
  const got = step.runSync(...inputs);
  const again = step.runSync(...inputs);
  for (const expected of [plain.runSync(...inputs), list(...inputs)])
    got.forEach((y, i) => {
      const [a, b] = [y.dataSync<'float32'>(), expected[i]!.dataSync<'float32'>()];
      expect(again[i]!.dataSync()).toEqual(a);
      expect(y.shape).toEqual(expected[i]!.shape);
      const scale = b.reduce((most, v) => Math.max(most, Math.abs(v)), 1e-3);
      const off = a.findIndex((v, k) => !(Object.is(v, b[k]) || Math.abs(v - b[k]!) <= tolerance * scale));
      if (off >= 0) expect.fail(`result ${i} of shape [${y.shape.join()}]: element ${off} is ${a[off]}, not ${b[off]}`);
    });
  const ops = step.profile(...inputs).rows.map((r) => r.op);
  step.dispose();
  plain.dispose();
  return ops;
}

/** An op's result and its gradients. */
function both(op: Op): Op {
  const gradient = gradients(op as (...xs: tf.Tensor[]) => tf.Tensor);
  return (...xs) => [op(...xs), gradient(...xs)].flat();
}

/** softmax(q · kᵀ / √width + mask) · v over heads that lie side by side in one matrix. */
function selfAttention(batch: number, length: number, heads: number, mask: tf.Tensor | undefined): Op {
  return (x, w) => {
    const width = w!.shape[1]! / 3;
    const split = (y: tf.Tensor): tf.Tensor => y.reshape([batch, length, heads, width / heads]).transpose([0, 2, 1, 3]);
    const [q, k, v] = tf.split(tf.matMul(x!, w!), 3, -1).map(split) as [tf.Tensor, tf.Tensor, tf.Tensor];
    const scores = tf.matMul(q, k, false, true).mul(1 / Math.sqrt(width / heads));
    const weights = tf.softmax(mask === undefined ? scores : scores.add(mask));
    return tf
      .matMul(weights, v)
      .transpose([0, 2, 1, 3])
      .reshape([batch * length, width]);
  };
}

describe.skipIf(!native?.ops.has('AttentionGrad'))(`native attention${reason}`, () => {
  const sizes = fc.record({
    batch: fc.integer({ min: 1, max: 3 }),
    heads: fc.integer({ min: 4, max: 5 }),
    length: fc.integer({ min: 1, max: 30 }),
    width: fc.integer({ min: 1, max: 36 }),
    masked: fc.boolean(),
  });

  it('computes heads inside one matrix, and its gradient, as the separate kernels do', () => {
    check(sizes, 4, ({ batch, heads, length, width, masked }) => {
      const op = selfAttention(batch, length, heads, masked ? causal(length, length) : undefined);
      const inputs = [random([batch * length, 20], 1), random([20, 3 * heads * width], 2, 0.3)];
      expect(agree(op, inputs)).toContain('Attention');
      expect(agree(both(op), inputs, 3e-5)).toEqual(expect.arrayContaining(['Attention', 'AttentionGrad']));
    });
  });

  it('takes queries of another number than keys, values of another width, and masks that are broadcast', () => {
    const shapes = fc.record({
      rows: fc.integer({ min: 1, max: 30 }),
      keys: fc.integer({ min: 2, max: 50 }),
      width: fc.integer({ min: 1, max: 20 }),
      valueWidth: fc.integer({ min: 1, max: 40 }),
      mask: fc.constantFrom('row', 'batch', 'head', 'full'),
      flat: fc.boolean(),
    });
    check(shapes, 6, ({ rows, keys, width, valueWidth, mask, flat }) => {
      const lead = flat ? [6] : [2, 3];
      const masks = { row: [keys], batch: flat ? [6, 1, keys] : [2, 1, 1, keys], head: flat ? [6, rows, keys] : [3, rows, keys] };
      const shape = mask === 'full' ? [...lead, rows, keys] : masks[mask as keyof typeof masks];
      const op: Op = (q, k, v, m) => tf.matMul(tf.softmax(tf.matMul(q!, k!, false, true).div(3).add(m!)), v!);
      const inputs = [
        random([...lead, rows, width], 1),
        random([...lead, keys, width], 2),
        random([...lead, keys, valueWidth], 3),
        random(shape, 4, 2),
      ];
      const mine: Op = (q, k, v) => op(q!, k!, v!, inputs[3]!);
      expect(agree(both(mine), inputs.slice(0, 3), 3e-5)).toEqual(expect.arrayContaining(['Attention', 'AttentionGrad']));
    });
  });

  it('leaves out keys behind a mask only where the scores cannot reach them', () => {
    // Scores of up to ±1e5 outweigh a mask of -1e4.
    const mask = tf.mul(causal(24, 24), 1e-5);
    const op: Op = (q, k, v) => tf.matMul(tf.softmax(tf.matMul(q!, k!, false, true).add(mask)), v!);
    const inputs = [random([1, 4, 24, 8], 1, 100), random([1, 4, 24, 8], 2, 100), random([1, 4, 24, 8], 3)];
    expect(agree(op, inputs)).toContain('Attention');
    expect(agree(op, [random([1, 4, 24, 8], 1), random([1, 4, 24, 8], 2), inputs[2]!])).toContain('Attention');
  });

  it('gives NaN where eager does', () => {
    const minusInfinity = tf.tensor1d([-Infinity, -Infinity, -Infinity]);
    const op: Op = (q, k, v) => tf.matMul(tf.softmax(tf.matMul(q!, k!, false, true).add(minusInfinity)), v!);
    const inputs = [random([1, 4, 2, 3], 1), random([1, 4, 3, 3], 2), random([1, 4, 3, 3], 3)];
    expect(agree(op, inputs)).toContain('Attention');
  });

  it('serves only where nothing else needs the weights or the scores', () => {
    const inputs = [random([1, 4, 9, 8], 1), random([1, 4, 9, 8], 2), random([1, 4, 9, 8], 3)];
    const weights: Op = (q, k) => tf.softmax(tf.matMul(q!, k!, false, true));
    expect(agree((q, k, v) => [tf.matMul(weights(q!, k!) as tf.Tensor, v!), weights(q!, k!)].flat(), inputs)).not.toContain('Attention');
    const kept = random([1, 4, 9, 9], 5);
    const dropped: Op = (q, k, v) => tf.matMul((weights(q!, k!) as tf.Tensor).mul(kept), v!);
    expect(agree(both(dropped), inputs, 3e-5)).not.toContain('Attention');
    const scaled: Op = (q, k, v) => tf.matMul(tf.softmax(tf.matMul(q!, k!, false, true).square()), v!);
    expect(agree(both(scaled), inputs, 3e-5)).not.toContain('Attention');
  });

  it('stays out of the portable model', () => {
    const step = compile((x: tf.Tensor, w: tf.Tensor) => selfAttention(1, 8, 4, undefined)(x, w));
    const text = Buffer.from(step.toOnnx(random([8, 6], 1), random([6, 48], 2))).toString('latin1');
    expect(text).toMatch(/Softmax/);
    expect(text).not.toMatch(/Attention/);
    step.dispose();
  });

  it('refuses shapes that do not fit, with its name and theirs', () => {
    const matrix = [0, 0, 32, 8, 2];
    const attributes = {
      dims: [1, 4, 4, 4, 2, 2],
      views: [...matrix, ...matrix, ...matrix, -1, 0, 0, 0, 0, ...matrix],
      alpha: { floats: [1] },
      shapes: [4, 1, 4, 4, 2, 4, 1, 4, 4, 2],
    };
    const open = (change: Record<string, OnnxAttribute>): Session =>
      new Session({
        name: 'wrong',
        inputs: [{ name: 'x', type: 'float32', shape: [1, 4, 4, 2] }],
        outputs: [{ name: 'y', type: 'float32', shape: [1, 4, 4, 2] }],
        initializers: [],
        nodes: [
          {
            op: 'Attention',
            domain: 'orbit',
            inputs: ['x'],
            outputs: ['y', 'statistics'],
            attributes: { ...attributes, ...change } as never,
            label: 'Softmax/Attention_1',
          },
        ],
      });
    open({}).close();
    expect(() => open({ dims: [1, 4, 4, 4, 2] })).toThrow(/orbit\.Attention: node Softmax\/Attention_1: .* dims \[1,4,4,4,2\]/);
    expect(() => open({ views: matrix })).toThrow(/views is cut off/);
    expect(() => open({ dims: [1, 4, 4, 4, 2, 9] })).toThrow(/result: \[1,4,4,9\] do not lie in a tensor of 32 elements/);
    expect(() => open({ shapes: [4, 1, 4, 4, 2, 1, 3] })).toThrow(/shapes \[1,4,4,2\] and \[3\]/);
  });
});
