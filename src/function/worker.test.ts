import { build } from 'esbuild';
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
const directory = mkdtempSync(path.join(root, 'tests/.worker-')); // inside the package, so that #tf is found
const bundle = path.join(directory, 'function.mjs');

beforeAll(() =>
  build({
    entryPoints: [path.join(root, 'src/function/index.ts')],
    outfile: bundle,
    bundle: true,
    format: 'esm',
    platform: 'node',
    external: ['#tf', '#package.json', 'koffi', 'onnxruntime-node', '@orbit-ts/*'],
  }),
);
afterAll(() => rmSync(directory, { recursive: true, force: true }));

/** Runs in a worker: trains y = 2x by gradient descent and posts the weight. */
const workerProgram = `
  const { parentPort, workerData } = require('node:worker_threads');
  (async () => {
    const tf = await import(workerData.tf);
    const { compile } = await import(workerData.function);
    const w = tf.variable(tf.scalar(workerData.start));
    const step = compile((x) => {
      const { value, grads } = tf.variableGrads(() => tf.squaredDifference(tf.mul(w, x), tf.mul(x, 2)).mean(), [w]);
      w.assign(tf.sub(w, tf.mul(grads[w.name], 0.1)));
      return value;
    });
    const big = compile((m) => tf.sum(tf.matMul(tf.matMul(m, m), m)));
    for (let i = 0; i < 100; i++) (await step(tf.tensor1d([1, 2]))).dispose();
    const sums = [];
    for (let i = 0; i < 3; i++) sums.push((await big(tf.ones([256, 256]))).dataSync()[0]);
    for (let i = 0; workerData.forever; i++) {
      if (i === 3) parentPort.postMessage({});
      await big(tf.ones([900, 900]));
    }
    if (workerData.dispose) { step.dispose(); big.dispose(); }
    parentPort.postMessage({ w: w.dataSync()[0], sums });
  })();
`;

interface Result {
  readonly w: number;
  readonly sums: readonly number[];
}

function start(data: { start: number; dispose?: boolean; forever?: boolean }): {
  worker: Worker;
  result: Promise<Result>;
  exit: Promise<number>;
} {
  const worker = new Worker(workerProgram, {
    eval: true,
    execArgv: [],
    workerData: { ...data, function: pathToFileURL(bundle).href, tf: pathToFileURL(path.join(root, 'dist/tf/index.js')).href },
  });
  const result = new Promise<Result>((resolve, reject) => {
    worker.once('message', resolve);
    worker.once('error', reject);
  });
  return { worker, result, exit: new Promise((resolve) => worker.once('exit', resolve)) };
}

it('compiled steps run in a worker thread, and the worker ends by itself', async () => {
  const { result, exit } = start({ start: 0 });
  const { w, sums } = await result;
  expect(w).toBeCloseTo(2, 5);
  expect(sums).toEqual([2 ** 32, 2 ** 32, 2 ** 32]);
  expect(await exit).toBe(0);
});

it('two workers and the main thread run compiled steps at the same time, each with variables of its own', async () => {
  const tf = await import('#tf');
  const { compile } = await import('./index.js');
  const workers = [start({ start: -5 }), start({ start: 5, dispose: true })];
  const v = tf.variable(tf.scalar(0));
  const count = compile(() => {
    v.assign(v.add(1));
  });
  let ended = false;
  const results = Promise.all(workers.map((w) => w.result)).finally(() => (ended = true));
  let steps = 0;
  while (!ended) {
    await count();
    steps++;
    await new Promise(setImmediate);
  }
  for (const { w, sums } of await results) {
    expect(w).toBeCloseTo(2, 5);
    expect(new Set(sums).size).toBe(1);
  }
  expect(v.dataSync()[0]).toBe(steps);
  expect(await Promise.all(workers.map((w) => w.exit))).toEqual([0, 0]);
});

it('a worker that is terminated while its step runs in the background leaves the others running', async () => {
  const { worker, result } = start({ start: 0, forever: true });
  await result;
  await worker.terminate();
  expect((await start({ start: 3 }).result).w).toBeCloseTo(2, 5);
});
