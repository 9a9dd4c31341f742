import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { fromArrays, NDArray } from '../data/index.js';
import { Mean } from '../metrics/index.js';
import { Adam, type Optimizer } from '../optimization/index.js';
import { defineTask, experimentConfig, getTask, OrbitExperimentRunner, runExperiment, Task, taskConfig } from './index.js';
import type { ExperimentConfig, Model, RunnerOptions, Tensors } from './index.js';

let modelDir: string;
beforeEach(() => void (modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-items-'))));
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

/** A model of two parts, each with an optimizer of its own, as of a generator and a discriminator. */
function twoOptimizers(name: string, saved: boolean): (trainSteps: number) => ExperimentConfig {
  const schema = taskConfig({}, { name });
  const second = new WeakMap<Task, Optimizer>();
  const update = (optimizer: Optimizer, loss: () => tf.Scalar, variables: tf.Variable[]): tf.Tensor => {
    const { value, grads } = tf.variableGrads(loss, variables);
    optimizer.applyGradients(variables.map((v) => [grads[v.name]!, v]));
    return value;
  };
  defineTask(schema, {
    buildModel: () =>
      tf.sequential({
        layers: [
          tf.layers.dense({ units: 3, inputShape: [2], activation: 'tanh' }),
          tf.layers.dropout({ rate: 0.2 }),
          tf.layers.dense({ units: 1 }),
        ],
      }),
    buildInputs: () =>
      fromArrays([
        NDArray.of(
          Float32Array.from({ length: 16 }, (_, i) => Math.sin(i)),
          [8, 2],
        ),
      ])
        .repeat()
        .batch(4),
    buildLosses: () => tf.scalar(0),
    buildMetrics: () => [new Mean('first_loss')],
    checkpointItems(this: Task): { [name: string]: object } {
      second.set(this, new Adam({ learningRate: 0.1 }));
      return saved ? { second: second.get(this)! } : {};
    },
    trainStep(this: Task, inputs: Tensors, model: Model, optimizer: Optimizer, metrics = []) {
      const loss = (): tf.Scalar =>
        tf.mean(tf.square(tf.sub(model.apply((inputs as tf.Tensor[])[0]!, { training: true }) as tf.Tensor, 1)));
      const [kernel, bias, ...rest] = (model as tf.LayersModel).trainableWeights.map((w) => w.read() as tf.Variable);
      (metrics[0] as Mean).updateState(update(second.get(this)!, loss, [kernel!, bias!]));
      return { loss: update(optimizer, loss, rest) };
    },
  });
  return (train_steps) =>
    experimentConfig({
      task: schema({ train_data: { is_training: true, global_batch_size: 4 }, validation_data: { global_batch_size: 4 } }),
      trainer: {
        ...{ train_steps, steps_per_loop: 2, summary_interval: 2, checkpoint_interval: 2 },
        optimizer_config: { optimizer: { type: 'adam' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.1 } } },
      },
    }) as ExperimentConfig;
}

const warnings: string[] = [];
function options(params: ExperimentConfig, directory: string): RunnerOptions {
  warnings.length = 0;
  const reporter = { warning: (message: string) => void warnings.push(message) };
  return {
    task: getTask(params.task),
    mode: 'train',
    params,
    modelDir: path.join(modelDir, directory),
    reporter,
    log: () => {},
    saveSummary: false,
  };
}

async function weights(runner: OrbitExperimentRunner): Promise<number[][]> {
  await runner.run();
  return (runner.trainer.model as tf.LayersModel).getWeights().map((w) => [...w.dataSync()]);
}

describe('checkpointItems of a task', () => {
  it('are saved: a run with two optimizers that is resumed equals one that never stopped, bit for bit', async () => {
    const config = twoOptimizers('two_saved', true);
    const straight = await weights(new OrbitExperimentRunner(options(config(8), 'straight')));
    await runExperiment(options(config(4), 'resumed'));
    const resumed = new OrbitExperimentRunner(options(config(8), 'resumed'));
    expect(await weights(resumed)).toEqual(straight);
    expect(resumed.resumedFrom).not.toBeNull();
    expect(warnings).toEqual([]);
    expect(Object.keys(resumed.trainer.checkpoint.items)).toContain('second');
  });

  it('are asked for by a warning where the step changes variables that no checkpoint holds', async () => {
    await runExperiment(options(twoOptimizers('two_unsaved', false)(2), 'unsaved'));
    expect(warnings).toEqual([
      expect.stringMatching(
        /^The training step changes variables that checkpoints do not hold: (Adam\/[^,.]+(, )?){4}\. .* from checkpointItems\(\) of the task\.$/,
      ),
    ]);
  });

  it('must be a record', async () => {
    const params = twoOptimizers('two_wrong', false)(2);
    const task = getTask(params.task);
    task.checkpointItems = () => [new Adam({ learningRate: 1 })] as never;
    await expect(runExperiment({ ...options(params, 'wrong'), task })).rejects.toThrow(
      /two_wrong.checkpointItems should return objects by name/,
    );
  });
});
