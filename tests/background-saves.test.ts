import * as tf from '#tf';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { Checkpoint, CheckpointManager } from '../src/checkpoint/index.js';
import { compile, variableHolder } from '../src/function/index.js';

const directory = mkdtempSync(path.join(tmpdir(), 'orbit-background-'));
afterAll(() => rmSync(directory, { recursive: true, force: true }));

it('writes large variables as they were when the save began, while steps go on, several times', async () => {
  const size = 300_000;
  const variables = [0, 1, 2].map((i) => tf.variable(tf.range(0, size).mul(i + 1), false, `large_${i}`));
  const step = compile(() => void variables.forEach((v) => v.assign(v.add(1))));
  const globalStep = { value: 0, assign: (value: number) => void (globalStep.value = value) };
  const checkpoint = new Checkpoint({ model: variables, globalStep });
  const manager = new CheckpointManager({ checkpoint, directory, variables: variableHolder, maxToKeep: null });
  const targets: string[] = [];
  for (let n = 1; n <= 3; n++) {
    step.runSync();
    globalStep.value = n;
    targets.push((await manager.save({ checkpointNumber: n, async: true }))!);
    step.runSync();
    step.runSync();
  }
  await manager.sync();
  for (const [n, target] of targets.entries()) {
    await checkpoint.restore(target);
    variables.forEach((v, i) => {
      const expected = Float32Array.from({ length: size }, (_, k) => k * (i + 1) + 3 * n + 1);
      expect(Buffer.compare(Buffer.from((v.dataSync() as Float32Array).buffer), Buffer.from(expected.buffer))).toBe(0);
    });
  }
});
