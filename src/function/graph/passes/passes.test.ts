import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from '../../index.js';
import { passes, type PassName } from './index.js';

const image = tf.zeros<tf.Rank.R4>([1, 4, 4, 2]);

const all = Object.keys(passes) as PassName[];

/** The program of `fn` before and after one pass, with nothing but the passes `beside` it. */
function beforeAfter(pass: PassName, fn: (...args: never[]) => unknown, args: tf.Tensor[], beside: PassName[] = []): string {
  const text = (enabled: PassName[]): string =>
    compile(fn as (...args: unknown[]) => unknown, { name: 'f', disabledPasses: all.filter((p) => !enabled.includes(p)) }).graphWith(
      { lines: false, layers: false },
      ...args,
    );
  return `${text(beside)}\n---\n${text([...beside, pass])}`;
}

describe('graph passes', () => {
  it('deadCode removes what no result needs', () => {
    const f = (x: tf.Tensor): tf.Tensor => {
      x.add(1).exp();
      return x.mul(2);
    };
    expect(beforeAfter('deadCode', f, [tf.zeros([2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2])
        %1 = Add(a: %0, b: float32(1)) : float32[2]
        %2 = Exp(x: %1) : float32[2]
        %3 = Multiply(a: %0, b: float32(2)) : float32[2]
        return %3
      ---
      f(%0: float32[2])
        %1 = Multiply(a: %0, b: float32(2)) : float32[2]
        return %1"
    `);
  });

  it('removeIdentities removes clones, casts and reshapes that change nothing', () => {
    const f = (x: tf.Tensor): tf.Tensor => x.clone().cast('float32').reshape([2]).neg();
    expect(beforeAfter('removeIdentities', f, [tf.zeros([2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2])
        %1 = Identity(x: %0) : float32[2]
        %2 = Cast(x: %1) {dtype: float32} : float32[2]
        %3 = Reshape(x: %2) {shape: [2]} : float32[2]
        %4 = Neg(x: %3) : float32[2]
        return %4
      ---
      f(%0: float32[2])
        %1 = Neg(x: %0) : float32[2]
        return %1"
    `);
  });

  it('commonSubexpressions computes equal calls once, equal constants included', () => {
    const f = (x: tf.Tensor): tf.Tensor => x.mul(2).add(x.mul(2));
    expect(beforeAfter('commonSubexpressions', f, [tf.zeros([2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2])
        %1 = Multiply(a: %0, b: float32(2)) : float32[2]
        %2 = Multiply(a: %0, b: float32(2)) : float32[2]
        %3 = Add(a: %1, b: %2) : float32[2]
        return %3
      ---
      f(%0: float32[2])
        %1 = Multiply(a: %0, b: float32(2)) : float32[2]
        %2 = Add(a: %1, b: %1) : float32[2]
        return %2"
    `);
  });

  it('commonSubexpressions lets two draws of random numbers differ', () => {
    const f = compile(() => tf.randomUniform([3]).sub(tf.randomUniform([3])));
    expect([...f.runSync().dataSync()].some((d) => d !== 0)).toBe(true);
  });

  it('reluGradient works on the output of the relu', () => {
    const f = (x: tf.Tensor): tf.Tensor => tf.grad((t) => t.relu())(x);
    expect(beforeAfter('reluGradient', f, [tf.zeros([2])], ['removeIdentities', 'deadCodeAgain'])).toMatchInlineSnapshot(`
      "f(%0: float32[2])
        %1 = Step(x: %0) {alpha: 0} : float32[2]
        %2 = Multiply(a: float32(1, 1), b: %1) : float32[2]
        return %2
      ---
      f(%0: float32[2])
        %1 = Relu(x: %0) : float32[2]
        %2 = orbit.ReluGrad(dy: float32(1, 1), y: %1) : float32[2]
        return %2"
    `);
  });

  it('convBias moves an added bias into the convolution', () => {
    const f = (x: tf.Tensor4D, filter: tf.Tensor4D, bias: tf.Tensor1D): tf.Tensor => tf.conv2d(x, filter, 1, 'valid').add(bias);
    expect(beforeAfter('convBias', f, [image, tf.zeros([3, 3, 2, 4]), tf.zeros([4])])).toMatchInlineSnapshot(`
      "f(%0: float32[1,4,4,2], %1: float32[3,3,2,4], %2: float32[4])
        %3 = Conv2D(x: %0, filter: %1) {strides: 1, pad: valid, dataFormat: NHWC, dilations: [1,1]} : float32[1,2,2,4]
        %4 = Add(a: %3, b: %2) : float32[1,2,2,4]
        return %4
      ---
      f(%0: float32[1,4,4,2], %1: float32[3,3,2,4], %2: float32[4])
        %3 = Conv2D(x: %0, filter: %1) {strides: 1, pad: valid, dataFormat: NHWC, dilations: [1,1]} : float32[1,2,2,4]
        %4 = Conv2D(x: %0, filter: %1, bias: %2) {strides: 1, pad: valid, dataFormat: NHWC, dilations: [1,1]} : float32[1,2,2,4]
        return %4"
    `);
  });

  it('every pass leaves the numbers of a training step as they are', () => {
    const filter = tf.variable(tf.randomNormal<tf.Rank.R4>([3, 3, 2, 4]));
    const bias = tf.variable(tf.randomNormal<tf.Rank.R1>([4]));
    const loss = (x: tf.Tensor4D): tf.Scalar =>
      tf
        .maxPool(
          tf
            .conv2d(x, filter as tf.Tensor4D, 1, 'same')
            .add(bias)
            .relu() as tf.Tensor4D,
          2,
          2,
          'valid',
        )
        .square()
        .mean();
    const step = (x: tf.Tensor4D): tf.Tensor[] => Object.values(tf.variableGrads(() => loss(x), [filter, bias]).grads);
    const x = tf.randomNormal<tf.Rank.R4>([2, 6, 6, 2]);
    const expected = step(x).map((t) => t.dataSync());
    for (const disabledPasses of [[], ['reluGradient'], ['convBias'], ['commonSubexpressions', 'removeIdentities']] as PassName[][]) {
      const got = compile(step, { disabledPasses }).runSync(x);
      got.forEach((t, i) => tf.test_util.expectArraysClose(t.dataSync(), expected[i]!, 1e-5));
    }
  });
});
