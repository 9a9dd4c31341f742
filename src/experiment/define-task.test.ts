import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { fromArrays, NDArray } from '../data/index.js';
import { SGD } from '../optimization/index.js';
import { defineTask, experimentConfig, getTask, runExperiment, taskConfig } from './index.js';

const parts = {
  buildModel: () =>
    tf.sequential({
      layers: [tf.layers.dense({ name: 'd', units: 1, useBias: false, inputShape: [1], kernelInitializer: 'ones' })],
    }),
  buildInputs: () => {
    const rows = NDArray.of(Float32Array.of(1, 1), [2, 1]);
    return fromArrays([rows, rows]).repeat(4).batch(2);
  },
};

describe('defineTask', () => {
  it('uses an optimizer and an inference step of its own, and needs no buildLosses beside a trainStep', async () => {
    const schema = taskConfig({}, { name: 'own_optimizer' });
    defineTask(schema, {
      ...parts,
      createOptimizer: () => new SGD({ learningRate: 0.25 }),
      inferenceStep: (features, model) => (model.apply(features as tf.Tensor) as tf.Tensor).mul(10),
      trainStep(_inputs, model, optimizer) {
        const [kernel] = model.trainableWeights.map((w) => w.read() as tf.Variable);
        optimizer.applyGradients([[tf.onesLike(kernel!), kernel!]]);
        return { loss: tf.scalar(0) };
      },
      processMetrics: () => {},
      validationStep(inputs, model) {
        return { loss: tf.sum(this.inferenceStep((inputs as tf.Tensor[])[0]!, model) as tf.Tensor) as tf.Scalar };
      },
    });
    const params = experimentConfig({
      task: schema({ train_data: { is_training: true, global_batch_size: 2 }, validation_data: { global_batch_size: 2 } }),
      trainer: { train_steps: 2, steps_per_loop: 2, summary_interval: 2, validation_steps: 1 },
    });
    const modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-define-'));
    const quiet = { reporter: {}, log: () => {} };
    const { evalLogs } = await runExperiment({ task: getTask(params.task), params, mode: 'train_and_post_eval', modelDir, ...quiet });
    rmSync(modelDir, { recursive: true });
    expect(evalLogs['validation_loss']).toBeCloseTo(2 * 10 * (1 - 2 * 0.25), 5);
  });

  it('refuses what is no function of a task, and says what is missing', () => {
    const define = (definition: object) => () => defineTask(taskConfig({}, { name: 'wrong' }), definition as never);
    const buildLosses = (): tf.Tensor => tf.scalar(0);
    expect(define({ ...parts, buildLosses, buildMetric: () => [] })).toThrow(
      'defineTask of wrong: a task has no "buildMetric". Did you mean "buildMetrics"? It has: buildModel, buildInputs, buildLosses,',
    );
    expect(define({ ...parts, buildLosses: 'mse' })).toThrow('defineTask of wrong: buildLosses should be a function.');
    expect(define(parts)).toThrow('defineTask of wrong: buildLosses is missing: without it there is nothing to learn.');
    expect(define({ buildLosses, buildModel: parts.buildModel })).toThrow('defineTask of wrong: buildInputs is missing.');
  });
});
