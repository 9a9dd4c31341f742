import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import * as ort from 'onnxruntime-node';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { readSafetensors } from '../checkpoint/index.js';
import { fromArrays, NDArray } from '../data/index.js';
import type { Dataset } from '../data/index.js';
import {
  experimentConfig,
  modelConfig,
  progressiveTrainerConfig,
  registerExperiment,
  registerTask,
  Task,
  taskConfig,
} from '../experiment/index.js';
import type { DataConfig, Model, ProgressivePolicy } from '../experiment/index.js';
import { recorded, toyModel, toyMultiParams } from '../experiment/multitask/toy-tasks.testing.js';
import { SGD } from '../optimization/index.js';
import { runCommandLine } from './program.js';

const rows = (isTraining: boolean): Dataset<unknown> => {
  const data = fromArrays([NDArray.of(new Float32Array(8).fill(1), [8, 1]), NDArray.of(new Float32Array(8).fill(2), [8, 1])]).batch(4);
  return isTraining ? data.repeat() : data;
};
const wide = taskConfig({ model: modelConfig({ units: 2 }), stages: 1 }, { name: 'export_toy' });

/** `units` outputs, as many more in each later stage. */
class Wide extends Task<typeof wide> implements ProgressivePolicy {
  numStages = (): number => this.taskConfig.stages;
  numSteps = (): number => 2;
  getOptimizer = (): SGD => new SGD({ learningRate: 0.1 });
  getTrainDataset = (): Dataset<unknown> => rows(true);
  getEvalDataset = (): Dataset<unknown> => rows(false);
  getModel(stage: number, _old: Model | null): tf.Sequential {
    const { units } = this.taskConfig.model;
    return tf.sequential({ layers: [tf.layers.dense({ units: units * (1 + stage), inputShape: [1], name: 'out' })] });
  }
  override buildModel = (): tf.Sequential => this.getModel(0, null);
  override buildInputs = ({ is_training }: DataConfig): Dataset<unknown> => rows(is_training === true);
  override buildLosses = (labels: tf.Tensor, outputs: tf.Tensor): tf.Tensor => tf.mean(tf.squaredDifference(outputs, labels));
}
registerTask(wide, Wide as never);
const loop = { train_steps: 4, steps_per_loop: 2, summary_interval: 2, checkpoint_interval: 2 };
const optimizer_config = { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant' } } as const;
const data = { train_data: { is_training: true }, validation_data: { is_training: false } };
registerExperiment('export_toy', () => experimentConfig({ task: wide(data), trainer: { ...loop, optimizer_config } }));
registerExperiment('export_stages', () =>
  experimentConfig({ task: wide({ stages: 2, ...data }), trainer: progressiveTrainerConfig({ ...loop, optimizer_config }) }),
);
registerExperiment('export_several', () => toyMultiParams({ train_steps: 3 }));

let directory: string;
let out: string;
let err: string;
beforeEach(() => {
  directory = mkdtempSync(path.join(tmpdir(), 'orbit-export-command-'));
  out = err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(directory, { recursive: true, force: true });
});
const at = (name: string): string => path.join(directory, name);
const train = (experiment: string, ...more: string[]): Promise<number> =>
  runCommandLine(['train', `--experiment=${experiment}`, '--mode=train', `--model_dir=${at('run')}`, ...more]);
const exporting = (experiment: string, to: string, ...more: string[]): Promise<number> =>
  runCommandLine(['export', `--experiment=${experiment}`, `--model_dir=${at('run')}`, `--out=${at(to)}`, ...more]);

/** What the file answers to rows of one number, or of more. */
async function answer(file: string, input: number[][]): Promise<number[]> {
  const session = await ort.InferenceSession.create(file);
  const inputs = new ort.Tensor('float32', Float32Array.from(input.flat()), [input.length, input[0]!.length]);
  const { outputs } = await session.run({ inputs });
  return [...(outputs!.data as Float32Array)];
}

describe('orbit export', () => {
  it('writes the newest checkpoint of a run, with the parameters that the run had', async () => {
    expect(await train('export_toy', '--params_override=task.model.units=3')).toBe(0);
    expect(await exporting('export_toy', 'served', '--batch_size=2')).toBe(0);
    expect(readdirSync(at('served')).sort()).toEqual(['export.json', 'model.safetensors', 'serving_default.onnx']);
    expect(out).toContain(`Wrote ${at('run/ckpt-4')} with the parameters of ${at('run/params.yaml')} to ${at('served')}.`);
    const weights = await readSafetensors(at('run/ckpt-4/model.safetensors'));
    const [kernel, bias] = ['out/kernel', 'out/bias'].map((name) => [...weights.get(name)!.data].map(Number));
    const expected = [1, -2].flatMap((x) => kernel!.map((k, i) => expect.closeTo(k * x + bias![i]!, 5)));
    expect(await answer(at('served/serving_default.onnx'), [[1], [-2]])).toEqual(expected);
  });

  it('writes one file where --out names one: the ONNX model, or the weights', async () => {
    await train('export_toy');
    for (const name of ['m.onnx', 'w.safetensors', 'w.json']) expect(await exporting('export_toy', name)).toBe(0);
    expect(readdirSync(directory).sort()).toEqual(['m.onnx', 'run', 'w.bin', 'w.json', 'w.safetensors']);
    expect(await answer(at('m.onnx'), [[1]])).toHaveLength(2);
    expect([...(await readSafetensors(at('w.safetensors'))).keys()].sort()).toEqual(['out/bias', 'out/kernel']);
  });

  it('makes the folders above the file, and says where that cannot be', async () => {
    await train('export_toy');
    for (const name of ['a/b/m.onnx', 'a/b/w.safetensors', 'a/c/served']) expect(await exporting('export_toy', name)).toBe(0);
    expect(readdirSync(at('a/b')).sort()).toEqual(['m.onnx', 'w.safetensors']);
    expect(await exporting('export_toy', 'a/b/m.onnx/m.onnx')).toBe(2);
    expect(err).toContain(`Cannot make the directory ${at('a/b/m.onnx')}`);
  });

  it('takes a checkpoint instead of a run', async () => {
    await train('export_toy');
    expect(await exporting('export_toy', 'm.onnx', `--model_dir=${at('run/ckpt-2')}`)).toBe(2); // given twice
    const flags = ['--experiment=export_toy', `--model_dir=${at('run/ckpt-2')}`, `--out=${at('m.onnx')}`];
    expect(await runCommandLine(['export', ...flags])).toBe(0);
    expect(out).toContain(`Wrote ${at('run/ckpt-2')} with the parameters of ${at('run/params.yaml')}`);
  });

  it('exports the stage of the checkpoint where training went in stages', async () => {
    await train('export_stages');
    expect(await exporting('export_stages', 'm.onnx')).toBe(0);
    expect(await answer(at('m.onnx'), [[1]])).toHaveLength(4);
    const flags = ['--experiment=export_stages', `--model_dir=${at('run/exported_ckpts')}`, `--out=${at('n.onnx')}`];
    expect(await runCommandLine(['export', ...flags])).toBe(0); // checkpoints without a stage: their step tells
    expect(await answer(at('n.onnx'), [[1]])).toHaveLength(4);
  });

  it('exports one task of several', async () => {
    await train('export_several');
    expect(await exporting('export_several', 'm.onnx')).toBe(2);
    expect(err).toContain('The experiment trains several tasks: choose the one to export with --task=foo or --task=bar.');
    expect(await exporting('export_several', 'm.onnx', '--task=baz')).toBe(2);
    expect(await exporting('export_several', 'm.onnx', '--task=bar')).toBe(0);
    const { subTasks } = toyModel();
    const weights = await readSafetensors(at('run/ckpt-3/model.safetensors'));
    const bar = subTasks['bar'] as tf.LayersModel;
    for (const [layer, owner] of [
      ['trunk', 'foo'],
      ['bar', 'bar'],
    ] as const)
      // prettier-ignore
      bar.getLayer(layer).setWeights(
        ['kernel', 'bias'].map((w) => {
          const { data: values, shape } = weights.get(`subTasks/${owner}/${layer}/${w}`)!;
          return tf.tensor(values as Float32Array, [...shape]);
        }),
      );
    const x = recorded.batches['bar']!.validation[0]![0].slice(0, 1);
    const expected = (bar.predict(tf.tensor2d(x)) as tf.Tensor).dataSync()[0]!;
    expect((await answer(at('m.onnx'), x))[0]).toBeCloseTo(expected, 5);
  });

  it.each([
    [[], /--experiment=NAME is missing/],
    [['--experiment=export_toy'], /--model_dir=DIR is missing/],
    [['--experiment=export_toy', '--model_dir=none'], /--out=PATH is missing: a directory, or a file that ends in \.onnx/],
    [['--experiment=export_toy', '--model_dir=none', '--out=x'], /There is no checkpoint in "none"/],
    [['--experiment=export_toy', '--model_dir=none', '--out=x', '--batch_size=0'], /--batch_size=0: write the number of examples/],
    [['--experiment=export_toy', '--model_dirr=none'], /Did you mean --model_dir\?/],
  ])('says what is missing or wrong (%j)', async (flags, message) => {
    expect(await runCommandLine(['export', ...flags])).toBeGreaterThan(0);
    expect(err).toMatch(message);
  });

  it('refuses to replace what is no export, and --task where one task was trained', async () => {
    await train('export_toy');
    expect(await exporting('export_toy', 'run')).toBe(2);
    expect(err).toMatch(/holds other files/);
    expect(await exporting('export_toy', 'm.onnx', '--task=foo')).toBe(2);
    expect(err).toMatch(/--task belongs to experiments that train several tasks/);
    writeFileSync(at('run/params.yaml'), 'task: {model: {units: 5}}\n');
    expect(await exporting('export_toy', 'm.onnx')).toBe(1); // another shape than that of the checkpoint
    expect(readdirSync(directory)).toEqual(['run']);
  });
});
