import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { OrbitError } from '../../errors.js';
import { compile } from '../index.js';
import { agree, check, dtypes, gradients, indices, pairs, shapes, tensors, withAxis, type Kind } from './agree.testing.js';

describe('compiled kernels with indices agree with eager tfjs', () => {
  const gatherable = withAxis(dtypes, 1).chain(({ x, axis }) => {
    const positive = axis < 0 ? axis + x.rank : axis;
    return fc.record({ x: fc.constant(x), axis: fc.constant(axis), index: shapes(2).chain((s) => indices(s, 0, x.shape[positive]! - 1)) });
  });
  it('gathering, and its gradient', () => {
    check(gatherable, 15, ({ x, axis, index }) => agree({ gather: (v, i) => v!.gather(i!, axis) }, x, index));
    check(
      gatherable.filter(({ x, index }) => x.dtype === 'float32' && index.size > 0),
      6,
      ({ x, axis, index }) => {
        const positive = axis < 0 ? axis + x.rank : axis;
        agree({ gradient: (v, i) => gradients((w) => w!.gather(i!, positive))(v!) }, x.where(x.isFinite(), tf.zerosLike(x)), index);
      },
    );
  });
  it('gathering in batches', () => {
    const batched = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 4 }), fc.integer({ min: 1, max: 2 }))
      .chain(([b, outer, dim, cols]) => fc.tuple(tensors([b, outer, dim, cols]), indices([b, 2], 0, dim - 1)));
    check(batched, 8, ([x, index]) =>
      agree(
        { gather: (v, i) => v!.gather(i!, 2, 1), deep: (v, i) => v!.reshape([x.shape[0]!, -1, x.shape[3]!]).gather(i!, 1, 1) },
        x,
        index,
      ),
    );
  });
  it('gathering and scattering by tuples', () => {
    const nd = fc
      .tuple(
        shapes(3, 1).filter((s) => s.length > 0),
        fc.constantFrom<Kind>('float32', 'int32'),
        fc.nat(3),
      )
      .chain(([shape, kind, count]) => {
        const depth = Math.min(shape.length, 2);
        const index = fc
          .tuple(...shape.slice(0, depth).map((d) => fc.array(fc.nat(d - 1), { minLength: count, maxLength: count })))
          .map((columns) =>
            tf.tensor(
              Int32Array.from({ length: count * depth }, (_, i) => columns[i % depth]![Math.floor(i / depth)]!),
              [count, depth],
              'int32',
            ),
          );
        return fc.tuple(tensors(shape, kind), index, tensors([count, ...shape.slice(depth)], kind));
      });
    check(nd, 20, ([x, index, updates]) =>
      agree(
        {
          gather: (v, i) => tf.gatherND(v!, i!),
          scatter: (_, i, u) => tf.scatterND(i!, u!, x.shape),
          update: (v, i, u) => tf.tensorScatterUpdate(v!, i!, u!),
          ...(index.shape[1] === x.rank
            ? { dense: (_: tf.Tensor, i: tf.Tensor, u: tf.Tensor) => tf.sparseToDense(i, u, x.shape, tf.scalar(1, x.dtype)) }
            : {}),
        },
        x,
        index,
        updates,
      ),
    );
  });
  it('summing segments, of which some are out of range, and its gradient', () => {
    const segments = shapes(3, 1)
      .filter((s) => s.length > 0)
      .chain((s) => fc.tuple(tensors(s, 'ordinary'), indices([s[0]!], -1, 4), tensors(s, 'int32')));
    check(segments, 8, ([x, ids, whole]) =>
      agree(
        {
          sum: (v, i) => tf.unsortedSegmentSum(v!, i as tf.Tensor1D, 3),
          whole: (_, i, w) => tf.unsortedSegmentSum(w!, i as tf.Tensor1D, 3),
          gradient: (v, i) => gradients((w) => tf.unsortedSegmentSum(w!, i as tf.Tensor1D, 5))(v!),
        },
        x,
        ids,
        whole,
      ),
    );
  });
  it('one-hot rows, diagonals and counts', () => {
    check(
      shapes(3).chain((s) => indices(s, -1, 4)),
      8,
      (x) => agree({ oneHot: (v) => tf.oneHot(v!, 3), float: (v) => tf.oneHot(v!, 3, 2, -1, 'float32') }, x),
    );
    check(
      fc
        .tuple(
          shapes(2).filter((s) => s.length > 0),
          dtypes,
        )
        .chain(([s, kind]) => tensors(s, kind)),
      8,
      (x) => agree({ diag: (v) => tf.diag(v!) }, x),
    );
    const counted = fc
      .tuple(fc.nat(3), fc.nat(4), fc.constantFrom<Kind>('ordinary', 'int32'), fc.boolean(), fc.nat(5))
      .chain(([rows, columns, kind, weighted, size]) =>
        fc.tuple(indices([rows, columns], 0, 6), tensors(weighted ? [rows, columns] : [0], kind), fc.constant(size)),
      );
    check(counted, 12, ([x, w, size]) => {
      const flat = (t: tf.Tensor): tf.Tensor1D => t.reshape([t.size]);
      agree(
        {
          flat: (v, u) => tf.bincount(flat(v!), flat(u!), size),
          dense: (v, u) => tf.denseBincount(v as tf.Tensor2D, u as tf.Tensor2D, size),
          binary: (v, u) => tf.denseBincount(v as tf.Tensor2D, u as tf.Tensor2D, size, true),
          flatBinary: (v, u) => tf.denseBincount(flat(v!), flat(u!), size, true),
        },
        x,
        w,
      );
    });
  });
  it('binary search in any rows, also unsorted ones', () => {
    const rows = fc
      .tuple(fc.integer({ min: 1, max: 3 }), fc.integer({ min: 1, max: 9 }), fc.integer({ min: 1, max: 5 }))
      .chain(([b, n, m]) => fc.tuple(tensors([b, n]), tensors([b, m])));
    check(rows, 15, ([table, values]) =>
      agree({ left: (t, v) => tf.searchSorted(t!, v!, 'left'), right: (t, v) => tf.upperBound(t!, v!) }, table, values),
    );
  });
  it('shapes that broadcast, as values', () => {
    const sizes = pairs().map(([a, b]) => [tf.tensor1d(a, 'int32'), tf.tensor1d(b, 'int32')] as const);
    check(
      sizes.filter(([a, b]) => a.size > 0 && b.size > 0),
      8,
      ([a, b]) => agree({ broadcast: (x, y) => tf.broadcastArgs(x!, y!) }, a, b),
    );
  });
});

