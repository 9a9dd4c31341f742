import * as tf from '#tf';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { agree, check, dtypes, gradients, shapes, tensors, withAxis, type Kind, type Op } from './agree.testing.js';

type Unary = (x: tf.Tensor) => tf.Tensor;

/** A shape, a tensor of it, and a subset of its axes. */
const reducible = (kind: Kind, least = 0): fc.Arbitrary<{ x: tf.Tensor; axes: number[]; keep: boolean }> =>
  shapes(4, least).chain((shape) => fc.record({ x: tensors(shape, kind), axes: fc.subarray([...shape.keys()]), keep: fc.boolean() }));

describe('compiled reductions agree with eager tfjs', () => {
  const reductions = (axes: number[], keep: boolean): Record<string, Unary> => ({
    sum: (x) => x.sum(axes, keep),
    mean: (x) => x.mean(axes, keep),
    max: (x) => x.max(axes, keep),
    min: (x) => x.min(axes, keep),
    prod: (x) => x.prod(axes, keep),
  });
  it('of floats, with NaN and infinities', () => {
    check(reducible('float32'), 20, ({ x, axes, keep }) =>
      agree({ ...reductions(axes, keep), all: (v) => v.max(axes), logSumExp: (v) => v.logSumExp(axes, keep) }, x),
    );
  });
  it('of integers and truth values', () => {
    check(reducible('int32'), 10, ({ x, axes, keep }) => agree(reductions(axes, keep), x));
    check(reducible('bool'), 10, ({ x, axes, keep }) =>
      agree({ ...reductions(axes, keep), all: (v) => v.all(axes, keep), any: (v) => v.any(axes, keep) }, x),
    );
  });
  it('over very many rows, where a product with ones does it', () => {
    check(fc.tuple(tensors([70, 3], 'ordinary'), tensors([2, 8, 8, 3], 'ordinary')), 2, ([x, y]) =>
      agree(
        { rows: (a) => a!.sum(0), mean: (a) => a!.mean(0), image: (_, b) => b!.sum([0, 1, 2]), means: (_, b) => b!.mean([0, 1, 2]) },
        x,
        y,
      ),
    );
  });
  it('in their gradients', () => {
    check(reducible('ordinary', 1), 8, ({ x, axes, keep }) => {
      const ops = Object.entries(reductions(axes, keep)).map(([k, op]) => [k, gradients(op as (...xs: tf.Tensor[]) => tf.Tensor)] as const);
      agree(Object.fromEntries(ops), x);
    });
  });
  it('that search, sort or scan along an axis', () => {
    check(withAxis(dtypes), 20, ({ x, axis }) => {
      const size = x.shape.at(axis)!;
      const positive = axis < 0 ? axis + x.rank : axis;
      const last = x.shape.at(-1)!;
      const sortable = x.dtype !== 'float32' || !Array.from(x.dataSync()).some(Number.isNaN);
      agree(
        {
          ...(size > 0 ? { argMax: (v: tf.Tensor) => v.argMax(axis), argMin: (v: tf.Tensor) => v.argMin(axis) } : {}),
          ...(sortable
            ? {
                topk: (v: tf.Tensor) => Object.values(tf.topk(v, Math.ceil(last / 2))),
                all: (v: tf.Tensor) => Object.values(tf.topk(v, last, false)),
              }
            : {}),
          cumsum: (v) => v.cumsum(positive),
          exclusive: (v) => v.cumsum(positive, true),
          reverse: (v) => v.cumsum(positive, true, true),
          cumprod: (v) => tf.cumprod(v!, positive),
          exclusiveProd: (v) => tf.cumprod(v!, positive, true),
          reverseProd: (v) => tf.cumprod(v!, positive, false, true),
        },
        x,
      );
    });
  });
  it('that normalise or scan along the last axis, in their gradients too', () => {
    check(withAxis(fc.constant('ordinary'), 1), 8, ({ x }) => {
      const softmax: Unary = (v) => v.softmax();
      const logSoftmax: Unary = (v) => v.logSoftmax();
      const cumsum: Unary = (v) => v.cumsum(x.rank - 1, true, true); // tfjs's gradient along other axes has the wrong shape
      agree(
        {
          softmax: softmax as Op,
          logSoftmax: logSoftmax as Op,
          softmaxGradient: gradients(softmax),
          logSoftmaxGradient: gradients(logSoftmax),
          cumsumGradient: gradients(cumsum),
        },
        x,
      );
    });
  });
});

