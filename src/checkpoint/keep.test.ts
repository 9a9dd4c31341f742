import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { UsageError } from '../errors.js';
import { Checkpoint } from './checkpoint.js';
import { keepAny, keepBest, keepEveryNHours, keepEveryNSteps, keepLast, type RetentionPolicy } from './keep.js';
import { CheckpointManager } from './manager.js';

const root = mkdtempSync(path.join(tmpdir(), 'keep-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** Checkpoints 10, 20, … an hour apart, with these accuracies. */
const list = (...accuracies: (number | null)[]) =>
  accuracies.map((accuracy, i) => ({
    path: `runs/ckpt-${10 * (i + 1)}`,
    timestampSeconds: 3600 * i,
    ...(accuracy === null ? {} : { metrics: { accuracy } }),
  }));
const kept = (policy: RetentionPolicy, checkpoints: ReturnType<typeof list>) =>
  [...policy.keeps(checkpoints)].map((c) => Number(/\d+$/.exec(c.path)![0])).sort((a, b) => a - b);

describe('retention policies', () => {
  const six = list(0.5, 0.9, NaN, 0.9, null, 0.7);
  it.each([
    ['keepLast(2)', keepLast(2), [50, 60]],
    ['keepEveryNSteps(20)', keepEveryNSteps(20), [20, 40, 60]],
    ['keepEveryNHours(2)', keepEveryNHours(2), [10, 30, 50]],
    ['keepBest(1) of equal ones', keepBest(1, 'accuracy', 'higher'), [20]],
    ['keepBest(3)', keepBest(3, 'accuracy', 'higher'), [20, 40, 60]],
    ['keepBest, lower', keepBest(2, 'accuracy', 'lower'), [10, 60]],
    ['keepBest of an unknown metric', keepBest(2, 'loss', 'lower'), []],
    ['keepAny', keepAny(keepLast(1), keepBest(1, 'accuracy', 'higher'), keepEveryNHours(4)), [10, 20, 50, 60]],
  ])('%s', (_, policy, expected) => {
    expect(kept(policy, six)).toEqual(expected);
  });

  it.each([() => keepLast(0), () => keepEveryNSteps(1.5), () => keepEveryNHours(-1), () => keepBest(1, 'a', 'up' as 'higher')])(
    'refuse numbers that mean nothing: %s',
    (make) => expect(make).toThrow(UsageError),
  );
});

describe('a manager with a retention policy', () => {
  const stepCounter = { value: 0, assign: (n: number) => void (stepCounter.value = n) };
  const manager = (directory: string) =>
    new CheckpointManager({
      checkpoint: new Checkpoint({ globalStep: stepCounter }),
      directory,
      retention: keepAny(keepLast(1), keepBest(2, 'accuracy', 'higher')),
      logger: { info() {}, warn() {} },
    });
  const present = (directory: string) => readdirSync(directory).filter((n) => n.startsWith('ckpt')).sort(); // prettier-ignore

  it('keeps the best by metrics recorded later, also after a restart, and the newest always', async () => {
    const directory = path.join(root, 'best');
    const evaluations: [number, number][] = [[1, 0.5], [2, 0.8], [3, NaN], [4, 0.7]]; // prettier-ignore
    for (const [step, accuracy] of evaluations) {
      const m = manager(directory); // every time a new process
      stepCounter.value = step;
      await m.save({ checkpointNumber: step });
      await m.noteMetrics(step, { accuracy });
    }
    expect(present(directory)).toEqual(['ckpt-2', 'ckpt-4']);
    const m = manager(directory);
    await m.save({ checkpointNumber: 5 });
    expect(present(directory)).toEqual(['ckpt-2', 'ckpt-4', 'ckpt-5']);
    expect(m.checkpoints.map((c) => path.basename(c))).toEqual(['ckpt-2', 'ckpt-4', 'ckpt-5']);
    await m.noteMetrics(99, { accuracy: 1 }); // not there
    expect(await manager(directory).restoreOrInitialize()).toBe(path.join(directory, 'ckpt-5'));
  });

  it('is not given other rules besides', () => {
    const both = { checkpoint: new Checkpoint({}), directory: root, retention: keepLast(1), maxToKeep: 3 };
    expect(() => new CheckpointManager(both)).toThrow(/either retention/);
  });
});
