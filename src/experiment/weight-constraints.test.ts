import { describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { readSafetensors } from '../checkpoint/index.js';
import { fromArrays, NDArray } from '../data/index.js';
import { defineTask, experimentConfig, getTask, taskConfig } from './index.js';
import type { ExperimentConfig } from './index.js';
import { run, toyRunner, useToyRuns } from './toy-run.testing.js';

useToyRuns();

const line = taskConfig({}, { name: 'constrained_line' });
const xs = Float32Array.from({ length: 12 }, (_, i) => Math.sin(i));
/** y = −2·x + 0·x' for inputs [x, 1], whose kernel may not be negative and whose bias is at most 0.5 long. */
defineTask(line, {
  buildModel: () => {
    const layer = tf.layers.dense({
      ...{ units: 1, inputShape: [2], name: 'line', kernelInitializer: 'ones' },
      kernelConstraint: 'nonNeg',
      biasConstraint: tf.constraints.maxNorm({ maxValue: 0.5, axis: 0 }),
    });
    return tf.sequential({ layers: [layer] });
  },
  buildInputs: ({ is_training }) => {
    const features = NDArray.of(Float32Array.from([...xs].flatMap((x) => [x, 1])), [12, 2]);
    const batches = fromArrays([features, NDArray.of(xs.map((x) => 3 - 2 * x), [12, 1])]).batch(4); // prettier-ignore
    return is_training ? batches.repeat() : batches;
  },
  buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
});
const params = (trainer: object = {}): ExperimentConfig =>
  experimentConfig({
    task: line({ train_data: { is_training: true }, validation_data: { is_training: false } }),
    trainer: {
      ...{ train_steps: 300, steps_per_loop: 50, summary_interval: 50, checkpoint_interval: 300, validation_interval: 300 },
      optimizer_config: { optimizer: { type: 'adam' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.02 } } },
      ...trainer,
    },
  }) as ExperimentConfig;
const weights = async (step: number): Promise<{ kernel: number[]; bias: number[] }> => {
  const saved = await readSafetensors(`${run.modelDir}/ckpt-${step}/model.safetensors`);
  const [kernel, bias] = ['line/kernel', 'line/bias'].map((name) => [...saved.get(name)!.data].map(Number));
  return { kernel: kernel!, bias: bias! };
};

describe('constraints of a layer’s weights', () => {
  it.each([{}, { runtime: { run_eagerly: true } }, { grad_accumulation_steps: 3 }])(
    'hold after every update of a run, in checkpoints and after a resume (%j)',
    async ({ runtime, ...trainer }: { runtime?: { run_eagerly: boolean } }) => {
      const config = params({ ...trainer, train_steps: 200 });
      Object.assign(config.runtime, runtime);
      const seen: number[][] = [];
      const runner = toyRunner(config, { task: getTask(config.task) });
      await runner.build();
      const step = runner.trainer.trainStep.bind(runner.trainer);
      runner.trainer.trainStep = async (iterator) => {
        await step(iterator);
        seen.push((runner.trainer.model as tf.LayersModel).getWeights().flatMap((w) => [...w.dataSync()]));
      };
      await runner.run();
      expect(seen).toHaveLength(200);
      for (const [slope, constant, bias] of seen) {
        expect(slope).toBeGreaterThanOrEqual(0); // the best slope is −2
        expect(constant).toBeGreaterThan(0);
        expect(Math.abs(bias!)).toBeLessThanOrEqual(0.5 + 1e-6); // the best sum of constant and bias is 3
      }
      const saved = await weights(200);
      expect(saved).toEqual({ kernel: [0, expect.closeTo(2.5, 0)], bias: [expect.closeTo(0.5, 5)] });
      const longer = params({ ...trainer, train_steps: 210, checkpoint_interval: 10 });
      Object.assign(longer.runtime, runtime);
      await toyRunner(longer).run();
      expect((await weights(210)).kernel[0]).toBe(0);
    },
  );
});
