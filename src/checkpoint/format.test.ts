/** The format on disk: a checkpoint of version 1 that another program wrote after the docs. */
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { crc32 } from 'node:zlib';
import * as tf from '#tf';
import { afterAll, describe, expect, it } from 'vitest';
import { Checkpoint, verifyCheckpoint, type StateDict } from './index.js';

const recorded = path.resolve(import.meta.dirname, '../../tests/fixtures/checkpoint-v1');
const root = mkdtempSync(path.join(tmpdir(), 'format-'));
afterAll(() => rmSync(root, { recursive: true }));

/** The objects that it was made for, as a new process has them. */
function objects() {
  const model = tf.sequential({ layers: [tf.layers.dense({ units: 2, inputShape: [2] })] });
  const globalStep = { value: 0, assign: (n: number) => void (globalStep.value = n) };
  const curriculum = { state: {} as StateDict, stateDict: () => curriculum.state, loadStateDict: (s: StateDict) => void (curriculum.state = s) };
  return { model, globalStep, curriculum };
} // prettier-ignore

/** Everything that was recorded is in the objects. */
async function expectRestored(checkpoint: string): Promise<void> {
  const { model, globalStep, curriculum } = objects();
  await new Checkpoint({ model, globalStep, curriculum }).restore(checkpoint);
  expect(model.getWeights().map((w) => [...w.dataSync()])).toEqual([
    [0.5, -1, 1.5, 2],
    [0.25, -0.25],
  ]);
  expect(globalStep.value).toBe(7);
  expect(curriculum.state).toEqual({ level: 2, best: -Infinity, table: { dtype: 'int32', shape: [3], data: Int32Array.of(1, 2, 3) } });
}

describe('a checkpoint of the first version of the format', () => {
  it('is whole and loads, value by value', async () => {
    expect(await verifyCheckpoint(recorded)).toMatchObject({ version: 1, step: 7, save_counter: 3 });
    await expectRestored(recorded);
  });

  it('loads when its version is older than ours, and is refused when it is newer', async () => {
    for (const version of [0, 2]) {
      const copy = path.join(root, `v${version}`);
      cpSync(recorded, copy, { recursive: true });
      const { crc32: _, ...body } = JSON.parse(readFileSync(path.join(copy, 'manifest.json'), 'utf8')) as Record<string, unknown>;
      const changed = { ...body, version };
      const sum = crc32(JSON.stringify(changed)).toString(16).padStart(8, '0');
      writeFileSync(path.join(copy, 'manifest.json'), JSON.stringify({ ...changed, crc32: sum }));
      if (version === 0) await expectRestored(copy);
      else await expect(expectRestored(copy)).rejects.toThrow(/orbit-checkpoint 2; this version reads orbit-checkpoint up to 1/);
    }
  });
});
