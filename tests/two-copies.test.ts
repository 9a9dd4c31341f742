/** Two copies of the package in one process, as two versions in a dependency tree are: they share tfjs's engine and ONNX Runtime. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
let directory: string;

beforeAll(async () => {
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  directory = mkdtempSync(path.join(root, 'dist/_two-copies-')); // inside the package, so that it finds its dependencies
  for (const copy of ['one', 'two'])
    await build({
      absWorkingDir: root,
      entryPoints: ['src/index.ts'],
      outfile: path.join(directory, `${copy}.js`),
      bundle: true,
      format: 'esm',
      platform: 'node',
      target: 'node20.19',
      packages: 'external',
      external: ['#tf', '#package.json'],
      logLevel: 'warning',
    });
});
afterAll(() => rmSync(directory, { recursive: true, force: true }));

function run(code: string): unknown {
  const file = path.join(directory, 'main.mjs');
  writeFileSync(file, `import * as tf from '#tf';\nimport * as one from './one.js';\nimport * as two from './two.js';\n${code}`);
  const { stdout, stderr, status } = spawnSync(process.execPath, [file, directory], { encoding: 'utf8' });
  expect({ stderr, status }).toEqual({ stderr: '', status: 0 });
  return JSON.parse(stdout);
}

describe('two copies of the package', () => {
  it('both compile and train', () => {
    const found = run(`
      const results = [];
      for (const { compile, SGD } of [one, two, one]) {
        const w = tf.variable(tf.scalar(3));
        const sgd = new SGD({ learningRate: 0.25 });
        const step = compile(() => sgd.minimize(() => w.square(), true, [w]));
        results.push((await step()).dataSync()[0], w.dataSync()[0]);
      }
      console.log(JSON.stringify({ results, copies: one.compile !== two.compile }));`);
    expect(found).toEqual({ results: [9, 1.5, 9, 1.5, 9, 1.5], copies: true });
  }, 60_000);

  it('both know the built-in experiments, and one runs an experiment that the other registered', () => {
    const found = run(`
      const line = one.taskConfig({}, { name: 'line' });
      const data = () => one.fromArrays([1, 2].map((k) => one.NDArray.of(new Float32Array(8).fill(k), [8, 1]))).batch(4).repeat();
      one.defineTask(line, {
        buildModel: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [1] })] }),
        buildInputs: data,
        buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
      });
      one.registerExperiment('line', () => one.experimentConfig({
        task: line({ train_data: { is_training: true } }),
        trainer: {
          ...{ train_steps: 20, steps_per_loop: 10, summary_interval: 10, checkpoint_interval: 10 },
          optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.1 } } },
        },
      }));
      const params = two.getExperimentConfig('line');
      const runner = two.makeRunner({ mode: 'train', params, modelDir: process.argv[2] + '/run', reporter: {}, log: () => {} });
      await runner.run();
      const names = [one, two].map((copy) => copy.experimentNames());
      console.log(JSON.stringify({ loss: runner.result.train_logs.training_loss, step: runner.result.global_step, names }));`) as {
      loss: number;
      step: number;
      names: string[][];
    };
    expect(found.step).toBe(20);
    expect(found.loss).toBeLessThan(0.1);
    expect(found.names).toEqual([1, 2].map(() => ['line', 'mnist_cnn', 'mnist_mlp']));
  }, 60_000);
});
