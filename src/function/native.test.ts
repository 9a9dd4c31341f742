import * as tf from '#tf';
import fc from 'fast-check';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { compile } from './index.js';
import { check, gradients, type Op } from './kernels/agree.testing.js';
import { nativeLibrary } from './runtime/native.js';

const native = nativeLibrary(true);
/** Why the tests below are left out where they are. */
const reason = native === undefined ? ' (no native kernels here)' : '';

/** Compares an op by native kernels with ONNX Runtime's own operators and with eager tfjs, to `tolerance` of the largest element. */
function same(op: Op, inputs: tf.Tensor[], kernels: RegExp, tolerance = 2e-5): void {
  const list = (...xs: tf.Tensor[]): tf.Tensor[] => [op(...xs)].flat();
  const step = compile(list);
  const plain = compile(list, { nativeKernels: false });
  const got = step.runSync(...inputs);
  const expected = [plain.runSync(...inputs), list(...inputs)];
  expect(
    step
      .profile(...inputs)
      .rows.map((r) => r.op)
      .join(),
  ).toMatch(kernels);
  expect(
    plain
      .profile(...inputs)
      .rows.map((r) => r.op)
      .join(),
  ).not.toMatch(/Fused\b|Grad/);
  const again = step.runSync(...inputs);
  got.forEach((y, i) => {
    expect(again[i]!.dataSync()).toEqual(y.dataSync());
    for (const other of expected) {
      const [a, b] = [numbers(y), numbers(other[i]!)];
      expect(y.shape).toEqual(other[i]!.shape);
      const scale = b.reduce((most, v) => (Number.isFinite(v) ? Math.max(most, Math.abs(v)) : most), 1e-3);
      const close = (v: number, w: number): boolean => v === w || Object.is(v, w) || Math.abs(v - w) <= tolerance * scale;
      const off = a.findIndex((v, k) => !close(v, b[k]!));
      if (off >= 0) expect.fail(`result ${i} of shape [${y.shape.join()}]: element ${off} is ${a[off]}, not ${b[off]}`);
    }
  });
  step.dispose();
  plain.dispose();
}

const numbers = (x: tf.Tensor): Float32Array => x.dataSync<'float32'>() as Float32Array;

const randomImage = (shape: number[], seed = 1): tf.Tensor => tf.randomNormal(shape, 0, 1, 'float32', seed);

describe.skipIf(native === undefined)(`fused native kernels${reason}`, () => {
  const images = fc.tuple(
    fc.integer({ min: 1, max: 4 }),
    fc.integer({ min: 1, max: 9 }),
    fc.integer({ min: 2, max: 9 }),
    fc.integer({ min: 2, max: 40 }),
  );

  it('compute chains with broadcast vectors, rows and scalars as the separate kernels do', () => {
    check(images, 12, ([n, h, w, c]) => {
      const x = randomImage([n * h, w, c]);
      const vector = randomImage([c], 2);
      const perRow = randomImage([n * h, w, 1], 3);
      same(
        (a, v, r) => {
          const y = a!.mul(v!).add(r!).sub(0.5);
          return [
            tf.relu(y),
            tf.sigmoid(y).mul(tf.tanh(a!)),
            tf.where(y.greater(a!), y.square(), tf.erf(a!)),
            y.abs().add(1).sqrt().log().exp(),
          ];
        },
        [x, vector, perRow],
        /Fused/,
      );
    });
  });

  it('sum over channels, rows and everything', () => {
    check(images, 12, ([n, h, w, c]) => {
      const x = randomImage([n * h, w, c]);
      same(
        (a) => [
          a!.square().sum([0, 1]),
          a!.abs().mean(),
          a!.mul(2).sum(-1),
          tf.softmax(a!.mul(3)),
          tf.logSoftmax(a!.add(1)),
          a!.sub(a!.max(-1, true)),
        ],
        [x],
        /Fused/,
      );
    });
  });

  it('normalise batches and layers, forward and backward', () => {
    check(images, 6, ([n, h, w, c]) => {
      const batchNorm = (a: tf.Tensor, scale: tf.Tensor, offset: tf.Tensor): tf.Tensor => {
        const { mean, variance } = tf.moments(a, [0, 1]);
        const vectors = [mean, variance, offset, scale] as tf.Tensor1D[];
        return tf.relu(tf.batchNorm(a as tf.Tensor3D, vectors[0]!, vectors[1]!, vectors[2], vectors[3], 0.01));
      };
      const layerNorm = (a: tf.Tensor, scale: tf.Tensor): tf.Tensor => {
        const { mean, variance } = tf.moments(a, -1, true);
        return a.sub(mean).div(variance.add(0.01).sqrt()).mul(scale);
      };
      const inputs = [randomImage([n * h + 1, w, c]), randomImage([c], 2)];
      same(gradients(batchNorm as (...xs: tf.Tensor[]) => tf.Tensor), [...inputs, randomImage([c], 3)], /Fused/, 2e-4);
      same(gradients(layerNorm as (...xs: tf.Tensor[]) => tf.Tensor), inputs, /Fused/, 2e-4);
    });
  });

  it('sum large tensors to the same bits each time, and closer than float32 sums do', () => {
    const x = tf.randomUniform([300_000], 0, 1, 'float32', 3);
    const exact = numbers(x).reduce((a, b) => a + b, 0);
    const step = compile((a: tf.Tensor) => a.mul(1).sum());
    const [first, second] = [step.runSync(x).dataSync()[0]!, step.runSync(x).dataSync()[0]!];
    expect(first).toBe(second);
    expect(Math.abs(first - exact) / exact).toBeLessThan(1e-6);
  });

  it('keep NaN and infinities where tfjs keeps them', () => {
    const x = tf.tensor1d([NaN, Infinity, -Infinity, 0, -0, 90, -110, 1e-40]);
    same(
      (a) => [tf.relu(a!.add(0)), tf.exp(a!.mul(1)), tf.tanh(a!.mul(1)), tf.maximum(a!.mul(1), 1), tf.step(a!.mul(1)), tf.log(a!.abs())],
      [tf.tile(x, [16])],
      /Fused/,
    );
  });

  it('leave the portable model as it is', () => {
    const step = compile((a: tf.Tensor) => tf.relu(a.mul(2).add(1)));
    const text = Buffer.from(step.toOnnx(tf.ones([64, 64]))).toString('latin1');
    expect(text).toMatch(/Relu/);
    expect(text).not.toMatch(/orbit\.Fused|Fused/);
  });
});

