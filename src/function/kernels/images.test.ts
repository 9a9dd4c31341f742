import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { compile } from '../index.js';
import { check as checkWithSeed } from './agree.testing.js';

/** Compares a compiled function with eager tfjs: shapes, dtypes, values to a relative 1e-5. */
function agree(f: (...xs: tf.Tensor[]) => tf.Tensor | tf.Tensor[], ...xs: tf.Tensor[]): void {
  let expected: tf.Tensor | tf.Tensor[];
  try {
    expected = f(...xs);
  } catch (error) {
    // What tfjs refuses, the compiler refuses too.
    expect(() => compile(f).runSync(...xs), String(error)).toThrow();
    return;
  }
  const got = compile(f).runSync(...xs);
  const [eager, compiled] = [expected, got].map((out) => (Array.isArray(out) ? out : [out])) as [tf.Tensor[], tf.Tensor[]];
  eager.forEach((e, i) => {
    const c = compiled[i]!;
    expect([c.dtype, c.shape]).toEqual([e.dtype, e.shape]);
    const [a, b] = [e.dataSync(), c.dataSync()];
    const scale = Math.max(1, ...Array.from(a, (x) => (Number.isFinite(x) ? Math.abs(x) : 0)));
    a.forEach((x, j) => {
      const y = b[j]!;
      const same = Object.is(x, y) || x === y || Math.abs(x - y) <= 1e-5 * scale;
      if (!same) expect.fail(`element ${j} of output ${i}: eager ${x}, compiled ${y}, shape [${e.shape.join()}]`);
    });
  });
}

/** A function with the gradients by its arguments beside its result, each weighted so that no two pixels have equal gradients. */
function withGradients(f: (...xs: tf.Tensor[]) => tf.Tensor): (...xs: tf.Tensor[]) => tf.Tensor[] {
  return (...xs) => {
    const weighted = (...args: tf.Tensor[]): tf.Tensor => {
      const y = f(...args);
      return y.mul(numbers(y.shape, 7)).sum();
    };
    return [f(...xs), ...tf.grads(weighted)(xs)];
  };
}

/** Numbers in [-2, 2) that depend on the position alone; multiples of 1/64, so that sums are nearly exact. */
function numbers(shape: readonly number[], seed: number, dtype: 'float32' | 'int32' = 'float32'): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  let state = seed * 2654435761 + 12345;
  const data = Array.from({ length: size }, () => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return dtype === 'int32' ? (state >>> 24) - 128 : (state >>> 24) / 64 - 2;
  });
  return tf.tensor(data, [...shape], dtype);
}

const small = fc.integer({ min: 1, max: 3 });
const size = fc.integer({ min: 1, max: 7 });
const seed = fc.integer({ min: 1, max: 1000 });
const stride = fc.integer({ min: 1, max: 3 });
const padding = fc.oneof(fc.constantFrom('same' as const, 'valid' as const), fc.integer({ min: 0, max: 3 }));
/** Strides and dilations of which one is 1, as tfjs demands. */
const steps = fc.oneof(
  fc.record({ strides: fc.tuple(stride, stride), dilations: fc.constant([1, 1] as [number, number]) }),
  fc.record({ strides: fc.constant([1, 1] as [number, number]), dilations: fc.tuple(small, small) }),
);

const check = <T>(arbitrary: fc.Arbitrary<T>, runs: number, property: (value: T) => void): void =>
  checkWithSeed(arbitrary, runs, property, 11);

/** True when a window fits into the padded image: tfjs itself goes wrong on outputs without elements. */
const fits = (image: readonly number[], kernel: readonly number[], dilations: readonly number[], pad: 'same' | 'valid' | number): boolean =>
  image.every((d, i) => pad === 'same' || d + 2 * (pad === 'valid' ? 0 : pad) >= (kernel[i]! - 1) * dilations[i]! + 1);

const gradientsExist = (dilations: readonly number[]): boolean => dilations.every((d) => d === 1);

