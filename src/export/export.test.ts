import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Checkpoint, CheckpointManager, readSafetensors } from '../checkpoint/index.js';
import { ExportingCheckpointManager } from '../experiment/index.js';
import { createGlobalStep, ExportFileManager, ExportSavedModel } from '../orbit/index.js';
import { ExportModule, exportModel, getTimestampedExportDir, readExportManifest } from './index.js';

let directory: string;
beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-export-'))));
afterEach(() => {
  vi.useRealTimers();
  rmSync(directory, { recursive: true, force: true });
});

const { dense, dropout, batchNormalization, conv2d, flatten } = tf.layers;

/** A small classifier of images, with what behaves differently in training. */
function classifier(): tf.Sequential {
  const model = tf.sequential({
    layers: [
      conv2d({ filters: 3, kernelSize: 3, inputShape: [8, 8, 1], activation: 'relu' }),
      batchNormalization(),
      dropout({ rate: 0.5 }),
      flatten(),
      dense({ units: 4, name: 'logits' }),
    ],
  });
  for (const [i, w] of model.weights.entries())
    w.write(
      waves(w.shape as number[], i)
        .mul(0.2)
        .add(w.shape.length === 1 ? 1 : 0),
    );
  return model;
}

function waves(shape: number[], phase = 0): tf.Tensor {
  const size = shape.reduce((a, b) => a * b, 1);
  return tf.tensor(
    Array.from({ length: size }, (_, i) => Math.sin(i * 1.7 + phase)),
    shape,
  );
}

async function run(file: string, inputs: Record<string, tf.Tensor>): Promise<ort.InferenceSession.OnnxValueMapType> {
  const session = await ort.InferenceSession.create(file);
  const feeds = Object.entries(inputs).map(([name, t]) => [
    name,
    new ort.Tensor(t.dtype as 'float32', t.dataSync() as Float32Array, t.shape),
  ]);
  return session.run(Object.fromEntries(feeds) as Record<string, ort.Tensor>);
}

const valuesOf = (tensor: ort.OnnxValue | undefined): number[] => [...((tensor as ort.Tensor).data as Float32Array)];

