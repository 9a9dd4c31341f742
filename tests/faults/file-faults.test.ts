/**
 * A file system that fails: every file call of a save fails once, in every way. Afterwards the directory is in order, nothing
 * that was reported as saved is lost, and the next save works.
 */
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { Checkpoint, CheckpointManager, type StateDict, type StateTensor } from '../../src/checkpoint/index.js';
import { CheckpointError } from '../../src/errors.js';

/** The layer over the file calls: counts those that write, and lets one fail. */
const faults = vi.hoisted(() => ({
  calls: [] as string[],
  /** Number of the call that fails, or -1. */
  failAt: -1,
  code: 'EIO',
  /** All calls after the failing one fail, too. */
  isLasting: false,
  /** Most bytes that one call writes. */
  shortWrites: Infinity,
  check(name: string): void {
    const number = faults.calls.push(name) - 1;
    if (number === faults.failAt || (faults.isLasting && faults.failAt >= 0 && number > faults.failAt))
      throw Object.assign(new Error(`${faults.code}: injected, ${name}`), { code: faults.code, syscall: name });
  },
}));

vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof import('node:fs/promises')>();
  const wrapped = (name: 'mkdir' | 'rename' | 'rm') =>
    async (...args: never[]) => {
      faults.check(name);
      return (real[name] as (...a: never[]) => unknown)(...args);
    }; // prettier-ignore
  return {
    ...real,
    mkdir: wrapped('mkdir'),
    rename: wrapped('rename'),
    rm: wrapped('rm'),
    open: async (file: string, flags: string, ...rest: never[]) => {
      const writes = flags !== 'r';
      if (writes) faults.check('open');
      const handle = await real.open(file, flags, ...rest);
      const { writev, writeFile, sync, datasync, close } = handle;
      handle.writev = (async (buffers: Uint8Array[]) => {
        faults.check('writev');
        if (faults.shortWrites === Infinity) return writev.call(handle, buffers);
        const { bytesWritten } = await handle.write(buffers[0]!, 0, Math.min(buffers[0]!.length, faults.shortWrites));
        return { bytesWritten, buffers };
      }) as typeof writev;
      handle.writeFile = (async (text: string) => {
        try {
          faults.check('writeFile');
        } catch (error) {
          await writeFile.call(handle, text.slice(0, text.length / 2)); // a full disk takes a part
          throw error;
        }
        return writeFile.call(handle, text);
      }) as typeof writeFile;
      handle.sync = async () => {
        faults.check('sync');
        return sync.call(handle);
      };
      handle.datasync = async () => {
        faults.check('datasync');
        return datasync.call(handle);
      };
      handle.close = async () => {
        await close.call(handle);
        if (writes) faults.check('close');
      };
      return handle;
    },
  };
});

