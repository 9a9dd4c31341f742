import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { TraceError, UsageError } from '../errors.js';
import { compile, initScope, randomState, setRandomSeed } from './index.js';

describe('compile', () => {
  it('gives the numbers that eager tfjs gives', async () => {
    const f = (x: tf.Tensor2D, y: tf.Tensor2D): tf.Tensor => x.matMul(y).add(1).relu().sum();
    const x = tf.tensor2d([1, -2, 3, 4, 5, -6], [2, 3]);
    const y = tf.tensor2d([1, 2, 3, 4, -5, 6], [3, 2]);
    const out = await compile(f)(x, y);
    expect(out.dataSync()[0]).toBeCloseTo(f(x, y).dataSync()[0]!, 5);
  });

  it('traces once per signature', () => {
    const f = compile((x: tf.Tensor) => x.add(1));
    f.runSync(tf.zeros([2]));
    f.runSync(tf.ones([2]));
    expect(f.traceCount).toBe(1);
    f.runSync(tf.zeros([3]));
    expect(f.traceCount).toBe(2);
  });

  it('takes typed arrays with a shape in the place of tensors, at any depth', () => {
    const f = compile(({ x, rest }: { x: tf.Tensor; rest: [tf.Tensor] }) => ({ sum: x.add(rest[0]) }));
    const { sum } = f.runSync({ x: { data: Float32Array.of(1, 2), shape: [2] }, rest: [{ data: Float32Array.of(10, 20), shape: [2] }] });
    expect([...sum.dataSync()]).toEqual([11, 22]);
  });

  it('updates variables, and sees assignments made between calls', async () => {
    const v = tf.variable(tf.scalar(1));
    const step = compile(() => v.assign(v.mul(2)));
    await step();
    await step();
    expect(v.dataSync()[0]).toBe(4);
    v.assign(tf.scalar(10));
    await step();
    expect(v.dataSync()[0]).toBe(20);
    expect(v.add(1).dataSync()[0]).toBe(21);
  });

  it('leaves a clone of a variable unchanged when later steps overwrite the variable', async () => {
    const v = tf.variable(tf.tensor1d([1, 2, 3]));
    const step = compile(() => v.assign(v.add(1)));
    const before = v.clone();
    await step();
    const between = v.reshape([3, 1]);
    const read = v.dataSync();
    await step();
    await step();
    expect([...before.dataSync()]).toEqual([1, 2, 3]);
    expect([...between.dataSync()]).toEqual([2, 3, 4]);
    expect([...read]).toEqual([2, 3, 4]);
    expect([...v.dataSync()]).toEqual([4, 5, 6]);
  });

  it('lets two functions flip overlapping sets of variables', async () => {
    const a = tf.variable(tf.scalar(1));
    const b = tf.variable(tf.scalar(1));
    const both = compile(() => {
      a.assign(a.add(b));
      b.assign(b.add(1));
    });
    const one = compile(() => b.assign(b.mul(10)));
    const read = compile(() => a.add(b));
    let [x, y] = [1, 1];
    for (let i = 0; i < 5; i++) {
      await both();
      [x, y] = [x + y, y + 1];
      if (i % 2 === 0) {
        await one();
        y *= 10;
      }
      expect((await read()).dataSync()[0]).toBe(x + y);
    }
    expect([a.dataSync()[0], b.dataSync()[0]]).toEqual([x, y]);
  });

  it('reads a tensor from outside at each call', async () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const scale = tf.tensor1d([10, 100]);
    const f = compile((x: tf.Tensor1D) => x.mul(scale).add(v));
    expect([...(await f(tf.tensor1d([1, 1]))).dataSync()]).toEqual([11, 102]);
    scale.dispose();
    await expect(f(tf.tensor1d([1, 1]))).rejects.toThrow(/disposed/);
  });

  it('refuses to read a tensor while tracing, and says what to do', () => {
    const f = compile((x: tf.Tensor) => tf.scalar(x.dataSync()[0]!));
    expect(() => f.runSync(tf.scalar(1))).toThrow(/run eagerly/);
  });

  it('names the kernel that cannot be compiled and the line of user code', () => {
    const f = compile((x: tf.Tensor1D) => tf.unique(x).values);
    expect(() => f.runSync(tf.tensor1d([1, 2]))).toThrow(TraceError);
    expect(() => f.runSync(tf.tensor1d([1, 2]))).toThrow(
      /kernel Unique cannot be compiled: its output shape depends on values.*compile\.test\.ts:\d+/s,
    );
  });

  it('refuses a host-made constant that differs between two traces', () => {
    const f = compile((x: tf.Tensor) => x.add(Math.random()));
    expect(() => f.runSync(tf.scalar(1))).toThrow(/traced twice/);
  });

  it('refuses a function that returns a promise', () => {
    const f = compile(async (x: tf.Tensor) => Promise.resolve(x));
    expect(() => f.runSync(tf.scalar(1))).toThrow(/synchronous/);
  });

  it('gives a variable made in the first call its initial value at once, and refuses one made later', () => {
    let v: tf.Variable | undefined;
    const f = compile((x: tf.Tensor1D) => {
      v ??= initScope(() => tf.variable(tf.ones([2])));
      v.assign(v.add(x) as tf.Tensor1D);
    });
    f.runSync(tf.tensor1d([1, 2]));
    expect([...v!.dataSync()]).toEqual([2, 3]);
    const g = compile(() => {
      tf.variable(tf.scalar(1));
    });
    expect(() => g.runSync()).toThrow(/later call/);
  });

  it('leaves backend, scopes and memory counters as they were, also when the function throws', () => {
    const x = tf.scalar(1);
    const before = { ...tf.memory(), backend: tf.getBackend() };
    const bad = compile((t: tf.Tensor) => {
      tf.tidy(() => t.add(1));
      throw new RangeError('from the user');
    });
    expect(() => bad.runSync(x)).toThrow('from the user');
    const good = compile((t: tf.Tensor) => {
      t.add(1);
    });
    good.runSync(x);
    const after = { ...tf.memory(), backend: tf.getBackend() };
    expect(after).toEqual(before);
  });

  it('draws the same random numbers compiled and eagerly, and others at the next step', async () => {
    const f = (): tf.Tensor[] => [
      tf.randomUniform([5], -1, 3),
      tf.randomNormal([5], 1, 2),
      tf.truncatedNormal([5], 0, 1),
      tf.dropout(tf.ones([50]), 0.5),
      tf.randomUniform([4], 0, 100, 'int32'),
    ];
    setRandomSeed(7);
    const eager = compile(f, { eager: true });
    const first = eager.runSync();
    const second = eager.runSync();
    const state = randomState.stateDict();
    setRandomSeed(7);
    const compiled = compile(f);
    for (const expected of [first, second]) {
      const got = await compiled();
      got.forEach((t, i) => tf.test_util.expectArraysClose(t.dataSync(), expected[i]!.dataSync(), 1e-5));
    }
    expect(randomState.stateDict()).toEqual(state);
    expect([...first[0]!.dataSync()]).not.toEqual([...second[0]!.dataSync()]);
  });

  it('retraces when a host field of a tfjs optimizer changes', async () => {
    const v = tf.variable(tf.scalar(1));
    const optimizer = tf.train.momentum(0.1, 0);
    const step = compile(() => {
      optimizer.minimize(() => v.square() as tf.Scalar, false, [v]);
    });
    await step();
    expect(v.dataSync()[0]).toBeCloseTo(0.8, 6);
    (optimizer as unknown as { learningRate: number }).learningRate = 0.5;
    await step();
    expect(step.traceCount).toBe(2);
  });

  it('refuses arrays whose size does not fit their shape', () => {
    const f = compile((x: tf.Tensor) => x.add(1));
    expect(() => f.runSync({ data: new Float32Array(3), shape: [2, 2] })).toThrow(UsageError);
  });

  it('profiles a step by kernel and ONNX op, and changes no variable', () => {
    const v = tf.variable(tf.ones([8, 8]));
    const step = compile((x: tf.Tensor2D) => v.assign(v.matMul(x)));
    const { rows } = step.profile(tf.ones([8, 8]));
    expect(rows.map((r) => [r.kernel, r.op, r.nodes])).toEqual([['BatchMatMul', 'Gemm', 1]]);
    expect(v.dataSync()[0]).toBe(1);
  });

  it('goes on after tf.disposeVariables()', () => {
    setRandomSeed(1);
    tf.disposeVariables();
    expect(compile(() => tf.randomUniform([2])).runSync().shape).toEqual([2]);
  });

  it('lets eager code exchange the values of two variables that a step uses', () => {
    const v = tf.variable(tf.tensor1d([1, 2]));
    const a = tf.variable(tf.tensor1d([3, 4]));
    const sum = compile(() => [v.add(0), a.add(0)]);
    sum.runSync();
    const old = v.clone();
    v.assign(a as tf.Tensor1D);
    a.assign(old);
    expect(sum.runSync().map((t) => [...t.dataSync()])).toEqual([
      [3, 4],
      [1, 2],
    ]);
    expect([...a.dataSync()]).toEqual([1, 2]);
  });

  it('reads large arguments where they lie, each call its own', async () => {
    const size = 20_000;
    const f = compile((x: tf.Tensor1D) => x.sum());
    const first = { data: new Float32Array(size).fill(1), shape: [size] };
    const second = { data: new Float32Array(size).fill(2), shape: [size] };
    const sums = [first, second, first, second, second].map((x) => f.runSync(x).dataSync()[0]);
    expect(sums).toEqual([size, 2 * size, size, 2 * size, 2 * size]);
    first.data.fill(3);
    expect(f.runSync(first).dataSync()[0]).toBe(3 * size);
    expect((await f(second)).dataSync()[0]).toBe(2 * size);
    const g = compile((x: tf.Tensor2D) => x.sum(0));
    expect([...g.runSync({ data: second.data, shape: [size / 2, 2] }).dataSync()]).toEqual([size, size]);
  });
});
