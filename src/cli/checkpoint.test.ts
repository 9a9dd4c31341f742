import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { Checkpoint, CheckpointManager, readSafetensors, type StateDict } from '../checkpoint/index.js';
import { runCommandLine } from './program.js';

let root: string;
let directory: string;
/** A model with two weights and a counter, saved at steps 1 and 2. */
beforeEach(async () => {
  root = mkdtempSync(path.join(tmpdir(), 'orbit-checkpoint-'));
  directory = path.join(root, 'run');
  const globalStep = { value: 0, assign: () => {} };
  const kernel = Float32Array.of(1, 2, 3, 4);
  const tensor = (data: Float32Array, shape: number[]) => ({ dtype: 'float32' as const, shape, data });
  const model = {
    stateDict: () => ({ 'dense/kernel': tensor(kernel, [2, 2]), 'dense/bias': tensor(Float32Array.of(5), [1]) }),
    loadStateDict: () => {},
  };
  const manager = new CheckpointManager({ checkpoint: new Checkpoint({ model, globalStep }), directory, maxToKeep: 5 });
  for (globalStep.value = 1; globalStep.value < 3; globalStep.value++) {
    kernel[3] = globalStep.value * 4;
    await manager.save({ checkpointNumber: globalStep.value });
  }
  await manager.noteMetrics(2, { accuracy: 0.75 });
});
afterEach(() => {
  vi.restoreAllMocks();
  rmSync(root, { recursive: true, force: true });
});

async function orbit(...args: string[]): Promise<{ status: number; out: string; err: string }> {
  let [out, err] = ['', ''];
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += text as string), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += text as string), true));
  const status = await runCommandLine(['checkpoint', ...args]);
  vi.restoreAllMocks();
  return { status, out, err };
}
const damage = (): void => {
  const file = path.join(directory, 'ckpt-1', 'model.safetensors');
  const bytes = readFileSync(file);
  bytes[bytes.length - 1]! ^= 1;
  writeFileSync(file, bytes);
};

describe('orbit checkpoint', () => {
  it('list shows every checkpoint with step, size, place and metrics', async () => {
    const { status, out } = await orbit('list', directory);
    expect(status).toBe(0);
    const lines = out.trim().split('\n');
    expect(lines[1]).toMatch(/^ckpt-1 +1 +\d+\.\d kB +\d{4}-\d\d-\d\d \d\d:\d\d:\d\d$/);
    expect(lines[2]).toMatch(/^ckpt-2 +2 .* newest +accuracy 0\.75/);
    expect(JSON.parse((await orbit('list', directory, '--json')).out)).toMatchObject([
      { step: 1, problem: null },
      { step: 2, isLatest: true },
    ]);
  });

  it('inspect shows values and tensors of a checkpoint, or of the newest', async () => {
    const { status, out } = await orbit('inspect', directory);
    expect(status).toBe(0);
    expect(out).toMatch(/ckpt-2 {2}step 2, format 1, save 2/);
    expect(out).toMatch(/^globalStep +2$/m);
    expect(out).toMatch(/^dense\/kernel +float32 +\[2,2\] +1\.000 +3\.500 +8\.000$/m);
    expect(JSON.parse((await orbit('inspect', path.join(directory, 'ckpt-1'), '--json')).out)).toMatchObject({ step: 1 });
  });

  it('verify finds a single flipped bit and fails', async () => {
    expect((await orbit('verify', directory)).status).toBe(0);
    damage();
    const all = await orbit('verify', directory);
    expect([all.status, all.out]).toEqual([1, expect.stringMatching(/^DAMAGED: .*ckpt-1.*tensor "dense\/kernel"[\s\S]*ckpt-2 is whole/)]);
    const one = await orbit('verify', path.join(directory, 'ckpt-1'));
    expect([one.status, one.err]).toEqual([1, expect.stringContaining('is damaged')]);
  });

  it('diff tells what differs, and succeeds only without a difference', async () => {
    const [a, b] = ['ckpt-1', 'ckpt-2'].map((name) => path.join(directory, name)) as [string, string];
    const differing = await orbit('diff', a, b);
    expect(differing.status).toBe(1);
    expect(differing.out).toBe('dense/kernel: 1 of 4 elements differ, by at most 4.00\nglobalStep: 1 and 2\n');
    expect(await orbit('diff', b, directory)).toMatchObject({ status: 0, out: 'No difference in 2 tensors and all other values.\n' });
  });

  it('diff names what only one checkpoint has once, tensors by their names', async () => {
    const other = path.join(root, 'other');
    const tensor = { dtype: 'float32' as const, shape: [1], data: Float32Array.of(1) };
    const item = (slots: object) => ({ stateDict: () => ({ ...slots }) as StateDict, loadStateDict: () => {} });
    await new Checkpoint({ optimizer: item({ step: 1 }) }).write(`${other}-a`);
    await new Checkpoint({ optimizer: item({ step: 1, slot: tensor }), second: item({ slot: tensor, rate: 2 }) }).write(`${other}-b`);
    const { out } = await orbit('diff', `${other}-a`, `${other}-b`);
    expect(out).toBe(`state: optimizer/slot: only in ${other}-b\nstate: second/slot: only in ${other}-b\nsecond/rate: nothing and 2\n`);
  });

  it('convert goes from a checkpoint to each kind of file and back without loss', async () => {
    const chain = ['a.safetensors', 'b.json', 'c.npz', 'converted'].map((name) => path.join(root, name));
    let source = directory;
    for (const target of chain) {
      expect(await orbit('convert', source, target)).toMatchObject({ status: 0, out: `Wrote 2 tensors to ${target}.\n` });
      source = target;
    }
    const tensors = await readSafetensors(path.join(source, 'model.safetensors'));
    expect(tensors.get('dense/kernel')).toEqual({ dtype: 'float32', shape: [2, 2], data: Float32Array.of(1, 2, 3, 8) });
    expect((await orbit('verify', source)).status).toBe(0);
    expect(await orbit('convert', directory, chain[0]!)).toMatchObject({
      status: 2,
      err: expect.stringContaining('there already') as string,
    });
    expect(await orbit('convert', directory, path.join(root, 'x.h5'))).toMatchObject({
      status: 2,
      err: expect.stringContaining('".h5"') as string,
    });
  });

  it('says what is missing', async () => {
    expect(await orbit('list', path.join(root, 'nowhere'))).toMatchObject({ status: 1, err: expect.stringContaining('nowhere') as string });
    expect(await orbit('inspect', root)).toMatchObject({ status: 1, err: expect.stringContaining('not a complete checkpoint') as string });
    expect((await orbit('verify', root)).status).toBe(1);
    expect((await orbit('dance')).status).toBe(2);
  });
});
