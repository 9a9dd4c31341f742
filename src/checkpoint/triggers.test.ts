import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { UsageError } from '../errors.js';
import { Checkpoint } from './checkpoint.js';
import { CheckpointManager } from './manager.js';
import { anyTrigger, everyEpochs, everySeconds, everySteps, type SaveTrigger } from './triggers.js';

const root = mkdtempSync(path.join(tmpdir(), 'triggers-'));
afterEach(() => {
  vi.useRealTimers();
  rmSync(root, { recursive: true, force: true });
});

/** Steps at which a manager saves that is asked after each of `count` steps of 0.5 s. */
async function saves(trigger: SaveTrigger, count: number, start = 0): Promise<number[]> {
  vi.useFakeTimers({ toFake: ['performance', 'Date'] });
  const stepCounter = { value: start, assign: (n: number) => void (stepCounter.value = n) };
  const checkpoint = new Checkpoint({ globalStep: stepCounter });
  const manager = new CheckpointManager({ checkpoint, directory: root, stepCounter, trigger, lastCheckpointStep: start });
  const steps: number[] = [];
  await manager.save(); // the step of the last save: not again
  for (let n = 0; n < count; n++) {
    stepCounter.value += 1;
    vi.advanceTimersByTime(500);
    vi.setSystemTime(Date.now() + (n % 2 === 0 ? -1e9 : 2e9)); // the clock on the wall jumps about
    if ((await manager.save({ checkpointNumber: stepCounter.value })) !== null) steps.push(stepCounter.value);
  }
  return steps;
}

describe('save triggers', () => {
  it.each([
    ['everySteps(3)', everySteps(3), [4, 7, 10]],
    ['everySeconds(2)', everySeconds(2), [5, 9]],
    ['everyEpochs(1, 4)', everyEpochs(1, 4), [4, 8]],
    ['everyEpochs(2, 2)', everyEpochs(2, 2), [4, 8]],
    ['anyTrigger', anyTrigger(everySeconds(2.5), everyEpochs(1, 4)), [4, 8]],
  ])('%s are due by steps and monotonic time, whatever the clock on the wall does', async (_, trigger, expected) => {
    expect(await saves(trigger, 10)).toEqual(expected);
  });

  it.each([() => everySteps(0), () => everySeconds(NaN), () => everyEpochs(1, 0.5)])('refuse numbers that mean nothing: %s', (make) =>
    expect(make).toThrow(UsageError),
  );
});