describe('exportModel', () => {
  it('writes a model that onnxruntime-node runs to the numbers of the model, its weights and a description', async () => {
    const model = classifier();
    const module = new ExportModule({
      ...{
        model,
        batchSize: 2,
        postprocessor: (logits) => ({ probabilities: tf.softmax(logits as tf.Tensor), logits: logits as tf.Tensor }),
      },
    });
    const target = await exportModel({ module, directory });
    expect(path.dirname(target)).toBe(directory);
    expect(Number(path.basename(target))).toBeCloseTo(Date.now() / 1000, -2);
    expect(readdirSync(target).sort()).toEqual(['export.json', 'model.safetensors', 'serving_default.onnx']);
    expect(await readExportManifest(target)).toEqual({
      version: 1,
      signatures: {
        serving_default: {
          file: 'serving_default.onnx',
          inputs: [{ name: 'inputs', dtype: 'float32', shape: [2, 8, 8, 1] }],
          outputs: [
            { name: 'probabilities', dtype: 'float32', shape: [2, 4] },
            { name: 'logits', dtype: 'float32', shape: [2, 4] },
          ],
        },
      },
      weights: 'model.safetensors',
      checkpoint: null,
    });
    const x = waves([2, 8, 8, 1]);
    const got = await run(path.join(target, 'serving_default.onnx'), { inputs: x });
    const expected = model.predict(x) as tf.Tensor;
    tf.test_util.expectArraysClose(valuesOf(got['logits']), expected.dataSync(), 1e-4);
    tf.test_util.expectArraysClose(valuesOf(got['probabilities']), tf.softmax(expected).dataSync(), 1e-5);
    const weights = await readSafetensors(path.join(target, 'model.safetensors'));
    expect(weights.size).toBe(model.weights.length);
    expect(weights.get('logits/kernel')!.data).toEqual(model.getLayer('logits').getWeights()[0]!.dataSync());
  });

  it('reads the newest checkpoint of a directory into the model first', async () => {
    const [trained, fresh] = [classifier(), classifier()];
    trained.layers.at(-1)!.setWeights([waves([108, 4], 9), waves([4], 8)]);
    const manager = new CheckpointManager({ checkpoint: new Checkpoint({ model: trained, other: tf.variable(tf.ones([1])) }), directory: path.join(directory, 'run'), maxToKeep: 5, logger: { info() {}, warn() {} } }); // prettier-ignore
    const saved = await manager.save({ checkpointNumber: 7 });
    const target = await exportModel({ module: new ExportModule({ model: fresh }), directory: path.join(directory, 'out'), checkpointPath: path.join(directory, 'run') }); // prettier-ignore
    expect((await readExportManifest(target)).checkpoint).toBe(saved);
    const x = waves([1, 8, 8, 1]);
    const got = await run(path.join(target, 'serving_default.onnx'), { inputs: x });
    tf.test_util.expectArraysClose(valuesOf(got['outputs']), (trained.predict(x) as tf.Tensor).dataSync(), 1e-4);
  });

  it('gives two exports of one model equal bytes, whatever tfjs has counted meanwhile', async () => {
    const read = async (): Promise<Buffer> => {
      const target = path.join(directory, 'fixed');
      await exportModel({ module: new ExportModule({ model: classifier() }), directory: target, timestamped: false });
      return (await import('node:fs/promises')).readFile(path.join(target, 'serving_default.onnx'));
    };
    expect(await read()).toEqual(await read());
    expect(readdirSync(directory)).toEqual(['fixed']);
  });

  it('exports the functions of a subclass under the names of their signatures', async () => {
    class TwoFunctions extends ExportModule {
      override servingFunctions() {
        const tokens = { ids: { shape: [1, 3], dtype: 'int32' as const } };
        const table = tf.tensor1d([10, 20, 30]);
        return { ...super.servingFunctions(), look_up: { inputs: tokens, fn: ({ ids }: { [name: string]: tf.Tensor }) => [tf.gather(table, ids as tf.Tensor2D), ids!] } }; // prettier-ignore
      }
    }
    const module = new TwoFunctions({ model: classifier() });
    const target = await exportModel({ module, directory, functionKeys: { serve: 'serving_default', look_up: 'tokens' } });
    const got = await run(path.join(target, 'tokens.onnx'), { ids: tf.tensor2d([[2, 0, 1]], [1, 3], 'int32') });
    expect([valuesOf(got['outputs_0']), valuesOf(got['outputs_1'])]).toEqual([[30, 10, 20], [2, 0, 1]]); // prettier-ignore
    expect(existsSync(path.join(target, 'serving_default.onnx'))).toBe(true);
    await expect(exportModel({ module, directory, functionKeys: ['serve', 'look_up'] })).rejects.toThrow(/a list names the one function/);
    await expect(exportModel({ module, directory, functionKeys: ['lookup'] })).rejects.toThrow(
      /no function "lookup".*Did you mean "look_up"/,
    );
    await expect(exportModel({ module, directory, functionKeys: { serve: '../x' } })).rejects.toThrow(/"\.\.\/x" names a file/);
  });

  it('uses the inference step of a task, and gives a model of several inputs each under its name', async () => {
    const [a, b] = [tf.input({ shape: [2], name: 'left' }), tf.input({ shape: [2], name: 'right' })];
    const model = tf.model({ inputs: [a, b], outputs: tf.layers.concatenate().apply([a, b]) as tf.SymbolicTensor });
    const task = { inferenceStep: (features: unknown) => ({ tenfold: (model.apply(features as tf.Tensor[]) as tf.Tensor).mul(10) }) };
    const target = await exportModel({ module: new ExportModule({ model, task }), directory });
    const got = await run(path.join(target, 'serving_default.onnx'), { right: tf.tensor2d([[1, 2]]), left: tf.tensor2d([[5, 5]]) });
    expect(valuesOf(got['tenfold'])).toEqual([50, 50, 10, 20]);
  });

  it('leaves nothing behind and changes nothing when it fails', async () => {
    const model = classifier();
    const export_ = (more: object, module: object = {}): Promise<string> =>
      exportModel({ module: new ExportModule({ model, ...module }), directory, ...more });
    await expect(export_({ checkpointPath: path.join(directory, 'none') })).rejects.toThrow(/there is no checkpoint in ".*none"/);
    const counter = tf.variable(tf.scalar(0));
    const counting = (): tf.Tensor => (counter.assign(counter.add(1) as tf.Scalar), counter.add(0));
    await expect(export_({}, { inferenceStep: counting })).rejects.toThrow(/assigns the variable/);
    await expect(export_({}, { inferenceStep: () => undefined })).rejects.toThrow(/returned nothing; it should return tensors/);
    await expect(export_({}, { inputs: { x: { shape: [null, 8] } } })).rejects.toThrow(/input "x" .* every size must be a whole number/);
    await expect(export_({}, { model: { apply: (x: tf.Tensor) => x } })).rejects.toThrow(/does not tell its inputs/);
    await expect(export_({}, { model: tf.sequential({ layers: [dense({ units: 1, inputShape: [null, 3] })] }) })).rejects.toThrow(/more than the batch is open/); // prettier-ignore
    expect(readdirSync(directory)).toEqual([]);
    writeFileSync(path.join(directory, 'thesis.txt'), '');
    await expect(export_({ timestamped: false })).rejects.toThrow(/holds other files \(thesis\.txt\)/);
    expect(readdirSync(directory)).toEqual(['thesis.txt']);
  });
});