describe('compiled image kernels agree with eager tfjs', () => {
  const conv = fc.record({
    n: small,
    image: fc.tuple(size, size),
    ci: small,
    co: small,
    kernel: fc.tuple(small, small),
    pad: padding,
    steps,
    seed,
  });

  it('in 2-D convolutions and their gradients, in both orders of axes', () => {
    check(fc.tuple(conv, fc.constantFrom('NHWC' as const, 'NCHW' as const)), 24, ([c, format]) => {
      fc.pre(fits(c.image, c.kernel, c.steps.dilations, c.pad));
      const shape = format === 'NHWC' ? [c.n, ...c.image, c.ci] : [c.n, c.ci, ...c.image];
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, c.steps.strides, c.pad, format, c.steps.dilations);
      agree(
        gradientsExist(c.steps.dilations) ? withGradients(f) : f,
        numbers(shape, c.seed),
        numbers([...c.kernel, c.ci, c.co], c.seed + 1),
      );
    });
  });

  it('in convolutions with explicit padding and with rounding modes', () => {
    const pads = fc.array(fc.integer({ min: 0, max: 2 }), { minLength: 4, maxLength: 4 });
    check(fc.tuple(conv, pads, fc.constantFrom('floor' as const, 'round' as const, 'ceil' as const)), 15, ([c, [a, b, d, e], mode]) => {
      fc.pre(fits(c.image, c.kernel, [1, 1], 'valid'));
      const explicit: tf.backend_util.ExplicitPadding = [
        [0, 0],
        [a!, b!],
        [d!, e!],
        [0, 0],
      ];
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, c.steps.strides, explicit, 'NHWC', 1, mode);
      agree(withGradients(f), numbers([c.n, ...c.image, c.ci], c.seed), numbers([...c.kernel, c.ci, c.co], c.seed + 1));
    });
  });

  it('in transposed convolutions', () => {
    check(conv, 12, (c) => {
      fc.pre(c.pad !== 'valid' || c.image.every((d, i) => d * c.steps.strides[i]! >= c.kernel[i]!));
      const out = c.image.map((d) => d * c.steps.strides[0]!) as [number, number];
      const pad = typeof c.pad === 'number' ? 'same' : c.pad;
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        tf.conv2dTranspose(x as tf.Tensor4D, w as tf.Tensor4D, [c.n, ...out, c.co], c.steps.strides[0]!, pad);
      const same = f.bind(undefined);
      agree(
        pad === 'same' ? withGradients(f) : same,
        numbers([c.n, ...c.image, c.ci], c.seed),
        numbers([...c.kernel, c.co, c.ci], c.seed + 1),
      );
    });
  });

  it('in depthwise convolutions and their gradients', () => {
    check(conv, 24, (c) => {
      fc.pre(fits(c.image, c.kernel, c.steps.dilations, c.pad));
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, c.steps.strides, c.pad, 'NHWC', c.steps.dilations);
      agree(
        gradientsExist(c.steps.dilations) ? withGradients(f) : f,
        numbers([c.n, ...c.image, c.ci], c.seed),
        numbers([...c.kernel, c.ci, c.co], c.seed + 1),
      );
    });
  });

  it('in the gradients of a depthwise convolution of a large image', () => {
    const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.depthwiseConv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
    tf.tidy(() => agree(withGradients(f), numbers([2, 21, 23, 3], 1), numbers([3, 2, 3, 2], 2)));
  });

  it('in fused convolutions with a bias and an activation', () => {
    const activation = fc.constantFrom(
      'linear' as const,
      'relu' as const,
      'relu6' as const,
      'elu' as const,
      'sigmoid' as const,
      'leakyrelu' as const,
      'prelu' as const,
    );
    check(
      fc.tuple(conv, activation, fc.boolean(), fc.boolean(), fc.constantFrom('NHWC' as const, 'NCHW' as const)),
      15,
      ([c, act, depthwise, wide, format]) => {
        fc.pre(fits(c.image, c.kernel, [1, 1], c.pad));
        const order = depthwise ? 'NHWC' : format;
        const channels = depthwise ? c.ci * c.co : c.co;
        const shape = order === 'NHWC' ? [c.n, ...c.image, c.ci] : [c.n, c.ci, ...c.image];
        const slope = order === 'NHWC' || !wide ? [channels] : [channels, 1, 1];
        const fused = depthwise ? tf.fused.depthwiseConv2d : tf.fused.conv2d;
        const f = (x: tf.Tensor, w: tf.Tensor, bias: tf.Tensor, alpha: tf.Tensor): tf.Tensor =>
          fused({
            x: x as tf.Tensor4D,
            filter: w as tf.Tensor4D,
            strides: c.steps.strides,
            pad: c.pad,
            dataFormat: order,
            bias,
            activation: act,
            ...(act === 'prelu' ? { preluActivationWeights: alpha } : {}),
            ...(act === 'leakyrelu' ? { leakyreluAlpha: 0.3 } : {}),
          });
        agree(
          f,
          numbers(shape, c.seed),
          numbers([...c.kernel, c.ci, c.co], c.seed + 1),
          numbers(wide ? [] : [channels], c.seed + 2),
          numbers(slope, c.seed + 3),
        );
      },
    );
  });

  it('in 3-D convolutions and their gradients', () => {
    const three = fc.tuple(small, small, small);
    const conv3d = fc.record({
      n: small,
      image: fc.tuple(size, small, size),
      ci: small,
      co: small,
      kernel: three,
      strides: three,
      pad: fc.constantFrom('same' as const, 'valid' as const),
      seed,
    });
    check(conv3d, 15, (c) => {
      fc.pre(fits(c.image, c.kernel, [1, 1, 1], c.pad));
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => tf.conv3d(x as tf.Tensor5D, w as tf.Tensor5D, c.strides, c.pad);
      agree(withGradients(f), numbers([c.n, ...c.image, c.ci], c.seed), numbers([...c.kernel, c.ci, c.co], c.seed + 1));
    });
  });

  it('in batch normalisation by given statistics, after a convolution and alone', () => {
    check(fc.tuple(conv, fc.boolean(), fc.boolean(), fc.boolean()), 10, ([c, convolved, scaled, offset]) => {
      const f = (x: tf.Tensor, w: tf.Tensor, m: tf.Tensor, v: tf.Tensor, s: tf.Tensor): tf.Tensor => {
        const y = convolved ? tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same') : x;
        const vectors = [m, v.square(), offset ? s : undefined, scaled ? s : undefined] as tf.Tensor1D[];
        return tf.batchNorm(y as tf.Tensor4D, vectors[0]!, vectors[1]!, vectors[2], vectors[3], 0.01);
      };
      const [vector, shape] = [[c.ci], [c.n, ...c.image, c.ci]];
      const filter = numbers([...c.kernel, c.ci, c.ci], c.seed + 1);
      agree(f, numbers(shape, c.seed), filter, numbers(vector, c.seed + 2), numbers(vector, c.seed + 3), numbers(vector, c.seed + 4));
    });
  });

  it('in pooling and its gradients', () => {
    check(fc.tuple(conv, fc.constantFrom(tf.maxPool, tf.avgPool)), 30, ([c, pool]) => {
      fc.pre(fits(c.image, c.kernel, [1, 1], c.pad));
      const f = (x: tf.Tensor): tf.Tensor => pool(x as tf.Tensor4D, c.kernel, c.steps.strides, c.pad);
      agree(withGradients(f), numbers([c.n, ...c.image, c.ci], c.seed));
    });
  });

  it('in pooling of integers, and in pooling with the positions of the maxima', () => {
    check(fc.tuple(conv, fc.boolean()), 12, ([c, withBatch]) => {
      fc.pre(fits(c.image, c.kernel, [1, 1], c.pad));
      const shape = [c.n, ...c.image, c.ci];
      agree((x) => tf.maxPool(x as tf.Tensor4D, c.kernel, c.steps.strides, c.pad), numbers(shape, c.seed, 'int32'));
      if (typeof c.pad === 'number' && c.kernel.some((k) => k <= (c.pad as number))) return; // windows of padding alone have no position
      agree(
        (x) => Object.values(tf.maxPoolWithArgmax(x as tf.Tensor4D, c.kernel, c.steps.strides, c.pad, withBatch)) as tf.Tensor[],
        numbers(shape, c.seed),
      );
    });
  });

  it('in 3-D pooling and its gradients', () => {
    const pool3d = fc.record({
      n: small,
      image: fc.tuple(size, small, size),
      ci: small,
      depth: small,
      side: small,
      strides: fc.tuple(small, small, small),
      pad: fc.oneof(fc.constantFrom('same' as const, 'valid' as const), fc.integer({ min: 0, max: 2 })),
      seed,
    });
    check(fc.tuple(pool3d, fc.constantFrom(tf.maxPool3d, tf.avgPool3d)), 18, ([c, pool]) => {
      const kernel: [number, number, number] = [c.depth, c.side, c.side];
      fc.pre(fits(c.image, kernel, [1, 1, 1], c.pad));
      const f = (x: tf.Tensor): tf.Tensor => pool(x as tf.Tensor5D, kernel, c.strides, c.pad);
      agree(withGradients(f), numbers([c.n, ...c.image, c.ci], c.seed));
    });
  });

  const resize = fc.record({
    n: small,
    from: fc.tuple(size, size),
    to: fc.tuple(size, size),
    c: small,
    corners: fc.constantFrom('none', 'align', 'half'),
    seed,
  });
  for (const [name, op, kernel] of [
    ['bilinear', tf.image.resizeBilinear, 'ResizeBilinearGrad'],
    ['nearest', tf.image.resizeNearestNeighbor, 'ResizeNearestNeighborGrad'],
  ] as const) {
    it(`in ${name} resizing`, () => {
      check(resize, 18, (r) =>
        agree((x) => op(x as tf.Tensor4D, r.to, r.corners === 'align', r.corners === 'half'), numbers([r.n, ...r.from, r.c], r.seed)),
      );
    });

    it(`in the gradient of ${name} resizing, which is the transpose of the resizing`, () => {
      check(resize, 18, (r) => {
        const attrs = {
          alignCorners: r.corners === 'align',
          halfPixelCenters: r.corners === 'half',
          size: r.to,
        } as unknown as tf.NamedAttrMap;
        const [x, dy] = [numbers([r.n, ...r.from, r.c], r.seed), numbers([r.n, ...r.to, r.c], r.seed + 1)];
        const gradient = (images: tf.Tensor, d: tf.Tensor): tf.Tensor => tf.engine().runKernel(kernel, { images, dy: d }, attrs);
        agree(gradient as (...xs: tf.Tensor[]) => tf.Tensor, x, dy);
        const dx = compile(gradient).runSync(x, dy);
        const there = op(x as tf.Tensor4D, r.to, r.corners === 'align', r.corners === 'half')
          .mul(dy)
          .sum()
          .dataSync()[0]!;
        const back = dx.mul(x).sum().dataSync()[0]!;
        expect(Math.abs(there - back)).toBeLessThanOrEqual(1e-4 * Math.max(1, dy.abs().sum().dataSync()[0]!));
      });
    });
  }

  it('in resizing by whole factors between convolutions', () => {
    check(fc.record({ image: fc.tuple(size, size), by: fc.tuple(small, small), seed }), 8, (r) => {
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor => {
        const y = tf.conv2d(x as tf.Tensor4D, w as tf.Tensor4D, 1, 'same');
        const up = tf.image.resizeNearestNeighbor(y, [r.image[0] * r.by[0], r.image[1] * r.by[1]]);
        return tf.conv2d(up, w as tf.Tensor4D, 1, 'same');
      };
      agree(withGradients(f), numbers([1, ...r.image, 2], r.seed), numbers([3, 3, 2, 2], r.seed + 1));
    });
  });

  it('in dilation and its gradients', () => {
    check(conv, 15, (c) => {
      const pad = typeof c.pad === 'number' ? 'same' : c.pad;
      fc.pre(fits(c.image, c.kernel, c.steps.dilations, pad));
      const f = (x: tf.Tensor, w: tf.Tensor): tf.Tensor =>
        tf.dilation2d(x as tf.Tensor4D, w as tf.Tensor3D, c.steps.strides, pad, c.steps.dilations);
      agree(withGradients(f), numbers([c.n, ...c.image, c.ci], c.seed), numbers([...c.kernel, c.ci], c.seed + 1));
    });
  });

  it('in local response normalisation and its gradient', () => {
    const lrn = fc.record({
      shape: fc.tuple(small, small, small, size),
      radius: fc.integer({ min: 0, max: 4 }),
      bias: fc.integer({ min: 1, max: 3 }),
      beta: fc.constantFrom(0.5, 0.75, 1),
      seed,
    });
    check(lrn, 12, (r) => {
      const f = (x: tf.Tensor): tf.Tensor => tf.localResponseNormalization(x as tf.Tensor4D, r.radius, r.bias, 0.25, r.beta);
      agree(withGradients(f), numbers(r.shape, r.seed));
    });
  });

  it('in crops of boxes', () => {
    const coordinate = fc.integer({ min: -1, max: 6 }).map((n) => n / 4);
    const crop = fc.record({
      n: small,
      image: fc.tuple(size, size),
      c: small,
      boxes: fc.array(fc.tuple(coordinate, coordinate, coordinate, coordinate), { minLength: 1, maxLength: 3 }),
      to: fc.tuple(size, size),
      method: fc.constantFrom('bilinear' as const, 'nearest' as const),
      seed,
    });
    check(crop, 18, (r) => {
      const indices = r.boxes.map((_, i) => i % (r.n + 1));
      agree(
        (x, boxes, which) => tf.image.cropAndResize(x as tf.Tensor4D, boxes as tf.Tensor2D, which as tf.Tensor1D, r.to, r.method, 0.5),
        numbers([r.n, ...r.image, r.c], r.seed),
        tf.tensor2d(r.boxes, [r.boxes.length, 4]),
        tf.tensor1d(indices, 'int32'),
      );
    });
  });

  it('in projective transforms', () => {
    const entry = fc.integer({ min: -6, max: 6 }).map((n) => n / 4);
    const transform = fc.record({
      n: small,
      image: fc.tuple(size, size),
      matrix: fc.tuple(entry, entry, entry, entry, entry, entry, entry, entry),
      interpolation: fc.constantFrom('nearest' as const, 'bilinear' as const),
      mode: fc.constantFrom('constant' as const, 'reflect' as const, 'wrap' as const, 'nearest' as const),
      to: fc.option(fc.tuple(size, size), { nil: undefined }),
      seed,
    });
    check(transform, 24, (r) => {
      const images = numbers([r.n, ...r.image, 2], r.seed) as tf.Tensor4D;
      const matrix = tf.tensor2d([r.matrix]);
      const one = (x: tf.Tensor): tf.Tensor4D => tf.image.transform(x as tf.Tensor4D, matrix, r.interpolation, r.mode, 0.5, r.to);
      // Image by image: eager tfjs transforms the first image of a batch alone.
      const expected = tf.concat(tf.split(images, r.n).map(one));
      const got = compile((x: tf.Tensor) => one(x)).runSync(images);
      tf.test_util.expectArraysClose(got.dataSync(), expected.dataSync(), 1e-4);
      expect(got.shape).toEqual(expected.shape);
    });
  });

  it('in rotations and flips', () => {
    const rotation = fc.record({
      n: small,
      image: fc.tuple(size, size),
      c: fc.constantFrom(1, 3, 4),
      radians: fc.integer({ min: -6, max: 6 }),
      gray: fc.boolean(),
      center: fc.constantFrom(0, 0.5, 1),
      seed,
    });
    check(rotation, 12, (r) => {
      const fill = r.gray || r.c === 1 ? 0.25 : ([1, 2, 3] as [number, number, number]);
      agree((x) => tf.image.rotateWithOffset(x as tf.Tensor4D, r.radians / 2, fill, r.center), numbers([r.n, ...r.image, r.c], r.seed));
      agree((x) => tf.image.flipLeftRight(x as tf.Tensor4D), numbers([r.n, ...r.image, r.c], r.seed));
    });
  });

  it('in mirrored borders and moves between space, depth and batch', () => {
    const blocks = fc.record({
      n: small,
      image: fc.tuple(size, size),
      c: small,
      block: fc.tuple(small, small),
      extra: fc.tuple(small, small),
      mode: fc.constantFrom('reflect' as const, 'symmetric' as const),
      seed,
    });
    check(blocks, 15, (r) => {
      const shape = [r.n, ...r.image, r.c];
      const most = (d: number): number => (r.mode === 'reflect' ? d - 1 : d);
      const border = r.image.map((d, i) => [Math.min(most(d), r.extra[i]!), Math.min(most(d), r.block[i]!)] as [number, number]);
      agree((x) => tf.mirrorPad(x, [[0, 0], ...border, [0, 0]], r.mode), numbers(shape, r.seed));
      const paddings = r.image.map((d, i) => [1, r.block[i]! - 1 - (d % r.block[i]!) + (r.block[i]! === 1 ? 0 : 0)]) as [number, number][];
      const fitting = paddings.map(([a, b], i) => [a, (b + r.block[i]!) % r.block[i]!]) as [number, number][];
      const f = (x: tf.Tensor): tf.Tensor => tf.spaceToBatchND(x, r.block, fitting);
      agree(f, numbers(shape, r.seed));
      const crops = r.image.map((d, i) => [Math.min(1, d * r.block[i]! - 1), 0]);
      agree((x) => tf.batchToSpaceND(x, r.block, crops), numbers([r.n * r.block[0] * r.block[1], ...r.image, r.c], r.seed));
      agree((x) => tf.depthToSpace(x as tf.Tensor4D, r.block[0]), numbers([r.n, ...r.image, r.c * r.block[0] ** 2], r.seed));
    });
  });
});
