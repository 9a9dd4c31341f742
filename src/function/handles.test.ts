import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { compile } from './index.js';
import { nativeHandles } from './runtime/handles.js';

/** What tfjs's engine counts. */
const counts = (): object => {
  const { numTensors, numDataBuffers, numBytes } = tf.memory();
  return { numTensors, numDataBuffers, numBytes, cpu: tf.backend().numDataIds(), scopes: tf.engine().state.scopeStack.length };
};

describe('dispose() gives back', () => {
  it('every session, binding and value of a function without variables', async () => {
    const before = nativeHandles();
    for (let i = 0; i < 20; i++) {
      const scale = tf.tensor1d([1, 2, i]);
      const step = compile((x: tf.Tensor1D) => ({ a: x.mul(scale), b: [x.sum()] }));
      await step(tf.tensor1d([1, 2, 3]));
      step.runSync(tf.tensor1d([4, 5, 6]));
      expect(nativeHandles().session).toBe(before.session + 1);
      step.dispose();
      scale.dispose();
    }
    expect(nativeHandles()).toEqual(before);
  });

  it('everything but the buffers that variables live in, two for each that is assigned', () => {
    const before = nativeHandles();
    const v = tf.variable(tf.zeros([4]));
    const w = tf.variable(tf.ones([4]));
    for (let i = 0; i < 20; i++) {
      const step = compile((x: tf.Tensor1D) => v.assign(v.add(x).add(w) as tf.Tensor1D));
      step.runSync(tf.ones([4]));
      step.runSync(tf.ones([4]));
      step.runSync(tf.ones([4]));
      step.dispose();
    }
    expect([...v.dataSync()]).toEqual([120, 120, 120, 120]);
    expect(nativeHandles()).toEqual({ ...before, value: before.value + 3 });
  });

  it('all signatures, and those dropped from the cache earlier', () => {
    const before = nativeHandles();
    const step = compile((x: tf.Tensor) => x.add(1), { cacheSize: 2 });
    for (const n of [1, 2, 3, 4, 1]) step.runSync(tf.zeros([n]));
    expect(nativeHandles().session).toBe(before.session + 2);
    step.dispose();
    expect(nativeHandles()).toEqual(before);
  });

  it('what was made before an error of a run or of the graph', () => {
    const before = nativeHandles();
    const lookup = compile((i: tf.Tensor1D) => tf.gather(tf.tensor1d([1, 2]), i));
    expect(() => lookup.runSync(tf.tensor1d([9], 'int32'))).toThrow(/index/);
    lookup.dispose();
    expect(nativeHandles()).toEqual(before);
  });
});

describe('tracing leaves nothing in tfjs', () => {
  it('neither when it succeeds nor when the function throws, at any depth', async () => {
    const x = tf.tensor2d([[1, 2]]);
    const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] });
    model.apply(x);
    const optimizer = tf.train.sgd(0.1);
    const variables = model.trainableWeights.map((w) => w.read()) as tf.Variable[];
    const train = (fail: boolean) => (t: tf.Tensor2D) => {
      optimizer.minimize(
        () =>
          tf.tidy(() => {
            const y = model.apply(t) as tf.Tensor;
            if (fail) throw new RangeError('from the user');
            return y.square().mean();
          }),
        false,
        variables,
      );
    };
    const warm = compile(train(false));
    warm.runSync(x);
    warm.dispose();
    const before = counts();
    for (let i = 0; i < 5; i++) {
      expect(() => compile(train(true)).runSync(x)).toThrow('from the user');
      const good = compile(train(false));
      await good(x);
      good.graph(x);
      good.toOnnx(x);
      good.dispose();
    }
    expect(counts()).toEqual(before);
  });
});
