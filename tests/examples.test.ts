/** The examples run, and do what they say. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { main as actions } from '../examples/customising/actions.js';
import { main as controller } from '../examples/customising/controller.js';
import { main as runner } from '../examples/customising/runner.js';
import { main as summaries } from '../examples/customising/summaries.js';
import { main as taskStep } from '../examples/customising/task-step.js';
import { main as trainer } from '../examples/customising/trainer.js';
import { main as multitask } from '../examples/multitask/main.js';
import { main as singleTask } from '../examples/single-task/main.js';

const root = path.resolve(import.meta.dirname, '..');
let directory: string;
beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-example-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

describe('examples/customising', () => {
  it('runner.ts overrides every hook, in the order in which the parts are built', async () => {
    expect(await runner(directory)).toEqual([
      'buildBestCheckpointExporter',
      'buildTrainer(train: true, evaluate: true)',
      'maybeBuildCheckpointManager',
      'buildController',
      ...['step 10', 'step 20', 'step 30', 'step 40'],
    ]);
    expect(readdirSync(directory).filter((name) => name.startsWith('line-'))).toEqual(['line-30', 'line-40']);
    expect(existsSync(path.join(directory, 'lowest_loss/info.json'))).toBe(true);
  });

  it('trainer.ts sees every batch and adds to the results', async () => {
    expect(await trainer(directory)).toEqual([160, 320, 480, 640]);
  });

  it('controller.ts stops training once the loss is good enough', async () => {
    const steps = await controller(directory);
    expect(steps.length).toBeGreaterThan(1);
    expect(steps.at(-1)).toBeLessThan(400);
    expect(steps).toEqual(steps.map((_, i) => 10 * (i + 1)));
  });

  it('task-step.ts trains with a step of its own, whose gradients become smaller', async () => {
    const norms = await taskStep(directory);
    expect(norms).toHaveLength(4);
    expect(norms[3]).toBeLessThan(norms[0]! / 4);
  });

  it('actions.ts writes every loop to a file and hears of every best loss', async () => {
    const best = await actions(directory);
    expect(best).toEqual([...best].sort((a, b) => b - a));
    expect(JSON.parse(readFileSync(path.join(directory, 'best.json'), 'utf8'))).toBe(best.at(-1));
    const lines = readFileSync(path.join(directory, 'loops.jsonl'), 'utf8').trim().split('\n');
    const losses = lines.map((line) => JSON.parse(line) as { training_loss: number; loss_in_percent: number });
    expect(losses).toHaveLength(4);
    for (const { training_loss, loss_in_percent } of losses) expect(loss_in_percent).toBe(100 * training_loss);
  });

  it('summaries.ts takes the place of TensorBoard', async () => {
    const loops = [10, 20, 30, 40].flatMap((step) => [`${step} training_loss`, `${step} learning_rate`]);
    expect(await summaries(directory)).toEqual([...loops, '20 validation_loss', '40 validation_loss']);
    expect(existsSync(path.join(directory, 'train'))).toBe(false);
  });
});

describe('examples/multitask', () => {
  it.each(['interleaving', 'joint'] as const)('learns digits and parity at once, %s', async (trainerType) => {
    const logs = (await multitask(directory, 100, trainerType)) as Record<string, { accuracy: number }>;
    expect(logs['digit']!.accuracy).toBeGreaterThan(0.8);
    expect(logs['parity']!.accuracy).toBeGreaterThan(0.8);
  });
});

describe('examples/single-task', () => {
  it('learns to tell two classes of points apart', async () => {
    expect((await singleTask())['accuracy']).toBeGreaterThan(0.95);
  });
});

describe('examples/orbit-alone', () => {
  it('learns a line with plain numbers, and loads neither tfjs nor a native library', async () => {
    const file = path.join(directory, 'line.mjs');
    const { metafile } = await build({
      absWorkingDir: root,
      entryPoints: ['examples/orbit-alone/line.mjs'],
      outfile: file,
      bundle: true,
      format: 'esm',
      platform: 'node',
      external: ['orbit-ts/summary'],
      alias: { 'orbit-ts/orbit': './src/orbit/index.ts' },
      metafile: true,
      logLevel: 'silent',
    });
    const loaded = Object.keys(metafile.inputs);
    expect(loaded.filter((name) => !/^(src\/orbit\/|src\/(errors|nearest-name)\.ts$|examples\/orbit-alone\/)/.test(name))).toEqual([]);
    const out = execFileSync(process.execPath, [file], { encoding: 'utf8' });
    expect(out).toMatch(/slope (2\.9|3\.0)\d, intercept -(0\.9|1\.0)\d, best mean error 0\.0/);
    expect(out).toMatch(/train \| step: {4}300/);
  });
});
