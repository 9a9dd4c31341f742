/** A batch that workers made is read by the compiled step in the shared memory where it lies. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';

import * as tf from '#tf';
import { DatasetIterator, fromArrays, inWorker, range, NDArray } from '../src/data/index.js';
import { useBuiltWorker } from '../src/data/workers/built-worker.testing.js';
import { defineTask, experimentConfig, getTask, runExperiment, taskConfig } from '../src/experiment/index.js';
import type { ExperimentConfig, Model, Tensors } from '../src/experiment/index.js';
import { compile } from '../src/function/index.js';
import type { Optimizer } from '../src/optimization/index.js';

const functions = new URL('../src/data/workers/functions.testing.mjs', import.meta.url).href;
/** Large enough to be read in place. */
const [ROWS, COLUMNS] = [32, 512];

describe('The hand-over of batches to a compiled step', () => {
  let removeWorker: () => void;
  beforeAll(async () => {
    removeWorker = await useBuiltWorker();
  });
  afterAll(() => removeWorker());

  it('copies nothing: the step reads each batch in one of a few pieces of shared memory', async () => {
    const wide = inWorker<(x: number) => { x: NDArray<'float32'> }>(functions, 'wide');
    const iterator = range(0, 20 * ROWS)
      .map(wide, { workers: 1 })
      .batch(ROWS)
      .iterator();
    const step = compile((batch: { x: tf.Tensor }) => tf.sum(batch.x), { name: 'sum_of_batch' });
    const pieces = new Set<ArrayBufferLike>();
    const copied = vi.spyOn(Float32Array.prototype, 'set');
    try {
      for (let first = 0; first < 20 * ROWS; first += ROWS) {
        const batch = (await iterator.next()).value!;
        const { data } = batch.x;
        pieces.add(data.buffer);
        expect(data.buffer).toBeInstanceOf(SharedArrayBuffer);
        copied.mockClear();
        const total = step.runSync(batch as never) as tf.Tensor;
        expect(copied.mock.calls.filter(([source]) => source === data)).toEqual([]);
        // Row i is full of i: exact in float32.
        expect((total.dataSync() as Float32Array)[0]).toBe(COLUMNS * (ROWS * first + (ROWS * (ROWS - 1)) / 2));
        total.dispose();
        iterator.release(batch);
      }
      expect(pieces.size).toBeLessThanOrEqual(6);
    } finally {
      copied.mockRestore();
      step.dispose();
      await iterator.return();
    }
  });

  it('of arrays in this process copies nothing either, and uses the memory of batches again', () => {
    const rows = Float32Array.from({ length: 8 * ROWS * COLUMNS }, (_, i) => Math.floor(i / COLUMNS));
    const table = rangeOfRows(rows).repeat(3).batch(ROWS).iterator();
    const step = compile((batch: { x: tf.Tensor }) => tf.sum(batch.x), { name: 'sum_of_rows' });
    const arrays = new Set<Float32Array>();
    for (let k = 0; k < 24; k++) {
      const batch = table.nextSync()!.value!;
      arrays.add(batch.x.data);
      const total = step.runSync(batch as never) as tf.Tensor;
      expect((total.dataSync() as Float32Array)[0]).toBe(COLUMNS * (ROWS * (k % 8) * ROWS + (ROWS * (ROWS - 1)) / 2));
      total.dispose();
      table.release(batch);
    }
    step.dispose();
    expect(arrays.size).toBe(8); // they rest for a while before they are used again
  });
});

describe('The hand-over of batches in a run', () => {
  let removeWorker: () => void;
  const modelDir = mkdtempSync(join(tmpdir(), 'orbit-hand-over-'));
  beforeAll(async () => {
    removeWorker = await useBuiltWorker();
  });
  afterAll(() => {
    removeWorker();
    rmSync(modelDir, { recursive: true });
  });

  it('goes through a few pieces of shared memory: the trainer gives each batch back once its step has read it', async () => {
    const STEPS = 40;
    const schema = taskConfig({}, { name: 'hand_over' });
    const wide = inWorker<(x: number) => { x: NDArray<'float32'> }>(functions, 'wide');
    defineTask(schema, {
      buildModel: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [COLUMNS] })] }),
      buildInputs: () =>
        range(0, STEPS * ROWS)
          .map(wide, { workers: 1 })
          .batch(ROWS)
          .prefetch(2),
      buildLosses: () => tf.scalar(0),
      trainStep(inputs: Tensors, model: Model, optimizer: Optimizer) {
        const { x } = inputs as { x: tf.Tensor };
        const loss = (): tf.Scalar => tf.mean(tf.mul(model.apply(x) as tf.Tensor, 1e-6));
        const { value, grads } = tf.variableGrads(loss);
        const variables = (model as tf.LayersModel).trainableWeights.map((weight) => weight.read() as tf.Variable);
        optimizer.applyGradients(variables.map((variable) => [grads[variable.name]!, variable]));
        return { loss: value };
      },
    });
    const params = experimentConfig({
      task: schema({ train_data: { is_training: true, global_batch_size: ROWS } }),
      trainer: {
        ...{ train_steps: STEPS, steps_per_loop: 10, checkpoint_interval: STEPS },
        optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.1 } } },
      },
    }) as ExperimentConfig;
    const released = vi.spyOn(DatasetIterator.prototype, 'release');
    try {
      await runExperiment({ task: getTask(params.task), mode: 'train', params, modelDir });
      const batches = released.mock.calls.map(([batch]) => batch as { x: NDArray });
      expect(batches).toHaveLength(STEPS);
      const pieces = new Set(batches.map(({ x }) => x.data.buffer));
      for (const piece of pieces) expect(piece).toBeInstanceOf(SharedArrayBuffer);
      expect(pieces.size).toBeLessThanOrEqual(6);
    } finally {
      released.mockRestore();
    }
  });
});

function rangeOfRows(values: Float32Array) {
  return fromArrays({ x: new NDArray(values, [values.length / COLUMNS, COLUMNS], 'float32') });
}
