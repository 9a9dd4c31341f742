// Saves and restores of a large state: 100 M float32 parameters with Adam's two slots each, 1.2 GB.
import { spawnSync } from 'node:child_process';
import { closeSync, fsyncSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import { Checkpoint, CheckpointManager } from 'orbit-ts/checkpoint';
import { compile, variableHolder } from 'orbit-ts/function';
import { Adam } from 'orbit-ts/optimization';
import * as tf from 'orbit-ts/tf';
import { serve } from './protocol.mjs';

const WIDTH = 2048;
const LAYERS = 24;
/** Rows of a batch: chosen so that a step takes about 0.4 s. */
const ROWS = 56;
const CHUNK = 4 << 20;

const globalStep = { value: 0, assign: (value) => void (globalStep.value = value) };
let step, manager, checkpoint, kernels, memory;

/** The same bytes as plain arrays, for the measurements beside ours. */
function plainMemory() {
  memory ??= Array.from({ length: 3 * LAYERS }, (_, i) => new Float32Array(WIDTH * WIDTH).fill(i));
  return memory;
}

const seconds = (run) => {
  const start = performance.now();
  run();
  return (performance.now() - start) / 1000;
};

async function secondsOf(run) {
  const start = performance.now();
  await run();
  return (performance.now() - start) / 1000;
}

function chunks(array) {
  const bytes = new Uint8Array(array.buffer);
  return Array.from({ length: Math.ceil(bytes.length / CHUNK) }, (_, i) => bytes.subarray(i * CHUNK, (i + 1) * CHUNK));
}

/** What was written before, by anybody, is on the device: neither of two compared writes pays for it. */
const settle = () => void spawnSync('sync');

/** Plain files are kept as long as checkpoints are, so that neither finds more memory freed for its pages than the other. */
const KEPT = 2;
let plainFiles = 0;
const plainFile = (number = plainFiles) => path.join(process.env.BENCH_OUT, `plain-${number}`);
let target;

await serve({
  /** Builds model and optimizer; with `train` also the step, and makes the first one. */
  async load({ train, directory }) {
    kernels = Array.from({ length: LAYERS }, (_, i) =>
      tf.variable(tf.randomNormal([WIDTH, WIDTH], 0, 0.02, 'float32', i), true, `kernel_${i}`),
    );
    const optimizer = new Adam({ learningRate: 1e-3 });
    optimizer.build(kernels);
    checkpoint = new Checkpoint({ model: kernels, optimizer, globalStep });
    manager = new CheckpointManager({
      checkpoint,
      directory,
      maxToKeep: KEPT,
      variables: variableHolder,
      logger: { info() {}, warn() {} },
    });
    if (!train) return;
    const x = tf.randomNormal([ROWS, WIDTH], 0, 1, 'float32', 7);
    const compiled = compile((x) => {
      const { value, grads } = tf.variableGrads(() => tf.mean(tf.square(kernels.reduce((y, k) => tf.matMul(y, k), x))), kernels);
      optimizer.applyGradients(kernels.map((k) => [grads[k.name], k]));
      return value;
    });
    step = async () => (await compiled(x)).dispose();
    await step();
    manager.prepareBackgroundSaves();
  },

  /** Times of `steps` steps, in seconds. */
  async steps({ steps }) {
    const times = [];
    for (let i = 0; i < steps; i++) times.push(await secondsOf(step));
    return { times };
  },

  /** A save in the background: how long the call blocks, the steps after it, and the time until it is complete. */
  async saveInBackground({ steps }) {
    const start = performance.now();
    globalStep.value++;
    const blocked = await secondsOf(() =>
      manager.save({ checkpointNumber: globalStep.value, async: true, onCommit: () => (done = performance.now()) }),
    );
    let done = null;
    const times = [];
    for (let i = 0; i < steps; i++) times.push(await secondsOf(step));
    await manager.sync();
    return { blocked, times, complete: (done - start) / 1000 };
  },

  async saveAndWait() {
    globalStep.value++;
    settle();
    return { seconds: await secondsOf(async () => (target = await manager.save({ checkpointNumber: globalStep.value }))) };
  },

  /** One copy of the bytes within memory, the second time (the first makes the pages). */
  copy() {
    const source = plainMemory();
    const copies = source.map((a) => new Float32Array(a.length));
    const once = () => copies.forEach((c, i) => c.set(source[i]));
    once();
    return { seconds: seconds(once) };
  },

  /** The bytes written to a file and flushed. */
  plainWrite() {
    const source = plainMemory();
    plainFiles++;
    settle();
    const result = {
      seconds: seconds(() => {
        const file = openSync(plainFile(), 'w');
        for (const array of source) for (const chunk of chunks(array)) writeSync(file, chunk);
        fsyncSync(file);
        closeSync(file);
      }),
    };
    rmSync(plainFile(plainFiles - KEPT), { force: true });
    return result;
  },

  async restore() {
    const seen = await secondsOf(() => checkpoint.restore(target));
    return { seconds: seen };
  },

  /** What a restore cannot do without: reading the bytes, their checksum and one copy, one after the other. */
  readCopyChecksum() {
    const source = plainMemory();
    const times = { read: 0, crc32: 0, copy: 0 };
    const file = openSync(plainFile(), 'r');
    for (const array of source) {
      const fresh = new Float32Array(array.length);
      times.read += seconds(() => chunks(fresh).forEach((chunk) => readSync(file, chunk)));
      times.crc32 += seconds(() => chunks(fresh).forEach((chunk) => crc32(chunk)));
      times.copy += seconds(() => array.set(fresh));
    }
    closeSync(file);
    return times;
  },

  memory: () => ({ residentBytes: process.memoryUsage.rss() }),
});