describe('failures at run time', () => {
  it('name the kernel, the value and the function', () => {
    const gather = compile((x: tf.Tensor, i: tf.Tensor1D) => x.gather(i), { name: 'lookup' });
    const run = (i: number) => (): unknown => gather.runSync(tf.tensor1d([1, 2, 3]), tf.tensor1d([i], 'int32'));
    expect(run(7)).toThrow(OrbitError);
    expect(run(7)).toThrow(/GatherV2: the index value 7 is not in \[0, 2\]\n {2}in GatherV2\(.*\)\n {2}in the compiled function "lookup"/);
    expect(run(-1)).toThrow(/the index value -1 is not in \[0, 2\]/);
    expect(run(2)).not.toThrow();
  });
  it('come from scatters, counts, batches and shapes that do not fit', async () => {
    const int = (...values: number[]): tf.Tensor1D => tf.tensor1d(values, 'int32');
    const fail = (f: (x: tf.Tensor1D) => tf.Tensor, x: tf.Tensor1D, message: RegExp): Promise<void> =>
      expect(compile(f, { name: 'f' })(x)).rejects.toThrow(message);
    await fail((x) => tf.scatterND(x.reshape([1, 1]), tf.tensor1d([1]), [3]), int(-4), /ScatterNd: the index value -4 is out of range/);
    await fail((x) => tf.bincount(x, tf.tensor1d([]), 3), int(1, -2), /Bincount: Input x must be non-negative!/);
    await fail((x) => tf.ones([2, 2, 1]).gather(x.reshape([2, 1]), 1, 1), int(0, 2), /GatherV2: an index value is not in \[0, 1\]/);
    await fail((x) => tf.broadcastArgs(x, int(3, 2)), int(2, 2), /BroadcastArgs: Operands could not be broadcast/);
  });
});
