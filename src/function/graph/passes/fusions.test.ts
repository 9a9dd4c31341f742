import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from '../../index.js';
import { passes, type PassName } from './index.js';

const all = Object.keys(passes) as PassName[];

/** The program of `fn` before and after some passes, with nothing but the passes `beside` them. */
function beforeAfter(pass: PassName, fn: (...args: never[]) => unknown, args: tf.Tensor[], beside: PassName[] = []): string {
  const text = (enabled: PassName[]): string =>
    compile(fn as (...args: unknown[]) => unknown, {
      name: 'f',
      nativeKernels: false, // as every portable program
      disabledPasses: all.filter((p) => !enabled.includes(p)),
    }).graph(...args);
  const [before, after] = [text(beside), text([...beside, pass])];
  return `${before}\n---\n${after}`.replace(/ +# .*$/gm, '');
}

describe('graph passes', () => {
  it('foldConstants computes what depends on constants alone', () => {
    const f = (x: tf.Tensor): tf.Tensor => x.add(tf.tensor1d([1, 2]).sum().sqrt());
    expect(beforeAfter('foldConstants', f, [tf.zeros([2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2])
        %1 = Sum(x: float32(1, 2)) {keepDims: false} : float32[]
        %2 = Sqrt(x: %1) : float32[]
        %3 = Add(a: %0, b: %2) : float32[2]
        return %3
      ---
      f(%0: float32[2])
        %1 = Add(a: %0, b: float32(1.7320507764816284)) : float32[2]
        return %1"
    `);
  });

  it('foldConstants keeps the values of constants that change their type', () => {
    const two = (dtype: 'int32' | 'bool') => tf.tensor1d([2, 1], 'int32').cast(dtype).cast('float32');
    const f = (x: tf.Tensor): tf.Tensor[] => [tf.norm(x), x.pow(tf.scalar(2, 'int32')), x.mul(two('int32')), x.mul(two('bool'))];
    const results = compile(f).runSync(tf.tensor1d([3, 4]));
    expect(results.map((r) => [...r.dataSync()])).toEqual([[5], [9, 16], [6, 4], [3, 4]]);
  });

  it('narrowBroadcasts computes on the few numbers that fill a tensor', () => {
    const f = (x: tf.Tensor): tf.Tensor =>
      tf
        .grad((t) => t.mean(1).square().sum())(x)
        .mul(x);
    expect(beforeAfter('narrowBroadcasts', f, [tf.zeros([8, 4])], ['removeIdentities', 'deadCodeAgain'])).toMatchInlineSnapshot(`
      "f(%0: float32[8,4])
        %1 = Mean(x: %0) {axis: 1, keepDims: false} : float32[8]
        %2 = Reshape(x: float32(1)) {shape: [1]} : float32[1]
        %3 = Multiply(a: %2, b: constant:float32[8]) : float32[8]
        %4 = Multiply(a: %1, b: float32(2)) : float32[8]
        %5 = Multiply(a: %3, b: %4) : float32[8]
        %6 = Reshape(x: %5) {shape: [8,1]} : float32[8,1]
        %7 = Multiply(a: %6, b: constant:float32[8,4]) : float32[8,4]
        %8 = RealDiv(a: %7, b: float32(4)) : float32[8,4]
        %9 = Multiply(a: %8, b: %0) : float32[8,4]
        return %9
      ---
      f(%0: float32[8,4])
        %1 = Mean(x: %0) {axis: 1, keepDims: false} : float32[8]
        %2 = Reshape(x: float32(1)) {shape: [1]} : float32[1]
        %3 = Multiply(a: %1, b: float32(2)) : float32[8]
        %4 = Multiply(a: %2, b: %3) : float32[8]
        %5 = Reshape(x: %4) {shape: [8,1]} : float32[8,1]
        %6 = RealDiv(a: %5, b: float32(4)) : float32[8,1]
        %7 = Multiply(a: %6, b: %0) : float32[8,4]
        return %7"
    `);
  });

  it('products multiplies the constants of a product with one another', () => {
    const f = (x: tf.Tensor, y: tf.Tensor): tf.Tensor => x.mul(2).mul(y).mul(0.25);
    expect(beforeAfter('products', f, [tf.zeros([2]), tf.zeros([2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2], %1: float32[2])
        %2 = Multiply(a: %0, b: float32(2)) : float32[2]
        %3 = Multiply(a: %2, b: %1) : float32[2]
        %4 = Multiply(a: %3, b: float32(0.25)) : float32[2]
        return %4
      ---
      f(%0: float32[2], %1: float32[2])
        %2 = Multiply(a: %0, b: float32(0.5)) : float32[2]
        %3 = Multiply(a: %1, b: %2) : float32[2]
        return %3"
    `);
  });

  it('products takes a common factor out of a sum', () => {
    const f = (d: tf.Tensor, x: tf.Tensor, y: tf.Tensor): tf.Tensor => d.mul(x).add(d.mul(y.square().neg().exp()).mul(3));
    expect(beforeAfter('products', f, [tf.zeros([2]), tf.zeros([2]), tf.zeros([2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2], %1: float32[2], %2: float32[2])
        %3 = Multiply(a: %0, b: %1) : float32[2]
        %4 = Square(x: %2) : float32[2]
        %5 = Neg(x: %4) : float32[2]
        %6 = Exp(x: %5) : float32[2]
        %7 = Multiply(a: %0, b: %6) : float32[2]
        %8 = Multiply(a: %7, b: float32(3)) : float32[2]
        %9 = Add(a: %3, b: %8) : float32[2]
        return %9
      ---
      f(%0: float32[2], %1: float32[2], %2: float32[2])
        %3 = Square(x: %2) : float32[2]
        %4 = Sub(a: float32(1.0986123085021973), b: %3) : float32[2]
        %5 = Exp(x: %4) : float32[2]
        %6 = Add(a: %1, b: %5) : float32[2]
        %7 = Multiply(a: %0, b: %6) : float32[2]
        return %7"
    `);
  });

  it('productScale lets a matrix product scale its result', () => {
    const f = (a: tf.Tensor2D, b: tf.Tensor2D): tf.Tensor => tf.matMul(a, b).mul(0.5);
    expect(beforeAfter('productScale', f, [tf.zeros([2, 3]), tf.zeros([3, 2])])).toMatchInlineSnapshot(`
      "f(%0: float32[2,3], %1: float32[3,2])
        %2 = BatchMatMul(a: %0, b: %1) {transposeA: false, transposeB: false} : float32[2,2]
        %3 = Multiply(a: %2, b: float32(0.5)) : float32[2,2]
        return %3
      ---
      f(%0: float32[2,3], %1: float32[3,2])
        %2 = BatchMatMul(a: %0, b: %1) {transposeA: false, transposeB: false} : float32[2,2]
        %3 = BatchMatMul(a: %0, b: %1) {transposeA: false, transposeB: false, alpha: 0.5} : float32[2,2]
        return %3"
    `);
  });

  it('packUpdates updates small variables as one flat tensor', () => {
    const variables = [2, 3, 4, 5].map((n, i) => tf.variable(tf.ones([n]), true, `packed${i}`));
    const f = (x: tf.Scalar): void => variables.forEach((v) => v.assign(v.sub(v.mul(x))));
    expect(beforeAfter('packUpdates', f, [tf.scalar(0.1)])).toMatchInlineSnapshot(`
      "f(%0: float32[])
        %1 = Multiply(a: @packed0, b: %0) : float32[2]
        %2 = Sub(a: @packed0, b: %1) : float32[2]
        %3 = Multiply(a: @packed1, b: %0) : float32[3]
        %4 = Sub(a: @packed1, b: %3) : float32[3]
        %5 = Multiply(a: @packed2, b: %0) : float32[4]
        %6 = Sub(a: @packed2, b: %5) : float32[4]
        %7 = Multiply(a: @packed3, b: %0) : float32[5]
        %8 = Sub(a: @packed3, b: %7) : float32[5]
        @packed0 := %2
        @packed1 := %4
        @packed2 := %6
        @packed3 := %8
        return 
      ---
      f(%0: float32[])
        %1 = Concat(0: @packed0, 1: @packed1, 2: @packed2, 3: @packed3) {axis: 0} : float32[14]
        %2 = Multiply(a: %1, b: %0) : float32[14]
        %3 = Sub(a: %1, b: %2) : float32[14]
        %4, %5, %6, %7 = SplitV(x: %3) {numOrSizeSplits: [2,3,4,5], axis: 0} : float32[2], float32[3], float32[4], float32[5]
        @packed0 := %4
        @packed1 := %5
        @packed2 := %6
        @packed3 := %7
        return "
    `);
  });

  it('pruneLoops drops what a loop computes for nobody', () => {
    const cell = tf.layers.simpleRNNCell({ units: 2 });
    Object.assign(cell, { stateSize: [2, 2] });
    cell.call = (inputs) => {
      const [x, h, unread] = inputs as [tf.Tensor, tf.Tensor, tf.Tensor];
      const next = h.mul(x);
      return [next, next, unread.add(x)];
    };
    const layer = tf.layers.rnn({ cell, name: 'pruned' });
    layer.apply(tf.zeros([1, 9, 2]));
    const f = (x: tf.Tensor): tf.Tensor => layer.apply(x) as tf.Tensor;
    expect(beforeAfter('pruneLoops', f, [tf.zeros([1, 9, 2])], ['removeIdentities', 'deadCodeAgain'])).toMatchInlineSnapshot(`
      "f(%0: float32[1,9,2])
        %1 = Sum(x: constant:float32[1,9,2]) {axis: [1,2], keepDims: false} : float32[1]
        %2 = Reshape(x: %1) {shape: [1,1]} : float32[1,1]
        %3 = Tile(x: %2) {reps: [1,2]} : float32[1,2]
        %4 = Tile(x: %2) {reps: [1,2]} : float32[1,2]
        %5 = Transpose(x: %0) {perm: [1,0,2]} : float32[9,1,2]
        %6, %7 = orbit.Loop(x0: %5, state0: %3, state1: %4) {body: 9 steps} : float32[1,2], float32[1,2]
          step(%8: float32[1,2], %9: float32[1,2], %10: float32[1,2])
            %11 = Multiply(a: %9, b: %8) : float32[1,2]
            %12 = Add(a: %10, b: %8) : float32[1,2]
            %9 := %11, %10 := %12
        return %6
      ---
      f(%0: float32[1,9,2])
        %1 = Sum(x: constant:float32[1,9,2]) {axis: [1,2], keepDims: false} : float32[1]
        %2 = Reshape(x: %1) {shape: [1,1]} : float32[1,1]
        %3 = Tile(x: %2) {reps: [1,2]} : float32[1,2]
        %4 = Transpose(x: %0) {perm: [1,0,2]} : float32[9,1,2]
        %5 = orbit.Loop(x0: %4, state0: %3) {body: 9 steps} : float32[1,2]
          step(%6: float32[1,2], %7: float32[1,2])
            %8 = Multiply(a: %7, b: %6) : float32[1,2]
            %7 := %8
        return %5"
    `);
  });

  it('loopFactors lets what does not depend on the states of a loop meet first', () => {
    const cell = tf.layers.simpleRNNCell({ units: 2 });
    cell.call = (inputs) => {
      const [x, h] = inputs as [tf.Tensor, tf.Tensor];
      const next = h.mul(x.sigmoid()).mul(x.tanh());
      return [next, next];
    };
    const layer = tf.layers.rnn({ cell, name: 'decay' });
    layer.apply(tf.zeros([1, 9, 2]));
    const f = (x: tf.Tensor): tf.Tensor => layer.apply(x) as tf.Tensor;
    expect(beforeAfter('loopFactors', f, [tf.zeros([1, 9, 2])], ['removeIdentities', 'pruneLoops', 'deadCodeAgain']))
      .toMatchInlineSnapshot(`
      "f(%0: float32[1,9,2])
        %1 = Sum(x: constant:float32[1,9,2]) {axis: [1,2], keepDims: false} : float32[1]
        %2 = Reshape(x: %1) {shape: [1,1]} : float32[1,1]
        %3 = Tile(x: %2) {reps: [1,2]} : float32[1,2]
        %4 = Transpose(x: %0) {perm: [1,0,2]} : float32[9,1,2]
        %5 = orbit.Loop(x0: %4, state0: %3) {body: 9 steps} : float32[1,2]
          step(%6: float32[1,2], %7: float32[1,2])
            %8 = Sigmoid(x: %6) : float32[1,2]
            %9 = Multiply(a: %7, b: %8) : float32[1,2]
            %10 = Tanh(x: %6) : float32[1,2]
            %11 = Multiply(a: %9, b: %10) : float32[1,2]
            %7 := %11
        return %5
      ---
      f(%0: float32[1,9,2])
        %1 = Sum(x: constant:float32[1,9,2]) {axis: [1,2], keepDims: false} : float32[1]
        %2 = Reshape(x: %1) {shape: [1,1]} : float32[1,1]
        %3 = Tile(x: %2) {reps: [1,2]} : float32[1,2]
        %4 = Transpose(x: %0) {perm: [1,0,2]} : float32[9,1,2]
        %5 = orbit.Loop(x0: %4, state0: %3) {body: 9 steps} : float32[1,2]
          step(%6: float32[1,2], %7: float32[1,2])
            %8 = Sigmoid(x: %6) : float32[1,2]
            %9 = Multiply(a: %7, b: %8) : float32[1,2]
            %10 = Tanh(x: %6) : float32[1,2]
            %11 = Multiply(a: %8, b: %10) : float32[1,2]
            %12 = Multiply(a: %7, b: %11) : float32[1,2]
            %7 := %12
        return %5"
    `);
  });

  it('splitLoops takes the products with the inputs out of a recurrent layer', () => {
    const layer = tf.layers.simpleRNN({ units: 2, recurrentInitializer: 'glorotUniform', name: 'rnn' });
    layer.apply(tf.zeros([1, 9, 3]));
    const f = (x: tf.Tensor): tf.Tensor => layer.apply(x) as tf.Tensor;
    const beside: PassName[] = ['removeIdentities', 'pruneLoops', 'loopFactors', 'foldConstants', 'deadCodeAgain'];
    expect(beforeAfter('splitLoops', f, [tf.zeros([1, 9, 3])], beside)).toMatchInlineSnapshot(`
      "f(%0: float32[1,9,3])
        %1 = Transpose(x: %0) {perm: [1,0,2]} : float32[9,1,3]
        %2 = Reshape(x: @rnn/kernel) {shape: [1,3,2]} : float32[1,3,2]
        %3 = Reshape(x: @rnn/recurrent_kernel) {shape: [1,2,2]} : float32[1,2,2]
        %4 = orbit.Loop(x0: %1, state0: float32(0, 0), outer0: %2, outer1: @rnn/bias, outer2: %3) {body: 9 steps} : float32[1,2]
          step(%5: float32[1,3], %6: float32[1,2])
            %7 = Reshape(x: %5) {shape: [1,1,3]} : float32[1,1,3]
            %8 = _FusedMatMul(a: %7, b: %2) {transposeA: false, transposeB: false, activation: linear, leakyreluAlpha: 0.2} : float32[1,1,2]
            %9 = Reshape(x: %8) {shape: [1,2]} : float32[1,2]
            %10 = Add(a: %9, b: @rnn/bias) : float32[1,2]
            %11 = Reshape(x: %6) {shape: [1,1,2]} : float32[1,1,2]
            %12 = _FusedMatMul(a: %11, b: %3) {transposeA: false, transposeB: false, activation: linear, leakyreluAlpha: 0.2} : float32[1,1,2]
            %13 = Reshape(x: %12) {shape: [1,2]} : float32[1,2]
            %14 = Add(a: %10, b: %13) : float32[1,2]
            %15 = Tanh(x: %14) : float32[1,2]
            %6 := %15
        return %4
      ---
      f(%0: float32[1,9,3])
        %1 = Transpose(x: %0) {perm: [1,0,2]} : float32[9,1,3]
        %2 = Reshape(x: @rnn/kernel) {shape: [1,3,2]} : float32[1,3,2]
        %3 = Reshape(x: @rnn/recurrent_kernel) {shape: [1,2,2]} : float32[1,2,2]
        %4 = Reshape(x: %1) {shape: [9,1,1,3]} : float32[9,1,1,3]
        %5 = Reshape(x: %4) {shape: [9,3]} : float32[9,3]
        %6 = Reshape(x: %2) {shape: [3,2]} : float32[3,2]
        %7 = _FusedMatMul(a: %5, b: %6) {transposeA: false, transposeB: false, activation: linear, leakyreluAlpha: 0.2} : float32[9,2]
        %8 = Reshape(x: %7) {shape: [9,1,1,2]} : float32[9,1,1,2]
        %9 = Reshape(x: %8) {shape: [9,1,2]} : float32[9,1,2]
        %10 = Add(a: %9, b: @rnn/bias) : float32[9,1,2]
        %11 = orbit.Loop(x0: %10, state0: float32(0, 0), outer0: %3) {body: 9 steps} : float32[1,2]
          step(%12: float32[1,2], %13: float32[1,2])
            %14 = Reshape(x: %13) {shape: [1,1,2]} : float32[1,1,2]
            %15 = _FusedMatMul(a: %14, b: %3) {transposeA: false, transposeB: false, activation: linear, leakyreluAlpha: 0.2} : float32[1,1,2]
            %16 = Reshape(x: %15) {shape: [1,2]} : float32[1,2]
            %17 = Add(a: %12, b: %16) : float32[1,2]
            %18 = Tanh(x: %17) : float32[1,2]
            %13 := %18
        return %11"
    `);
  });
});

describe('packed updates', () => {
  const values = [0, 1, 2, 3, 4].map((i) => tf.randomNormal([i + 1, 3], 0, 1, 'float32', i));

  /** Values after three steps of momentum. */
  function trained(disabledPasses: PassName[], use: (v: tf.Variable, i: number) => tf.Tensor): number[][] {
    const variables = values.map((v) => tf.variable(v));
    const optimizer = tf.train.momentum(0.1, 0.9);
    const step = compile(
      () => {
        const loss = optimizer.minimize(() => tf.addN(variables.map((v) => v.square().sum())) as tf.Scalar, true, variables)!;
        return [loss, ...variables.map(use)];
      },
      { disabledPasses, nativeKernels: false },
    );
    const last = [1, 2, 3].map(() => step.runSync()).at(-1)!;
    return [...last.map((t) => [...t.dataSync()]), ...variables.map((v) => [...v.dataSync()])];
  }

  it('give each variable its own numbers', () => {
    expect(trained([], (v) => v.sum())).toEqual(trained(['packUpdates'], (v) => v.sum()));
  });

  it('leave alone a variable whose new value the program goes on computing with', () => {
    const use = (v: tf.Variable, i: number): tf.Tensor => (i === 0 ? v.exp().matMul(tf.ones([3, 1])) : v.sum());
    const [got, expected] = [trained([], use), trained(['packUpdates'], use)];
    got.forEach((g, i) => tf.test_util.expectArraysClose(g, expected[i]!, 1e-6));
  });
});

describe('regrouped products', () => {
  const x = tf.tensor1d([-2, -0.5, 0, 0.5, 3]);
  const gelu = (t: tf.Tensor): tf.Tensor => t.mul(0.5).mul(t.mul(Math.SQRT1_2).erf().add(1));

  it('give the value and the gradient of gelu', () => {
    const f = (t: tf.Tensor): tf.Tensor[] => [gelu(t), tf.grad((u: tf.Tensor) => gelu(u).mul(u).sum())(t)];
    const got = compile(f).runSync(x);
    f(x).forEach((t, i) => tf.test_util.expectArraysClose(got[i]!.dataSync(), t.dataSync(), 1e-6));
  });

  it('keep NaN and infinity where they are', () => {
    const f = (t: tf.Tensor, u: tf.Tensor): tf.Tensor => t.mul(2).mul(u).mul(0.5).add(t.mul(u).mul(3));
    const args = [tf.tensor1d([NaN, Infinity, -Infinity, 0, 1]), tf.tensor1d([1, 2, 3, Infinity, -Infinity])];
    expect([...compile(f).runSync(args[0]!, args[1]!).dataSync()]).toEqual([...f(args[0]!, args[1]!).dataSync()]);
  });
});