// Flushing memory is quick, and what is flushed is not the point here.
const root = mkdtempSync(path.join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'faults-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
beforeEach(() => Object.assign(faults, { calls: [], failAt: -1, isLasting: false, shortWrites: Infinity }));

/** A manager as a new process has it; every element of its tensor is the step. */
function open(directory: string) {
  const globalStep = { value: 0, assign: (n: number) => void (globalStep.value = n) };
  const data = new Float32Array(1000);
  const model = {
    stateDict: () => ({ data: { dtype: 'float32' as const, shape: [1000], data } }),
    loadStateDict: (state: StateDict) => void data.set((state['data'] as StateTensor).data as Float32Array),
  };
  const reported: number[] = [];
  const manager = new CheckpointManager({
    checkpoint: new Checkpoint({ globalStep, model }),
    directory,
    maxToKeep: 2,
    logger: { info() {}, warn() {} },
  });
  const save = async (step: number, background = false): Promise<void> => {
    globalStep.value = step;
    data.fill(step);
    await manager.save({ checkpointNumber: step, async: background, onCommit: () => reported.push(step) });
    await manager.sync();
  };
  const restore = async (): Promise<number> => {
    await manager.restoreOrInitialize();
    expect(data.every((x) => x === globalStep.value)).toBe(true); // never a mixture
    return globalStep.value;
  };
  return { save, restore, reported, manager };
}

const leftovers = (directory: string): string[] => readdirSync(directory).filter((n) => n.startsWith('.') || n.includes('replaced'));

/** The calls of a save in a directory that holds two checkpoints already, so that one is deleted. */
async function callsOfSave(step: number): Promise<string[]> {
  const directory = mkdtempSync(path.join(root, 'count-'));
  const { save } = open(directory);
  await save(1);
  await save(2);
  faults.calls = [];
  await save(step);
  return [...faults.calls];
}

describe('a save', () => {
  it('flushes files and directories before names appear, in this order', async () => {
    expect(await callsOfSave(3)).toEqual([
      ...['mkdir', 'mkdir'], // the parent, if need be; the temporary directory
      ...['open', 'writev', 'sync', 'close'], // model.safetensors
      ...['open', 'writev', 'sync', 'close'], // state.safetensors
      ...['open', 'writeFile', 'sync', 'close'], // the manifest
      ...['sync', 'rename', 'sync'], // the names inside; the checkpoint's own name; the directory above
      ...['open', 'writeFile', 'sync', 'close', 'rename', 'sync'], // the state file lists it
      ...['rename', 'rm'], // the oldest goes, its name first
      ...['open', 'writeFile', 'sync', 'close', 'rename', 'sync'], // and is no longer listed
    ]);
  });

  const codes = ['ENOSPC', 'EIO', 'EROFS', 'EDQUOT'];
  it.each([
    ['a new step', 3, false],
    ['a new step in the background', 3, true],
    ['a step that is there already', 2, false],
  ])('of %s loses nothing, whichever file call fails, once or from then on', async (_, step, background) => {
    const count = (await callsOfSave(step)).length;
    expect(count).toBeGreaterThan(20);
    for (let call = 0; call < count; call++) {
      for (const isLasting of background ? [false] : [false, true]) {
        const directory = path.join(root, `${step}-${background}-${call}-${isLasting}`);
        mkdirSync(directory);
        const running = open(directory);
        await running.save(1);
        await running.save(2);
        Object.assign(faults, { calls: [], failAt: call, code: codes[call % codes.length], isLasting });
        const outcome = await running.save(step, background).then(() => null, (e: unknown) => e); // prettier-ignore
        Object.assign(faults, { failAt: -1, isLasting: false });
        const what = `call ${call} (${faults.calls[call]}, ${isLasting ? 'lasting' : 'once'})`;
        if (outcome !== null) expect(outcome, what).toBeInstanceOf(CheckpointError);
        // A new process finds what was reported as saved last, or what came later, whole.
        const fresh = open(directory);
        const found = await fresh.restore();
        expect(found, what).toBeGreaterThanOrEqual(running.reported.at(-1)!);
        expect(found, what).toBeLessThanOrEqual(Math.max(step, 2));
        // Both processes can save again, and leave nothing else behind.
        await running.save(4);
        await open(directory).save(5);
        expect(await open(directory).restore(), what).toBe(5);
        if (!isLasting) expect(leftovers(directory), what).toEqual([]);
      }
    }
  });

  it('of a large file fails where a flush does that begins while the rest is written', async () => {
    const directory = mkdtempSync(path.join(tmpdir(), 'large-')); // more than the memory disk of a container may hold
    try {
      const data = { dtype: 'float32' as const, shape: [17 << 20], data: new Float32Array(17 << 20) }; // 68 MiB
      const checkpoint = new Checkpoint({ model: { stateDict: () => ({ data }), loadStateDict() {} } });
      await checkpoint.write(path.join(directory, 'whole'));
      const call = faults.calls.indexOf('datasync');
      expect(call).toBeGreaterThan(0);
      Object.assign(faults, { calls: [], failAt: call });
      await expect(checkpoint.write(path.join(directory, 'failed'))).rejects.toThrow(/reported an error/);
      expect(readdirSync(directory)).toEqual(['whole']);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  it('goes on after short writes', async () => {
    faults.shortWrites = 777;
    const directory = path.join(root, 'short');
    await open(directory).save(6);
    faults.shortWrites = Infinity;
    expect(await open(directory).restore()).toBe(6);
    await expect(open(directory).save(7)).resolves.toBeUndefined();
  });

  it.each([['ENOSPC', /disk is full/], ['EROFS', /read-only/], ['EIO', /reported an error/]])('says what %s means and where it happened', async (code, message) => {
    Object.assign(faults, { failAt: 2, code });
    const directory = path.join(root, `says-${code}`);
    await expect(open(directory).save(1)).rejects.toThrow(message);
    await expect(open(directory).restore()).resolves.toBe(0);
  }); // prettier-ignore
});