describe.skipIf(!native?.ops.has('Conv'))(`native convolutions${reason}`, () => {
  const geometry = fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    size: fc.integer({ min: 5, max: 12 }),
    ci: fc.constantFrom(1, 3, 8, 16, 20),
    co: fc.constantFrom(1, 5, 8, 16, 24),
    k: fc.constantFrom(2, 3, 5),
    stride: fc.constantFrom(1, 2),
    dilation: fc.constantFrom(1, 2),
    pad: fc.constantFrom('same' as const, 'valid' as const),
  });
  const possible = geometry.filter((c) => (c.stride === 1 || c.dilation === 1) && (c.k - 1) * c.dilation + 1 <= c.size);

  it('agree with ONNX Runtime and tfjs in both directions', () => {
    check(possible, 25, ({ n, size, ci, co, k, stride, dilation, pad }) => {
      const op = (x: tf.Tensor, f: tf.Tensor): tf.Tensor => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, pad, 'NHWC', dilation);
      const inputs = [randomImage([n, size, size + 1, ci]), randomImage([k, k, ci, co], 2)];
      same((x, f) => op(x!, f!), inputs, /Conv/, 1e-4);
      // tfjs has no gradients of dilated convolutions.
      if (dilation === 1) same(gradients(op as (...xs: tf.Tensor[]) => tf.Tensor), inputs, /ConvInputGrad|ConvFilterGrad/, 1e-4);
    });
  });

  it('agree for dense 3×3 windows of any size, with bias and relu, at any border', () => {
    const windows = fc.record({
      // At least 48 tiles of 2×2 pixels: those are Winograd's.
      n: fc.constant(6),
      height: fc.integer({ min: 7, max: 8 }),
      width: fc.integer({ min: 7, max: 9 }),
      ci: fc.constantFrom(16, 24),
      co: fc.constantFrom(16, 40),
      pad: fc.constantFrom('same' as const, 'valid' as const, 2),
    });
    check(windows, 6, ({ n, height, width, ci, co, pad }) => {
      const op = (x: tf.Tensor, f: tf.Tensor, b: tf.Tensor): tf.Tensor =>
        tf.fused.conv2d({ x: x as tf.Tensor4D, filter: f as tf.Tensor4D, strides: 1, pad, bias: b, activation: 'relu' });
      const inputs = [randomImage([n, height, width, ci]), randomImage([3, 3, ci, co], 2), randomImage([co], 3)];
      same((x, f, b) => op(x!, f!, b!), inputs, /Conv/, 1e-5);
      const plain = (x: tf.Tensor, f: tf.Tensor): tf.Tensor => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 1, pad);
      same(gradients(plain as (...xs: tf.Tensor[]) => tf.Tensor), inputs.slice(0, 2), /ConvInputGrad|ConvFilterGrad/, 1e-5);
    });
  });

  it('agree for strided 1×1 filters that leave out the last pixels', () => {
    for (const channels of [3, 6, 16]) {
      const op = (x: tf.Tensor, f: tf.Tensor): tf.Tensor => tf.conv2d(x as tf.Tensor4D, f as tf.Tensor4D, 2, 'valid');
      const inputs = [randomImage([6, 10, 12, channels]), randomImage([1, 1, channels, 8], 2)];
      same(gradients(op as (...xs: tf.Tensor[]) => tf.Tensor), inputs, /Conv/, 2e-5);
    }
  });

  it('agree for depthwise and 3-D convolutions and transposed ones', () => {
    check(possible, 12, ({ n, size, ci, k, stride, pad }) => {
      const depthwise = (x: tf.Tensor, f: tf.Tensor): tf.Tensor => tf.depthwiseConv2d(x as tf.Tensor4D, f as tf.Tensor4D, stride, pad);
      same(
        gradients(depthwise as (...xs: tf.Tensor[]) => tf.Tensor),
        [randomImage([n, size, size, ci]), randomImage([k, k, ci, 2], 2)],
        /Conv/,
        1e-4,
      );
      const space = (x: tf.Tensor, f: tf.Tensor): tf.Tensor => tf.conv3d(x as tf.Tensor5D, f as tf.Tensor5D, stride, pad);
      // Not all of its gradients have a fast native form.
      const both = (...xs: tf.Tensor[]): tf.Tensor[] => [
        space(xs[0]!, xs[1]!),
        ...[gradients(space as (...xs: tf.Tensor[]) => tf.Tensor)(...xs)].flat(),
      ];
      same(both, [randomImage([1, 5, 5, 6, 4]), randomImage([2, 2, 2, 4, 8], 2)], /Conv/, 1e-4);
      const transpose = (x: tf.Tensor, f: tf.Tensor): tf.Tensor =>
        tf.conv2dTranspose(x as tf.Tensor4D, f as tf.Tensor4D, [n, size * stride, size * stride, 8], stride, 'same');
      same((x, f) => transpose(x!, f!), [randomImage([n, size, size, ci]), randomImage([k, k, 8, ci], 2)], /Conv/, 1e-4);
    });
  });

  it('pool and un-pool as tfjs does, ties included', () => {
    check(possible, 15, ({ n, size, co, k, stride, pad }) => {
      const x = randomImage([n, size, size + 1, co])
        .mul(2)
        .round(); // many equal elements
      const max = (a: tf.Tensor): tf.Tensor => tf.maxPool(a as tf.Tensor4D, k, stride, pad);
      const average = (a: tf.Tensor): tf.Tensor => tf.avgPool(a as tf.Tensor4D, k, stride, pad);
      same((a) => [max(a!), average(a!)], [x], /MaxPool.*AvgPool|AvgPool.*MaxPool/);
      same(gradients(max as (...xs: tf.Tensor[]) => tf.Tensor), [x], /MaxPoolGrad/);
      same(gradients(average as (...xs: tf.Tensor[]) => tf.Tensor), [x], /AvgPoolGrad/);
    });
  });
});

