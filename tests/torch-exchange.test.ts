/** Weights go from PyTorch to here and back. The files and outputs of PyTorch are recorded; the way back is run where its Python is found. */
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import * as tf from '#tf';
import { afterAll, describe, expect, it } from 'vitest';
import { Checkpoint, loadWeights, transposeTensor, type StateTensor } from '../src/checkpoint/index.js';

const fixtures = path.resolve(import.meta.dirname, 'fixtures');
const script = path.join(fixtures, 'generate-torch-exchange.py');
const recorded = JSON.parse(readFileSync(path.join(fixtures, 'torch-exchange.json'), 'utf8')) as Record<string, number[]>;
const root = mkdtempSync(path.join(tmpdir(), 'exchange-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** The recorded model, built here. */
function build(): tf.Sequential {
  const model = tf.sequential();
  model.add(tf.layers.conv2d({ filters: 3, kernelSize: [3, 2], activation: 'relu', inputShape: [5, 3, 2], name: 'conv' }));
  model.add(tf.layers.flatten());
  model.add(tf.layers.dense({ units: 5, activation: 'tanh', name: 'hidden' }));
  model.add(tf.layers.dense({ units: 2, name: 'out' }));
  return model;
}

const outputs = (model: tf.Sequential): number[] => [
  ...(model.predict(tf.tensor(recorded['input']!, [2, 5, 3, 2])) as tf.Tensor).dataSync(),
];
const fromTorch = {
  rename: (name: string) => name.replace('/kernel', '.weight').replace('/bias', '.bias'),
  convert: (t: StateTensor, name: string) =>
    !name.endsWith('kernel') ? t : transposeTensor(t, t.shape.length === 4 ? [2, 3, 1, 0] : [1, 0]),
};

function expectClose(found: readonly number[], expected: readonly number[]): void {
  expect(found.length).toBe(expected.length);
  found.forEach((x, i) => expect(Math.abs(x - expected[i]!)).toBeLessThan(2e-6));
}

/** A Python with torch and safetensors: that of ORBIT_PYTHON, else python3. */
const python = [process.env['ORBIT_PYTHON'], 'python3'].find(
  (p) => p !== undefined && spawnSync(p, ['-c', 'import torch, safetensors']).status === 0,
);

describe('weights of PyTorch', () => {
  it('give the same outputs here', async () => {
    const model = build();
    const { loaded, unused } = await loadWeights(model, path.join(fixtures, 'torch-exchange.safetensors'), fromTorch);
    expect([loaded.length, unused]).toEqual([6, []]);
    expectClose(outputs(model), recorded['outputs']!);
  });

  it('in half precision are widened when asked, and otherwise all listed', async () => {
    const model = build();
    const file = path.join(fixtures, 'torch-exchange-half.safetensors');
    const failure = await loadWeights(model, file, fromTorch).catch((e: Error) => e.message);
    expect(failure).toContain('conv/kernel: expected float32[3,2,2,3], found bfloat16[3,2,2,3]');
    expect(failure).toContain('out/bias: expected float32[2], found float16[2]');
    await loadWeights(model, file, { ...fromTorch, cast: true });
    expectClose(outputs(model), recorded['half_outputs']!);
  });
});

describe('weights of a checkpoint', () => {
  it.skipIf(python === undefined)(
    'give the same outputs in PyTorch (needs a Python with torch and safetensors: ORBIT_PYTHON)',
    async () => {
      const model = build();
      const checkpoint = await new Checkpoint({ model }).write(path.join(root, 'ckpt-1'));
      const { stdout, stderr } = spawnSync(python!, [script, path.join(checkpoint, 'model.safetensors')], {
        encoding: 'utf8',
        timeout: 25_000,
      });
      expect(stderr).toBe('');
      const theirs = JSON.parse(stdout) as { outputs: number[]; dtypes: string[] };
      expect(theirs.dtypes).toEqual(['torch.float32']);
      expectClose(theirs.outputs, outputs(model));
    },
  );
});
