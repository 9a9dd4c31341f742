/** `continuous_eval` follows a training that runs at the same time in another process. */
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '..');
let built: string;
let directory: string;

beforeAll(async () => {
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  built = mkdtempSync(path.join(root, 'dist/_continuous-test-'));
  directory = mkdtempSync(path.join(tmpdir(), 'orbit-continuous-'));
  await build({
    absWorkingDir: root,
    entryPoints: ['src/cli/main.ts', 'src/index.ts'],
    outbase: 'src',
    outdir: built,
    ...{ bundle: true, splitting: true, format: 'esm', platform: 'node', target: 'node20.19', packages: 'external' },
    external: ['#tf', '#package.json'],
    logLevel: 'warning',
  });
  writeFileSync(path.join(directory, 'slow.mjs'), slowModule());
});
afterAll(() => {
  rmSync(built, { recursive: true, force: true });
  rmSync(directory, { recursive: true, force: true });
});

/** A line to learn from batches that come slowly, so that the other process has time to look. */
function slowModule(): string {
  return `import { defineTask, experimentConfig, fromArrays, NDArray, registerExperiment, taskConfig } from ${JSON.stringify(path.join(built, 'index.js'))};
import * as tf from ${JSON.stringify(path.join(root, 'dist/tf/index.js'))};
const slowTask = taskConfig({}, { name: 'SlowTask' });
const x = NDArray.of(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), [32, 2]);
const y = NDArray.of(Float32Array.from({ length: 32 }, (_, i) => Math.sin(2 * i)), [32, 1]);
async function* slowly(batches) { for await (const batch of batches) { await new Promise((done) => setTimeout(done, 80)); yield batch; } }
defineTask(slowTask, {
  buildModel: () => tf.sequential({ layers: [tf.layers.dense({ units: 1, inputShape: [2] })] }),
  buildInputs: (data) => { const rows = fromArrays([x, y]).batch(data.global_batch_size); return data.is_training ? slowly(rows.repeat()) : rows; },
  buildLosses: (labels, outputs) => tf.losses.meanSquaredError(labels, outputs),
});
registerExperiment('slow', () => experimentConfig({
  task: slowTask({ train_data: { is_training: true, global_batch_size: 8 }, validation_data: { is_training: false, global_batch_size: 8 } }),
  trainer: { train_steps: 40, steps_per_loop: 5, summary_interval: 5, checkpoint_interval: 5, validation_interval: 5, continuous_eval_timeout: 2, loggers: ['json_lines'],
    optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.05 } } } },
}));
`;
}

function orbit(mode: string): Promise<{ status: number | null; err: string }> {
  const args = ['train', '--import=./slow.mjs', '--experiment=slow', `--mode=${mode}`, '--model_dir=run'];
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(built, 'cli/main.js'), ...args], { cwd: directory });
    let err = '';
    child.stderr.on('data', (data: Buffer) => void (err += data.toString()));
    child.stdout.resume();
    child.on('close', (status) => resolve({ status, err }));
  });
}

it('evaluates checkpoints as they appear, the last one with them, and ends by itself once training is complete', async () => {
  const [evaluation, training] = await Promise.all([orbit('continuous_eval'), orbit('train')]);
  expect([training.status, evaluation.status], training.err + evaluation.err).toEqual([0, 0]);
  const lines = readFileSync(path.join(directory, 'run/logs/validation.jsonl'), 'utf8').trim().split('\n');
  const seen = lines.map((line) => JSON.parse(line) as { step: number; validation_loss: number });
  const steps = seen.map(({ step }) => step);
  expect(steps.length).toBeGreaterThan(1); // it looked while training went on
  expect(steps.every((step) => step % 5 === 0)).toBe(true);
  expect(steps).toEqual([...new Set(steps)].sort((a, b) => a - b));
  expect(steps.at(-1)).toBe(40);
  await orbit('eval');
  const result = JSON.parse(readFileSync(path.join(directory, 'run/result.eval.json'), 'utf8')) as {
    eval_logs: { validation_loss: number };
  };
  expect(result.eval_logs.validation_loss).toBe(seen.at(-1)!.validation_loss);
}, 60_000);