describe('compiled kernels that move elements agree with eager tfjs', () => {
  const moves = withAxis(dtypes).chain(({ x, axis }) => {
    const positive = axis < 0 ? axis + x.rank : axis;
    const size = x.shape[positive]!;
    return fc.record({
      x: fc.constant(x),
      axis: fc.constant(axis),
      positive: fc.constant(positive),
      cut: fc.nat(size),
      perm: fc.shuffledSubarray([...x.shape.keys()], { minLength: x.rank }),
      axes: fc.subarray([...x.shape.keys()]),
      reps: fc.array(fc.integer({ min: 0, max: 3 }), { minLength: x.rank, maxLength: x.rank }),
      pads: fc.array(fc.tuple(fc.nat(2), fc.nat(2)), { minLength: x.rank, maxLength: x.rank }),
      begin: fc.tuple(...x.shape.map((d) => fc.nat(d))),
      step: fc.constantFrom(1, 2, 3, -1, -2),
    });
  });

  it('with every dtype', () => {
    check(moves, 30, ({ x, axis, positive, cut, perm, axes, reps, pads, begin, step }) => {
      const size = x.shape[positive]!;
      const sizes = x.shape.map((d, i) => d - begin[i]!);
      agree(
        {
          flatten: (v) => v!.reshape([x.size]),
          expand: (v) => v!.expandDims(axis),
          transpose: (v) => v!.transpose(perm),
          tile: (v) => v!.tile(reps),
          concat: (v) => tf.concat([v!, v!.reverse(positive), v!], axis),
          stack: (v) => tf.stack([v!, v!], axis),
          ...(size > 0 ? { unstack: (v: tf.Tensor) => tf.unstack(v, axis) } : {}),
          split: (v) => tf.split(v!, [cut, size - cut], axis),
          slice: (v) => v!.slice(begin, sizes),
          pad: (v) => v!.pad(pads, x.dtype === 'bool' ? 1 : 3),
          reverse: (v) => v!.reverse(axes),
          broadcast: (v) => v!.expandDims(0).broadcastTo([2, ...x.shape]),
          ...(x.size > 0
            ? {
                strided: (v: tf.Tensor) =>
                  v.stridedSlice(
                    begin.map((b) => (step < 0 ? -1 : b)),
                    x.shape.map((d) => (step < 0 ? -d - 1 : d)),
                    x.shape.map(() => step),
                  ),
              }
            : {}),
        },
        x,
      );
    });
  });
  it('in their gradients', () => {
    check(
      moves.filter(({ x }) => x.dtype === 'float32' && x.size > 0),
      8,
      ({ x, axis, cut, perm, axes, pads, positive, begin }) => {
        const sizes = x.shape.map((d, i) => d - begin[i]!);
        const ops: Record<string, Unary> = {
          transpose: (v) => v.transpose(perm),
          ...(x.rank < 4
            ? {
                tile: (v: tf.Tensor) => v.tile(x.shape.map(() => 2)),
                broadcast: (v: tf.Tensor) => v.expandDims(0).broadcastTo([2, ...x.shape]),
              }
            : {}),
          concat: (v) => tf.concat([v, v.mul(2)], axis),
          stack: (v) => tf.stack([v, v.mul(2)], positive),
          split: (v) => tf.split(v, [cut, x.shape[positive]! - cut], positive)[0]!,
          slice: (v) => v.slice(begin, sizes),
          pad: (v) => v.pad(pads),
          reverse: (v) => v.reverse(axes),
        };
        agree(Object.fromEntries(Object.entries(ops).map(([k, op]) => [k, gradients(op)])), x);
      },
    );
  });
  it('with begins, ends, strides and masks of strided slices', () => {
    const spec = shapes(3, 1)
      .filter((s) => s.length > 0)
      .chain((shape) => {
        const each = (low: number, high: number): fc.Arbitrary<number[]> =>
          fc.array(fc.integer({ min: low, max: high }), { minLength: shape.length, maxLength: shape.length });
        return fc.record({
          x: tensors(shape),
          begin: each(-4, 4),
          end: each(-4, 5),
          strides: fc.array(fc.constantFrom(1, 2, -1, -2), { minLength: shape.length, maxLength: shape.length }),
          masks: fc.tuple(fc.nat(3), fc.nat(3), fc.constantFrom(0, 1, 2), fc.constantFrom(0, 0, 1, 4), fc.constantFrom(0, 0, 1, 2)),
        });
      });
    check(spec, 60, ({ x, begin, end, strides: steps, masks }) => {
      const strides = masks[4] === 0 ? steps : steps.map(() => 1); // tfjs reads wrong elements where axes shrink beside steps
      const slice: Unary = (v) => v.stridedSlice(begin, end, strides, ...masks);
      try {
        slice(x);
      } catch {
        return; // tfjs refuses some, and fails on slices that end before they begin
      }
      agree({ strided: slice as Op }, x);
    });
  });
});