describe.skipIf(!native?.ops.has('MaxPool3D'))(`native poolings of spaces${reason}`, () => {
  const geometry = fc.record({
    n: fc.integer({ min: 1, max: 3 }),
    depth: fc.integer({ min: 2, max: 6 }),
    size: fc.integer({ min: 3, max: 7 }),
    channels: fc.constantFrom(1, 3, 8, 17),
    k: fc.constantFrom(1, 2, 3),
    stride: fc.constantFrom(1, 2, 3),
    pad: fc.constantFrom('same' as const, 'valid' as const),
  });
  const possible = geometry.filter((c) => c.k <= c.depth && c.k <= c.size);

  it('pool and un-pool as tfjs does, ties included', () => {
    check(possible, 10, ({ n, depth, size, channels, k, stride, pad }) => {
      const x = randomImage([n, depth, size, size + 1, channels])
        .mul(2)
        .round(); // many equal elements
      const max = (a: tf.Tensor): tf.Tensor => tf.maxPool3d(a as tf.Tensor5D, k, stride, pad);
      const average = (a: tf.Tensor): tf.Tensor => tf.avgPool3d(a as tf.Tensor5D, k, stride, pad);
      same((a) => [max(a!), average(a!)], [x], /MaxPool3D.*AvgPool3D|AvgPool3D.*MaxPool3D/);
      same(gradients(max as (...xs: tf.Tensor[]) => tf.Tensor), [x], /MaxPool3DGrad/);
      same(gradients(average as (...xs: tf.Tensor[]) => tf.Tensor), [x], /AvgPool3DGrad/);
    });
  });
});

describe('the switch of native kernels', () => {
  afterEach(() => vi.unstubAllEnvs());

  it('turns them off for a function, and for the process by ORBIT_NATIVE_KERNELS=0', () => {
    expect(nativeLibrary(false)).toBeUndefined();
    vi.stubEnv('ORBIT_NATIVE_KERNELS', '0');
    expect(nativeLibrary(true)).toBeUndefined();
    vi.stubEnv('ORBIT_NATIVE_KERNELS', 'maybe');
    expect(() => nativeLibrary(true)).toThrow(/ORBIT_NATIVE_KERNELS is "maybe"/);
  });

  it('takes true and false alone', () => {
    expect(() => compile(() => tf.scalar(1), { nativeKernels: 'no' as never })).toThrow(/nativeKernels must be true or false, but is no/);
  });
});
