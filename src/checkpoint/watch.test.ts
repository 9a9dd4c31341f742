import { mkdtemp, readdir } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, expect, it, vi } from 'vitest';
import { CheckpointError } from '../errors.js';
import { Checkpoint } from './checkpoint.js';
import { readGlobalStep, removeCheckpoints } from './directory-tools.js';
import { CheckpointManager } from './manager.js';
import { checkpointsIterator } from './watch.js';

const root = await mkdtemp(path.join(tmpdir(), 'watch-'));
let count = 0;

function setUp() {
  const globalStep = { value: 0, assign: (n: number) => void (globalStep.value = n) };
  const directory = path.join(root, String(count++));
  const manager = new CheckpointManager({ checkpoint: new Checkpoint({ globalStep }), directory });
  const saveAt = async (step: number): Promise<string | null> => {
    globalStep.value = step;
    return manager.save({ checkpointNumber: step });
  };
  return { directory, manager, saveAt };
}

async function collect(found: AsyncIterable<string>): Promise<string[]> {
  const all: string[] = [];
  for await (const one of found) all.push(one);
  return all;
}

describe('checkpointsIterator', () => {
  it('looks once with a timeout of a second or less, also where there is no directory', async () => {
    const { directory } = setUp();
    const timeoutFn = vi.fn(() => true);
    expect(await collect(checkpointsIterator(directory, { timeoutSeconds: 1, timeoutFn }))).toEqual([]);
    expect(timeoutFn).toHaveBeenCalledOnce();
  });

  it('yields the newest only, and asks timeoutFn after a timeout, not after a yield', async () => {
    const { directory, saveAt } = setUp();
    await saveAt(1);
    const events: string[] = [];
    const answers = [false, true];
    const timeoutFn = async (): Promise<boolean> => {
      events.push('timeout');
      if (answers.length === 2) await saveAt(4);
      return answers.shift()!;
    };
    for await (const found of checkpointsIterator(directory, { timeoutSeconds: 0, timeoutFn })) {
      events.push(path.basename(found));
      if (found.endsWith('-1')) {
        await saveAt(2);
        await saveAt(3);
      }
    }
    expect(events).toEqual(['ckpt-1', 'ckpt-3', 'timeout', 'ckpt-4', 'timeout']);
  });

  it('sees a checkpoint that appears while it waits', async () => {
    const { manager, saveAt } = setUp();
    setTimeout(() => void saveAt(6), 20);
    for await (const found of manager.checkpointsIterator({ timeoutSeconds: 20 })) {
      expect(path.basename(found)).toBe('ckpt-6');
      break;
    }
  });

  it('ends when its signal is aborted', async () => {
    const { directory } = setUp();
    const abort = new AbortController();
    setTimeout(() => abort.abort(), 10);
    expect(await collect(checkpointsIterator(directory, { signal: abort.signal }))).toEqual([]);
  });
});

describe('readGlobalStep', () => {
  it('reads the step without the objects, and says when there is none', async () => {
    const { saveAt, directory } = setUp();
    expect(await readGlobalStep((await saveAt(42))!)).toBe(42);
    const without = await new Checkpoint({ list: [] }).write(path.join(directory, 'other'));
    await expect(readGlobalStep(without)).rejects.toThrow(/no global step/);
    await expect(readGlobalStep(path.join(directory, 'ckpt-1'))).rejects.toThrow(CheckpointError);
  });
});

describe('removeCheckpoints', () => {
  it('deletes checkpoints and state file and nothing else', async () => {
    const { saveAt, directory } = setUp();
    await saveAt(1);
    await new Checkpoint({}).write(path.join(directory, 'best_ckpt-1'));
    await removeCheckpoints(directory);
    expect(await readdir(directory)).toEqual(['best_ckpt-1']);
    await removeCheckpoints(path.join(directory, 'none'));
  });
});
