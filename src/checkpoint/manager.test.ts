import { mkdir, mkdtemp, readdir, readFile, rename, rm, utimes, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { CheckpointError, UsageError } from '../errors.js';
import { Checkpoint } from './checkpoint.js';
import { CheckpointManager } from './manager.js';
import { type CheckpointManagerOptions } from './manager-options.js';
import { everyNSteps } from './retention.js';
import { hasPermissions, inUnwritableDirectory } from './unwritable.testing.js';
import { latestCheckpoint } from './watch.js';

const root = await mkdtemp(path.join(tmpdir(), 'manager-'));
let count = 0;
const fresh = (): string => path.join(root, `run${count++}`);

class Counter {
  constructor(public value = 0) {}
  assign(value: number): void {
    this.value = value;
  }
}

function setUp(options: Partial<CheckpointManagerOptions> = {}) {
  const globalStep = new Counter();
  const messages: string[] = [];
  const log = (message: string): void => void messages.push(message);
  const checkpoint = new Checkpoint({ globalStep });
  const directory = options.directory ?? fresh();
  const manager = new CheckpointManager({ checkpoint, directory, logger: { info: log, warn: log }, ...options });
  const saveAt = async (step: number): Promise<string | null> => {
    globalStep.value = step;
    return manager.save({ checkpointNumber: step });
  };
  return { globalStep, checkpoint, manager, messages, directory, saveAt };
}

const names = (paths: readonly (string | null)[]): (string | null)[] => paths.map((p) => p && path.basename(p));
const list = async (directory: string): Promise<string[]> => (await readdir(directory)).sort();
const state = (directory: string): Promise<string> => readFile(path.join(directory, 'checkpoint'), 'utf8');

afterEach(() => vi.useRealTimers());

describe('saving', () => {
  it('numbers checkpoints by the save counter unless told, and counts every save', async () => {
    const { manager, checkpoint } = setUp();
    const paths = [await manager.save(), await manager.save({ checkpointNumber: 70 }), await manager.save()];
    expect(names(paths)).toEqual(['ckpt-1', 'ckpt-70', 'ckpt-3']);
    expect(checkpoint.saveCounter).toBe(3);
  });

  it('keeps the newest maxToKeep and deletes the oldest', async () => {
    const { manager, directory, saveAt } = setUp({ maxToKeep: 2 });
    for (const step of [5, 10, 15]) await saveAt(step);
    expect(names(manager.checkpoints)).toEqual(['ckpt-10', 'ckpt-15']);
    expect(manager.latestCheckpoint).toBe(path.join(directory, 'ckpt-15'));
    expect(await list(directory)).toEqual(['checkpoint', 'ckpt-10', 'ckpt-15']);
    expect(await state(directory)).toMatch(
      /^model_checkpoint_path: "ckpt-15"\nall_model_checkpoint_paths: "ckpt-10"\nall_model_checkpoint_paths: "ckpt-15"\nall_model_checkpoint_timestamps: [\d.]+\nall_model_checkpoint_timestamps: [\d.]+\nlast_preserved_timestamp: [\d.]+\n$/,
    );
  });

  it('moves a checkpoint that is saved again to the end of the line', async () => {
    const { manager, saveAt } = setUp({ maxToKeep: 2 });
    for (const step of [1, 2, 1, 3]) await saveAt(step);
    expect(names(manager.checkpoints)).toEqual(['ckpt-1', 'ckpt-3']);
  });

  it('keeps all without maxToKeep', async () => {
    const { manager, saveAt } = setUp();
    for (const step of [1, 2, 3]) await saveAt(step);
    expect(manager.checkpoints.length).toBe(3);
  });

  it('keeps one for good every so many hours, unlisted', async () => {
    vi.useFakeTimers({ toFake: ['Date'], now: 1_700_000_000_000 });
    const { manager, directory, saveAt } = setUp({ maxToKeep: 1, keepCheckpointEveryNHours: 2 });
    void manager.latestCheckpoint; // the clock of the first kept one starts here
    for (let hour = 1; hour <= 6; hour++) {
      vi.setSystemTime(1_700_000_000_000 + hour * 3_600_000);
      await saveAt(hour);
    }
    expect(names(manager.checkpoints)).toEqual(['ckpt-6']);
    expect(await list(directory)).toEqual(['checkpoint', 'ckpt-2', 'ckpt-4', 'ckpt-6']);
    expect(await state(directory)).toContain(`last_preserved_timestamp: ${1_700_000_000 + 4 * 3600}`);
    const again = setUp({ directory, maxToKeep: 1 });
    expect(names(again.manager.checkpoints)).toEqual(['ckpt-6']);
  });

  it('keeps for good what another policy says', async () => {
    const { directory, saveAt } = setUp({ maxToKeep: 1, preserve: [everyNSteps(20)] });
    for (const step of [10, 20, 30, 40, 50]) await saveAt(step);
    expect(await list(directory)).toEqual(['checkpoint', 'ckpt-20', 'ckpt-40', 'ckpt-50']);
  });
});

describe('the interval', () => {
  const due = async (globalStep: Counter, manager: CheckpointManager, step: number, checkInterval?: boolean): Promise<boolean> => {
    globalStep.value = step;
    return (await manager.save({ checkpointNumber: step, checkInterval })) !== null;
  };
  const counted = (options: Partial<CheckpointManagerOptions> = {}) => {
    const globalStep = new Counter();
    const { directory } = options;
    return {
      globalStep,
      manager: new CheckpointManager({
        checkpoint: new Checkpoint({ globalStep }), checkpointInterval: 10, stepCounter: globalStep, ...options, directory: directory ?? fresh(),
      }),
    }; // prettier-ignore
  };

  it('lets the first save through and then counts from the last one', async () => {
    const { globalStep, manager } = counted();
    const saved: number[] = [];
    for (const step of [3, 6, 12, 13, 20, 23]) if (await due(globalStep, manager, step)) saved.push(step);
    expect(saved).toEqual([3, 13, 23]);
  });

  it('is ignored without checkInterval, but a step is never saved twice', async () => {
    const { globalStep, manager } = counted();
    expect([await due(globalStep, manager, 3), await due(globalStep, manager, 4, false), await due(globalStep, manager, 4, false)]).toEqual(
      [true, true, false],
    );
  });

  it('counts from lastCheckpointStep, and from the restored step after a restore', async () => {
    const first = counted({ lastCheckpointStep: 5 });
    expect([await due(first.globalStep, first.manager, 14), await due(first.globalStep, first.manager, 15)]).toEqual([false, true]);
    const second = counted({ directory: first.manager.directory });
    await second.manager.restoreOrInitialize();
    expect(second.globalStep.value).toBe(15);
    expect([await due(second.globalStep, second.manager, 24), await due(second.globalStep, second.manager, 25)]).toEqual([false, true]);
  });

  it('does not count a save that failed', async () => {
    const directory = fresh();
    await writeFile(directory, 'in the way');
    const { globalStep, manager } = counted({ directory });
    await expect(due(globalStep, manager, 3)).rejects.toThrow(CheckpointError);
    await rm(directory);
    expect(await due(globalStep, manager, 3)).toBe(true);
  });
});

describe('restoreOrInitialize', () => {
  it('runs initFn in a fresh directory and writes nothing', async () => {
    const initFn = vi.fn();
    const { manager, directory } = setUp({ initFn });
    expect(await manager.restoreOrInitialize()).toBeNull();
    expect(initFn).toHaveBeenCalledOnce();
    await expect(readdir(directory)).rejects.toThrow();
  });

  it('restores the newest one and goes on numbering', async () => {
    const first = setUp();
    for (const step of [5, 10]) await first.saveAt(step);
    const initFn = vi.fn();
    const second = setUp({ directory: first.directory, initFn });
    expect(await second.manager.restoreOrInitialize()).toBe(path.join(first.directory, 'ckpt-10'));
    expect([second.globalStep.value, second.checkpoint.saveCounter, initFn.mock.calls.length]).toEqual([10, 2, 0]);
  });

  it('skips damaged ones, says which and why, and never deletes them', async () => {
    const first = setUp({ maxToKeep: 2 });
    for (const step of [5, 10]) await first.saveAt(step);
    await writeFile(path.join(first.directory, 'ckpt-10', 'manifest.json'), '{}');
    const second = setUp({ directory: first.directory, maxToKeep: 1 });
    expect(names([await second.manager.restoreOrInitialize(), second.manager.latestCheckpoint])).toEqual(['ckpt-5', 'ckpt-5']);
    expect(second.messages[0]).toMatch(/Skipped a checkpoint: .*ckpt-10.*damaged/);
    await second.saveAt(7);
    expect(await list(first.directory)).toEqual(['checkpoint', 'ckpt-10', 'ckpt-7']);
    await second.saveAt(10);
    expect(await list(first.directory)).toEqual(['checkpoint', 'ckpt-10']);
    expect(await setUp({ directory: first.directory }).manager.restoreOrInitialize()).toMatch(/ckpt-10$/);
  });

  it('falls back to checkpoints kept for good, and past a state file that cannot be understood', async () => {
    const first = setUp({ maxToKeep: 1, preserve: [everyNSteps(5)] });
    for (const step of [5, 7]) await first.saveAt(step);
    await rm(path.join(first.directory, 'ckpt-7'), { recursive: true });
    expect(await setUp({ directory: first.directory }).manager.restoreOrInitialize()).toMatch(/ckpt-5$/);
    await writeFile(path.join(first.directory, 'checkpoint'), 'gibberish');
    const second = setUp({ directory: first.directory });
    expect(await second.manager.restoreOrInitialize()).toMatch(/ckpt-5$/);
    expect(second.messages[0]).toContain('not a checkpoint state file');
  });

  it('is an error if there are checkpoints and none is valid, rather than a fresh start', async () => {
    const first = setUp();
    await first.saveAt(5);
    await rm(path.join(first.directory, 'ckpt-5', 'manifest.json'));
    const initFn = vi.fn();
    await expect(setUp({ directory: first.directory, initFn }).manager.restoreOrInitialize()).rejects.toThrow(
      /No checkpoint in .* can be restored[\s\S]*ckpt-5/,
    );
    expect(initFn).not.toHaveBeenCalled();
  });

  it('does not skip a checkpoint that is whole but does not fit', async () => {
    const first = setUp();
    await first.saveAt(5);
    const checkpoint = new Checkpoint({ other: new Counter() });
    await expect(new CheckpointManager({ checkpoint, directory: first.directory }).restoreOrInitialize()).rejects.toThrow(
      /does not fit[\s\S]*other: not in/,
    );
  });

  it('refuses a state file without a newest path', async () => {
    const { manager, directory } = setUp();
    await mkdir(directory);
    await writeFile(path.join(directory, 'checkpoint'), 'last_preserved_timestamp: 3\n');
    await expect(manager.restoreOrInitialize()).rejects.toThrow(/no model_checkpoint_path/);
  });

  it('does not manage paths without a time, and works in a directory that was moved', async () => {
    const first = setUp();
    for (const step of [5, 10]) await first.saveAt(step);
    const directory = fresh();
    await rename(first.directory, directory);
    expect(names(setUp({ directory }).manager.checkpoints)).toEqual(['ckpt-5', 'ckpt-10']);
    await writeFile(
      path.join(directory, 'checkpoint'),
      'model_checkpoint_path: "ckpt-10"\nall_model_checkpoint_paths: "ckpt-5"\nall_model_checkpoint_paths: "ckpt-10"\n',
    );
    const { manager } = setUp({ directory });
    expect(manager.checkpoints).toEqual([]);
    expect(manager.latestCheckpoint).toBe(path.join(directory, 'ckpt-10'));
  });
});

describe('saving in the background', () => {
  it('writes the state of the moment of the call and shows it only when it is complete', async () => {
    const { manager, globalStep, directory } = setUp();
    globalStep.value = 3;
    const commits: string[] = [];
    const promised = await manager.save({ checkpointNumber: 3, async: true, onCommit: (p) => commits.push(p) });
    globalStep.value = 4;
    expect([promised, manager.latestCheckpoint, commits]).toEqual([path.join(directory, 'ckpt-3'), null, []]);
    await manager.sync();
    expect([manager.latestCheckpoint, commits]).toEqual([promised, [promised]]);
    await manager.restoreOrInitialize();
    expect(globalStep.value).toBe(3);
  });

  it('copies arrays that the objects still change', async () => {
    const data = new Float32Array([1]);
    let seen: unknown;
    const keeper = {
      stateDict: () => ({ t: { dtype: 'float32' as const, shape: [1], data } }),
      loadStateDict: (s: unknown) => void (seen = s),
    };
    const manager = new CheckpointManager({ checkpoint: new Checkpoint({ keeper }), directory: fresh() });
    await manager.save({ async: true });
    data[0] = 2;
    await manager.sync();
    await manager.restoreOrInitialize();
    expect(seen).toEqual({ t: { dtype: 'float32', shape: [1], data: new Float32Array([1]) } });
  });

  it('keeps one write in flight and their order', async () => {
    const { manager, globalStep, directory } = setUp({ maxToKeep: 2 });
    for (const step of [1, 2, 3, 4]) {
      globalStep.value = step;
      void manager.save({ checkpointNumber: step, async: true });
    }
    await manager.sync();
    expect(names(manager.checkpoints)).toEqual(['ckpt-3', 'ckpt-4']);
    expect(await list(directory)).toEqual(['checkpoint', 'ckpt-3', 'ckpt-4']);
  });

  it('waits for the first write before a restore, instead of starting afresh', async () => {
    const initFn = vi.fn();
    const { manager, globalStep } = setUp({ initFn });
    globalStep.value = 9;
    await manager.save({ checkpointNumber: 9, async: true });
    globalStep.value = 0;
    expect(await manager.restoreOrInitialize()).toMatch(/ckpt-9$/);
    expect([globalStep.value, initFn.mock.calls.length]).toEqual([9, 0]);
  });

  it.each(['sync', 'save'] as const)('throws the error of a failed write at the next %s, once', async (method) => {
    const directory = fresh();
    const { manager } = setUp({ directory });
    await writeFile(directory, 'in the way');
    await manager.save({ async: true });
    await new Promise((resolve) => setTimeout(resolve, 50));
    await expect(manager[method]()).rejects.toThrow(/Cannot create the directory/);
    await rm(directory);
    await manager.save();
    await manager.sync();
    expect(names(manager.checkpoints)).toEqual(['ckpt-2']);
  });
});

describe('a directory in disorder', () => {
  it('is swept of what dead processes left, and of nothing else', async () => {
    const { manager, directory, messages } = setUp();
    const host = (await import('node:os')).hostname().replaceAll(/[^A-Za-z0-9-]/g, '-');
    const dead = `.tmp-ckpt-5.${host}.4194304.0123abcd.0`;
    const restarted = `.tmp-ckpt-6.${host}.${process.pid}.0123abcd.0`;
    const alive = `.tmp-ckpt-7.${host}.${process.ppid}.0123abcd.0`;
    const [foreign, oldForeign] = ['.tmp-ckpt-5.elsewhere.1.0123abcd.0', '.tmp-ckpt-6.elsewhere.1.0123abcd.0'];
    for (const name of [dead, restarted, alive, foreign, oldForeign, 'notes', '.tmp-mine'])
      await mkdir(path.join(directory, name), { recursive: true });
    await utimes(path.join(directory, oldForeign), 1, 1);
    await manager.save();
    expect(await list(directory)).toEqual([alive, foreign, '.tmp-mine', 'checkpoint', 'ckpt-1', 'notes'].sort());
    expect(messages.filter((m) => m.includes('process that is gone')).length).toBe(3);
  });

  it('gets a checkpoint back that was being replaced when its process died', async () => {
    const first = setUp();
    for (const step of [5, 10]) await first.saveAt(step);
    await rename(path.join(first.directory, 'ckpt-5'), path.join(first.directory, 'ckpt-5.replaced-1700000000000'));
    await mkdir(path.join(first.directory, 'ckpt-10.replaced-1700000000000'));
    await setUp({ directory: first.directory }).saveAt(11);
    expect(await list(first.directory)).toEqual(['checkpoint', 'ckpt-10', 'ckpt-11', 'ckpt-5']);
  });

  it.skipIf(!hasPermissions)('that may not be written gives an error with the path and leaves nothing', () =>
    inUnwritableDirectory(async (directory) => {
      await expect(setUp({ directory }).manager.save()).rejects.toThrow(/unwritable-.*permission denied/);
      expect(await list(directory)).toEqual([]);
    }),
  );
});

describe('arguments', () => {
  const wrong: [Partial<CheckpointManagerOptions>, RegExp][] = [
    [{ maxToKeep: 0 }, /maxToKeep must be a whole number above 0/],
    [{ maxToKeep: -1 }, /maxToKeep/],
    [{ checkpointInterval: 5 }, /needs a stepCounter/],
    [{ checkpointInterval: 1.5 }, /whole number of steps/],
    [{ checkpointName: 'a/b' }, /"a\/b" cannot be/],
    [{ keepCheckpointEveryNHours: -2 }, /above 0, not every -2/],
    [{ directory: '' }, /directory/],
  ];
  it.each(wrong)('%j is refused', (options, message) => {
    const make = () => new CheckpointManager({ checkpoint: new Checkpoint({}), directory: 'd', ...options });
    expect(make).toThrow(UsageError);
    expect(make).toThrow(message);
  });

  it('are all that the constructor looks at: the state file is read later', async () => {
    const directory = fresh();
    const { manager } = setUp({ directory });
    await setUp({ directory }).saveAt(4);
    expect(names([manager.latestCheckpoint])).toEqual(['ckpt-4']);
  });
});

describe('latestCheckpoint', () => {
  it('reads the state file each time and wants the files to be there', async () => {
    const { directory, saveAt } = setUp();
    expect(await latestCheckpoint(directory)).toBeNull();
    await saveAt(1);
    expect(await latestCheckpoint(directory)).toBe(path.join(directory, 'ckpt-1'));
    await rm(path.join(directory, 'ckpt-1'), { recursive: true });
    const warn = vi.fn();
    expect(await latestCheckpoint(directory, { info: vi.fn(), warn })).toBeNull();
    expect(warn).toHaveBeenCalledOnce();
  });
});