describe('getTimestampedExportDir', () => {
  it('waits a second for a name that is there', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 5000 });
    expect(await getTimestampedExportDir(directory)).toBe(path.join(directory, '5'));
    mkdirSync(path.join(directory, '5'));
    const next = getTimestampedExportDir(directory);
    vi.setSystemTime(6000);
    expect(await next).toBe(path.join(directory, '6'));
  });
});

describe('an ExportModule', () => {
  it('is exported by the action ExportSavedModel, which keeps the newest', async () => {
    const action = new ExportSavedModel(new ExportModule({ model: classifier() }), new ExportFileManager(path.join(directory, 'saved'), { maxToKeep: 2 })); // prettier-ignore
    for (let i = 0; i < 3; i++) await action.run();
    expect(readdirSync(directory).sort()).toEqual(['saved-1', 'saved-2']);
    expect(existsSync(path.join(directory, 'saved-2/serving_default.onnx'))).toBe(true);
  });

  it('is exported by an ExportingCheckpointManager with the values of the checkpoint', async () => {
    const model = tf.sequential({ layers: [dense({ units: 1, inputShape: [1], useBias: false })] });
    const globalStep = createGlobalStep();
    const manager = new ExportingCheckpointManager({
      ...{ checkpoint: new Checkpoint({ model, global_step: globalStep }), directory, maxToKeep: 1, stepCounter: globalStep },
      modulesToExport: { served: new ExportModule({ model }) },
      logger: { info() {}, warn() {} },
    });
    for (const step of [3, 6]) {
      globalStep.assign(step);
      model.setWeights([tf.tensor2d([[step]])]);
      await manager.save({ checkpointNumber: step });
    }
    const got = await run(path.join((await manager.latestSavedModel())!, 'served/serving_default.onnx'), { inputs: tf.ones([1, 1]) });
    expect(valuesOf(got['outputs'])).toEqual([6]);
    expect(readdirSync(directory).filter((name) => name.includes('saved'))).toEqual(['ckpt-6_saved_modules']);
  });
});
