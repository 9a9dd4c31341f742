import * as tf from '#tf';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { TraceError } from '../../errors.js';
import { compile, setRandomSeed } from '../index.js';
import { agree, check, gradients, tensors, type Kind, type Op } from './agree.testing.js';

describe('compiled products agree with eager tfjs', () => {
  const sides = fc.record({
    batch: fc.nat(3),
    m: fc.nat(3),
    k: fc.nat(3),
    n: fc.nat(3),
    ta: fc.boolean(),
    tb: fc.boolean(),
    shared: fc.boolean(),
    kind: fc.constantFrom<Kind>('ordinary', 'int32'),
  });
  const products = sides.chain(({ batch, m, k, n, ta, tb, shared, kind }) => {
    const lead = batch === 0 ? [] : [batch];
    return fc.record({
      a: tensors([...lead, ...(ta ? [k, m] : [m, k])], kind),
      b: tensors([...(shared ? [] : lead), ...(tb ? [n, k] : [k, n])], kind),
      ta: fc.constant(ta),
      tb: fc.constant(tb),
      bias: tensors([n], kind),
    });
  });
  it('of matrices and batches, transposed or not, also without elements', () => {
    check(products, 25, ({ a, b, ta, tb }) => agree({ matMul: (x, y) => tf.matMul(x!, y!, ta, tb) }, a, b));
  });
  it('with bias and activation fused', () => {
    check(
      products.filter(({ a, b }) => a.dtype === 'float32' && a.rank === 2 && b.rank === 2),
      10,
      ({ a, b, ta, tb, bias }) => {
        const fused =
          (activation: 'relu' | 'sigmoid' | 'elu' | 'relu6' | 'leakyrelu'): Op =>
          (x, y, z) =>
            tf.fused.matMul({ a: x!, b: y!, transposeA: ta, transposeB: tb, bias: z!, activation });
        agree(
          { relu: fused('relu'), sigmoid: fused('sigmoid'), elu: fused('elu'), relu6: fused('relu6'), leakyrelu: fused('leakyrelu') },
          a,
          b,
          bias,
        );
      },
    );
  });
  it('in their gradients', () => {
    check(
      products.filter(({ a, b }) => a.dtype === 'float32' && a.rank === b.rank),
      8,
      ({ a, b, ta, tb }) => agree({ gradient: gradients((x, y) => tf.matMul(x!, y!, ta, tb)) }, a, b),
    );
  });
  it('in Einstein notation', () => {
    const sizes = fc.tuple(...Array.from({ length: 4 }, () => fc.integer({ min: 1, max: 3 })));
    const terms = fc.constantFrom(
      'ij,jk->ik',
      'ij,kj->ki',
      'bij,bjk->bik',
      'ij->ji',
      'ij->',
      'ij->j',
      'i,j->ij',
      'bi,bi->b',
      'bij,jk->bki',
      ' i j , i j -> i ',
    );
    const spec = fc.tuple(terms, sizes, fc.constantFrom<Kind>('ordinary', 'int32')).chain(([equation, sizes, kind]) => {
      const inputs = equation.replace(/\s/g, '').split('->')[0]!.split(',');
      return fc.tuple(
        fc.constant(equation),
        fc.tuple(
          ...inputs.map((term) =>
            tensors(
              [...term].map((c) => sizes['bijk'.indexOf(c)]!),
              kind,
            ),
          ),
        ),
      );
    });
    check(spec, 20, ([equation, inputs]) => agree({ [equation]: (...xs) => tf.einsum(equation, ...xs) }, ...inputs));
  });
});

describe('compiled constants and random numbers', () => {
  it('are those of eager tfjs', () => {
    check(
      fc.tuple(fc.integer({ min: -5, max: 5 }), fc.integer({ min: -5, max: 5 }), fc.constantFrom(1, 2, 0.5)),
      8,
      ([start, stop, step]) =>
        agree({
          range: () => tf.range(start, stop, start > stop ? -step : step),
          ints: () => tf.range(start, stop, 1, 'int32'),
          linspace: () => tf.linspace(start, stop, 7),
          fill: () => tf.fill([2, 0, 3], start),
          full: () => tf.fill([2, 3], stop),
        }),
    );
  });
  it('draw the same events from the same logits, compiled and eagerly', () => {
    const logits = tf.tensor2d([0, 1, 2, -1, 3, 0, -2, 0.5], [2, 4]);
    const f = (x: tf.Tensor2D): tf.Tensor[] => [
      tf.multinomial(x, 50),
      tf.multinomial(x.softmax(), 50, 3, true),
      tf.multinomial(x.slice([0, 0], [1, 4]).flatten() as tf.Tensor1D, 9),
    ];
    setRandomSeed(3);
    const eager = compile(f, { eager: true });
    const expected = [eager.runSync(logits), eager.runSync(logits)];
    setRandomSeed(3);
    const step = compile(f);
    for (const want of expected) step.runSync(logits).forEach((t, i) => expect([...t.dataSync()]).toEqual([...want[i]!.dataSync()]));
    expect([...expected[0]![0]!.dataSync()]).not.toEqual([...expected[1]![0]!.dataSync()]);
  });
  it('draw events as often as their probabilities say, each row for itself', () => {
    setRandomSeed(1);
    const drawn = compile(
      () => tf.multinomial(tf.tensor2d([0.7, 0.2, 0.1, 0.7, 0.2, 0.1], [2, 3]), 4000, undefined, true) as tf.Tensor2D,
    ).runSync();
    const [first, second] = drawn.arraySync() as [number[], number[]];
    for (const row of [first, second])
      [0.7, 0.2, 0.1].forEach((p, event) => expect(row.filter((e) => e === event).length / 4000).toBeCloseTo(p, 1));
    expect(first).not.toEqual(second);
  });
  it('of host generators that have no compiled form are refused', () => {
    for (const f of [() => tf.randomGamma([3], 2), () => tf.rand([3], Math.random)]) expect(() => compile(f).runSync()).toThrow(TraceError);
  });
});
