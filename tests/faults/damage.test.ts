/** Damaged files, and a clock that jumps: what is restored is whole, or there is an error; never something in between. */
import { cpSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import {
  Checkpoint,
  CheckpointManager,
  keepAny,
  keepEveryNHours,
  keepLast,
  type StateDict,
  type StateTensor,
} from '../../src/checkpoint/index.js';
import { CheckpointError } from '../../src/errors.js';

const root = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'damage-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
afterEach(() => vi.useRealTimers());

/** A manager as a new process has it; the elements of its tensors, in both files, are the step. */
function open(directory: string, retention = keepLast(5)) {
  const globalStep = { value: 0, assign: (n: number) => void (globalStep.value = n) };
  const [model, other] = [keeper(300), keeper(5)];
  const warnings: string[] = [];
  const manager = new CheckpointManager({
    checkpoint: new Checkpoint({ globalStep, model, other }),
    directory,
    retention,
    logger: { info() {}, warn: (text) => void warnings.push(text) },
  });
  const save = async (step: number): Promise<void> => {
    globalStep.value = step;
    model.data.fill(step);
    other.data.fill(step);
    await manager.save({ checkpointNumber: step });
  };
  const restore = async (): Promise<number> => {
    await manager.restoreOrInitialize();
    for (const { data } of [model, other]) expect(data.every((x) => x === globalStep.value)).toBe(true);
    return globalStep.value;
  };
  return { save, restore, warnings };
}

function keeper(size: number) {
  const data = new Float32Array(size);
  return {
    data,
    stateDict: () => ({ data: { dtype: 'float32' as const, shape: [size], data }, label: 'a text', count: 7 }),
    loadStateDict: (state: StateDict) => void data.set((state['data'] as StateTensor).data as Float32Array),
  };
}

const whole = path.join(root, 'whole');
beforeAll(async () => {
  const { save } = open(whole);
  await save(1);
  await save(2);
});

const files = ['model.safetensors', 'state.safetensors', 'manifest.json'];

/** Damages a copy and restores from it. */
async function afterDamage(name: string, damage: (file: string) => void): Promise<{ step: number; warnings: string[] }> {
  const directory = mkdtempSync(path.join(root, 'copy-'));
  cpSync(whole, directory, { recursive: true });
  damage(path.join(directory, name));
  const { restore, warnings, save } = open(directory);
  try {
    const step = await restore();
    await save(9); // and the run goes on
    expect(await open(directory).restore()).toBe(9);
    expect(readdirSync(directory)).toContain('ckpt-2'); // nothing damaged is deleted
    return { step, warnings };
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}

/** About so many positions over a file, ends included. */
function positions(file: string, count: number): number[] {
  const { length } = readFileSync(file);
  return [...new Set(Array.from({ length: count }, (_, i) => Math.round((i * (length - 1)) / (count - 1))))];
}

describe('a damaged checkpoint', () => {
  it.each(files)('is skipped with the reason when a bit of %s flips, wherever it is', async (name) => {
    const file = path.join('ckpt-2', name);
    for (const at of positions(path.join(whole, file), 60)) {
      const { step, warnings } = await afterDamage(file, (damaged) => {
        const bytes = readFileSync(damaged);
        bytes[at]! ^= 1 << (at % 8);
        writeFileSync(damaged, bytes);
      });
      expect([at, step]).toEqual([at, 1]);
      expect(warnings.join()).toMatch(/Skipped a checkpoint: .*ckpt-2/);
    }
  });

  it.each(files)('is skipped with the reason when %s is cut short or lengthened', async (name) => {
    const file = path.join('ckpt-2', name);
    const cuts = positions(path.join(whole, file), 12).slice(0, -1); // a manifest without its last line break is whole
    for (const at of cuts) expect((await afterDamage(file, (f) => truncateSync(f, at))).step).toBe(1);
    expect((await afterDamage(file, (f) => writeFileSync(f, Buffer.concat([readFileSync(f), Buffer.from('x')])))).step).toBe(1);
    expect((await afterDamage(file, (f) => rmSync(f))).step).toBe(1);
  });
});

describe('a damaged state file', () => {
  it('leads to a whole checkpoint or to an error that names it, never to a fresh start', async () => {
    const text = readFileSync(path.join(whole, 'checkpoint'));
    for (let at = 0; at < text.length; at++) {
      const bit = 1 << (at % 8);
      const outcome = await afterDamage('checkpoint', (file) => {
        const bytes = Buffer.from(text);
        bytes[at]! ^= bit;
        writeFileSync(file, bytes);
      }).catch((error: unknown) => error as Error);
      if (outcome instanceof Error) {
        expect(outcome, String(outcome)).toBeInstanceOf(CheckpointError);
        expect(outcome.message).toContain('checkpoint"');
      } else expect(outcome.step).toBeGreaterThanOrEqual(1);
    }
    for (let length = 0; length < text.length; length += 7) {
      const outcome = await afterDamage('checkpoint', (file) => truncateSync(file, length)).catch((error: unknown) => error as Error);
      if (outcome instanceof Error) expect(outcome).toBeInstanceOf(CheckpointError);
      else expect(outcome.step).toBeGreaterThanOrEqual(1);
    }
  });
});

describe('a clock that jumps', () => {
  it('back and forth changes neither which checkpoint is the newest nor that it is kept', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: Date.UTC(2026, 0, 1) });
    const directory = path.join(root, 'clock');
    const policy = keepAny(keepLast(2), keepEveryNHours(24));
    const times = [Date.UTC(2026, 0, 2), Date.UTC(1999, 0, 1), Date.UTC(2040, 0, 1), Date.UTC(2026, 0, 3), 0];
    for (const [i, time] of times.entries()) {
      vi.setSystemTime(time);
      const { save, restore } = open(directory, policy); // a new process each time
      expect(await restore()).toBe(i);
      await save(i + 1);
    }
    expect(await open(directory, policy).restore()).toBe(5);
  });
});
