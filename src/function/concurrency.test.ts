import * as tf from '#tf';
import { describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { compile } from './index.js';
import { nativeHandles } from './runtime/handles.js';

/** A function that takes far longer than the limit above which steps run in the background: v ← 2v + w. */
function slowStep(v: tf.Variable, w: tf.Tensor): (x: tf.Tensor2D) => tf.Tensor {
  return (x) => {
    let y: tf.Tensor = x;
    for (let i = 0; i < 4; i++) y = y.matMul(x);
    v.assign(v.mul(2).add(w).add(y.sum().mul(0)) as tf.Tensor);
    return v.add(0);
  };
}

const big = (): tf.Tensor2D => tf.fill([900, 900], 1e-4);
const numberOf = (t: tf.Tensor): number => t.dataSync()[0]!;

describe('calls that overlap', () => {
  it('of one function run in the order in which they are made', async () => {
    const v = tf.variable(tf.scalar(0));
    const step = compile(slowStep(v, tf.scalar(1)));
    const x = big();
    await step(x); // from now on its runs go to the background
    const results = await Promise.all([step(x), step(x), step(x)]);
    expect(results.map(numberOf)).toEqual([3, 7, 15]);
    expect(numberOf(v)).toBe(15);
  });

  it('of two functions that share a variable run in the order in which they are made', async () => {
    const v = tf.variable(tf.scalar(1));
    const slow = compile(slowStep(v, tf.scalar(1)));
    const quick = compile(() => {
      v.assign(v.mul(10));
      return v.add(0);
    });
    const x = big();
    await slow(x);
    await quick();
    expect(numberOf(v)).toBe(30);
    const results = await Promise.all([slow(x), quick(), slow(x), quick(), quick()]);
    expect(results.map(numberOf)).toEqual([61, 610, 1221, 12210, 122100]);
  });

  it('keep their order when one of them fails', async () => {
    const v = tf.variable(tf.scalar(0));
    const slow = compile(slowStep(v, tf.scalar(1)));
    const lookup = compile((i: tf.Tensor1D) => tf.gather(tf.tensor1d([1, 2]), i));
    const x = big();
    await slow(x);
    const settled = await Promise.allSettled([slow(x), lookup(tf.tensor1d([5], 'int32')), slow(x)]);
    expect(settled.map((s) => s.status)).toEqual(['fulfilled', 'rejected', 'fulfilled']);
    expect(numberOf(v)).toBe(7);
  });

  it('take arguments as they were when the call was made', async () => {
    const slow = compile(slowStep(tf.variable(tf.scalar(0)), tf.scalar(1)));
    const double = compile((a: tf.Tensor1D) => a.mul(2));
    const x = big();
    await slow(x);
    const data = Float32Array.of(1, 2);
    const tensor = tf.tensor1d([5, 6]);
    const calls = [slow(x), double({ data, shape: [2] }), double(tensor)] as const;
    data.fill(100);
    tensor.dispose();
    const [, first, second] = await Promise.all(calls);
    expect([...first.dataSync(), ...second.dataSync()]).toEqual([2, 4, 10, 12]);
  });

  it('refuse to mix with runSync and profile while one runs in the background', async () => {
    const slow = compile(slowStep(tf.variable(tf.scalar(0)), tf.scalar(1)), { name: 'slow' });
    const quick = compile((a: tf.Tensor) => a.neg(), { name: 'quick' });
    const x = big();
    await slow(x);
    const running = slow(x);
    expect(() => quick.runSync(tf.scalar(1))).toThrow(UsageError);
    expect(() => quick.profile(tf.scalar(1))).toThrow(/"quick"\.profile was called while another compiled step runs/);
    await running;
    expect(numberOf(quick.runSync(tf.scalar(1)))).toBe(-1);
  });

  it('may be disposed of while they run: the run ends with its result, then its memory is given back', async () => {
    const before = nativeHandles().session;
    const slow = compile(slowStep(tf.variable(tf.scalar(0)), tf.scalar(1)));
    const x = big();
    await slow(x);
    const running = slow(x);
    slow.dispose();
    expect(nativeHandles().session).toBe(before + 1);
    expect(numberOf(await running)).toBe(3);
    expect(nativeHandles().session).toBe(before);
    expect(numberOf(await slow(x))).toBe(7); // compiled again
    slow.dispose();
    expect(nativeHandles().session).toBe(before);
  });
});

it('a long step leaves the event loop to others, a short one does not leave it', async () => {
  const slow = compile(slowStep(tf.variable(tf.scalar(0)), tf.scalar(1)));
  const quick = compile((a: tf.Tensor) => a.neg());
  const turnsDuring = async (run: () => Promise<unknown>): Promise<number> => {
    let turns = 0;
    let ended = false;
    const turn = (): void => {
      turns++;
      if (!ended) setImmediate(turn);
    };
    setImmediate(turn);
    await run();
    ended = true;
    return turns;
  };
  const x = big();
  const a = tf.scalar(1);
  await slow(x);
  await quick(a);
  expect(await turnsDuring(() => slow(x))).toBeGreaterThan(10);
  expect(await turnsDuring(() => quick(a))).toBe(0);
});
