import * as tf from '#tf';
import fc from 'fast-check';
import { describe, it } from 'vitest';
import { accepted, agree, check, dtypes, gradients, pairs, shapes, tensors, type Kind, type Op } from './agree.testing.js';

type Unary = (x: tf.Tensor) => tf.Tensor;

describe('compiled elementwise kernels agree with eager tfjs', () => {
  const smooth: Record<string, Unary> = {
    exp: tf.exp,
    expm1: tf.expm1,
    sin: tf.sin,
    cos: tf.cos,
    tanh: tf.tanh,
    sigmoid: tf.sigmoid,
    softplus: tf.softplus,
    elu: tf.elu,
    selu: tf.selu,
    erf: tf.erf,
    square: tf.square,
    neg: tf.neg,
    atan: tf.atan,
    asinh: tf.asinh,
    sinh: tf.sinh,
    cosh: tf.cosh,
    abs: tf.abs,
    relu: tf.relu,
    relu6: tf.relu6,
    sign: tf.sign,
    step: (x) => tf.step(x, 0.25),
    floor: tf.floor,
    ceil: tf.ceil,
    round: tf.round,
    leakyRelu: (x) => tf.leakyRelu(x, 0.1),
    clip: (x) => tf.clipByValue(x, -1, 2),
  };
  const partial: Record<string, Unary> = {
    log: tf.log,
    log1p: tf.log1p,
    sqrt: tf.sqrt,
    rsqrt: tf.rsqrt,
    reciprocal: tf.reciprocal,
    tan: tf.tan,
    asin: tf.asin,
    acos: tf.acos,
    acosh: tf.acosh,
    atanh: tf.atanh,
  };
  const tests: Record<string, Unary> = { isNaN: tf.isNaN, isInf: tf.isInf, isFinite: tf.isFinite };
  const casts: Record<string, Unary> = { toBool: (x) => x.cast('bool'), same: (x) => tf.zerosLike(x), ones: (x) => tf.onesLike(x) };

  it('of floats, with NaN, infinities and both zeros', () => {
    const some = shapes(4).chain((s) => fc.oneof(tensors(s), tensors(s, 'extreme')));
    check(some, 16, (x) => agree({ ...smooth, ...partial, ...tests, ...casts } as Record<string, Op>, x));
  });
  it('of integers', () => {
    const all = { ...smooth, ...partial, ...tests, ...casts, float: (v: tf.Tensor) => v.cast('float32') };
    check(
      shapes(3).chain((s) => tensors(s, 'int32')),
      8,
      (x) => agree(accepted(all as Record<string, Op>, x), x),
    );
  });
  it('of truth values', () => {
    const all = {
      ...smooth,
      ...partial,
      ...tests,
      ...casts,
      not: tf.logicalNot,
      float: (x: tf.Tensor) => x.cast('float32'),
      int: (x: tf.Tensor) => x.cast('int32'),
    };
    check(
      shapes(3).chain((s) => tensors(s, 'bool')),
      6,
      (x) => agree(accepted(all as Record<string, Op>, x), x),
    );
  });
  it('of floats to integers: NaN becomes 0, large numbers wrap', () => {
    check(
      shapes(3).chain((s) => tensors(s)),
      6,
      (x) => agree({ int: (v) => v!.cast('int32'), large: (v) => v!.mul(1e9).cast('int32') }, x),
    );
  });
  it('in their gradients', () => {
    const of = (ops: Record<string, Unary>): Record<string, Op> =>
      Object.fromEntries(Object.entries(ops).map(([k, op]) => [k, gradients(op)]));
    check(
      shapes(3).chain((s) => tensors(s, 'ordinary')),
      5,
      (x) => agree(of(smooth), x),
    );
    check(
      shapes(3).chain((s) => tensors(s, 'positive')),
      5,
      (x) => agree(of({ ...partial, acosh: tf.tanh }), x.mul(0.2)),
    );
  });

  const arithmetic: Record<string, Op> = {
    add: (a, b) => a!.add(b!),
    sub: (a, b) => a!.sub(b!),
    mul: (a, b) => a!.mul(b!),
    div: (a, b) => a!.div(b!),
    maximum: (a, b) => a!.maximum(b!),
    minimum: (a, b) => a!.minimum(b!),
    squaredDifference: (a, b) => a!.squaredDifference(b!),
    floorDiv: (a, b) => a!.floorDiv(b!),
    mod: (a, b) => a!.mod(b!),
    prelu: (a, b) => a!.prelu(b!),
  };
  const comparisons: Record<string, Op> = {
    equal: (a, b) => a!.equal(b!),
    notEqual: (a, b) => a!.notEqual(b!),
    greater: (a, b) => a!.greater(b!),
    greaterEqual: (a, b) => a!.greaterEqual(b!),
    less: (a, b) => a!.less(b!),
    lessEqual: (a, b) => a!.lessEqual(b!),
  };
  const logic: Record<string, Op> = {
    and: (a, b) => tf.logicalAnd(a!, b!),
    or: (a, b) => tf.logicalOr(a!, b!),
    xor: (a, b) => tf.logicalXor(a!, b!),
  };
  const two = (kind: Kind, other = kind, least = 0): fc.Arbitrary<[tf.Tensor, tf.Tensor]> =>
    pairs(least).chain(([a, b]) => fc.tuple(tensors(a, kind), tensors(b, other)));

  it('of two float tensors that broadcast', () => {
    check(two('float32'), 12, ([a, b]) =>
      agree(
        { ...arithmetic, ...comparisons, pow: (x, y) => x!.pow(y!), square: (x) => x!.pow(2), atan2: (x, y) => tf.atan2(x!, y!) },
        a,
        b,
      ),
    );
  });
  it('of two integer tensors that broadcast, zero divisors included', () => {
    check(two('int32'), 12, ([a, b]) => agree({ ...arithmetic, ...comparisons, pow: (x, y) => x!.pow(y!) }, a, b));
    check(
      shapes(3).chain((s) => fc.tuple(tensors(s, 'int32'), tensors(s, 'int32'))),
      4,
      ([a, b]) => agree({ and: (x, y) => tf.bitwiseAnd(x!, y!) }, a, b),
    );
  });
  it('of two tensors of truth values that broadcast', () => {
    check(two('bool'), 8, ([a, b]) => agree(accepted({ ...arithmetic, ...comparisons, ...logic, pow: (x, y) => x!.pow(y!) }, a, b), a, b));
  });
  it('in the gradients of two tensors', () => {
    const of = (names: string[]): Record<string, Op> =>
      Object.fromEntries(names.map((k) => [k, gradients(arithmetic[k] as (...xs: tf.Tensor[]) => tf.Tensor)]));
    check(two('ordinary', 'positive', 1), 6, ([a, b]) =>
      agree({ ...of(['add', 'sub', 'mul', 'div', 'mod']), atan2: gradients((x, y) => tf.atan2(x!, y!)) }, a, b),
    );
    check(two('positive', 'positive', 1), 4, ([a, b]) => agree({ pow: gradients((x, y) => tf.pow(x!, y!)) }, a, b));
    // tfjs gives gradients of the wrong shape for these when their operands broadcast.
    const same = shapes(3).chain((s) => fc.tuple(tensors(s, 'ordinary'), tensors(s, 'ordinary')));
    check(same, 5, ([a, b]) => agree(of(['maximum', 'minimum', 'squaredDifference', 'prelu']), a, b));
  });
  it('that choose or add several tensors', () => {
    const three = fc.tuple(shapes(4), dtypes).chain(([s, kind]) => fc.tuple(tensors(s, 'bool'), tensors(s, kind), tensors(s, kind)));
    check(three, 10, ([c, a, b]) =>
      agree(
        { where: (p, x, y) => tf.where(p!, x!, y!), ...(a.dtype === 'bool' ? {} : { addN: (_, x, y) => tf.addN([x!, y!, x!]) }) },
        c,
        a,
        b,
      ),
    );
  });
});
