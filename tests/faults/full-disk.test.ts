/** A real file system that runs full and one that becomes read-only, in a name space of its own (Linux, where that is allowed). */
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const root = mkdtempSync(path.join(tmpdir(), 'full-'));
const mounted = path.join(root, 'disk');
mkdirSync(mounted);
/** Runs a shell command where `mounted` is a file system of 2 MiB. */
const onSmallDisk = (command: string) =>
  spawnSync('unshare', ['-rm', 'sh', '-c', `mount -t tmpfs -o size=2m tmpfs ${mounted} && ${command}`], {
    encoding: 'utf8',
    timeout: 25_000,
  });
const isPossible = process.platform === 'linux' && onSmallDisk('true').status === 0;

/** Saves steps of 400 kB, all kept, until one fails; then restores in a fresh manager. With `ro` the disk becomes read-only after two. */
const script = `
import { execSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { Checkpoint, CheckpointManager } from './index.js';
const [directory, readOnly, background] = process.argv.slice(2);
const globalStep = { value: 0, assign(n) { this.value = n; } };
const model = {
  data: new Float32Array(100_000),
  stateDict() { return { data: { dtype: 'float32', shape: [100_000], data: this.data } }; },
  loadStateDict(s) { this.data.set(s.data.data); },
};
const open = () => new CheckpointManager({ checkpoint: new Checkpoint({ globalStep, model }), directory, logger: { info() {}, warn() {} } });
const manager = open();
let error = null;
let reported = 0;
try {
  for (let step = 1; step < 20; step++) {
    if (readOnly === 'ro' && step === 3) execSync('mount -o remount,ro ' + directory);
    globalStep.assign(step);
    model.data.fill(step);
    await manager.save({ checkpointNumber: step, async: background === 'true', onCommit: () => (reported = step) });
    await manager.sync();
  }
} catch (e) {
  error = e.name + ': ' + e.message;
}
await open().restoreOrInitialize();
const found = { error, reported, restored: globalStep.value, isWhole: model.data.every((x) => x === globalStep.value), names: readdirSync(directory) };
console.log(JSON.stringify(found));
`;

beforeAll(async () => {
  if (!isPossible) return;
  const source = path.resolve(import.meta.dirname, '../../src/checkpoint');
  await build({
    entryPoints: { index: path.join(source, 'index.ts'), 'snapshot.worker': path.join(source, 'snapshot.worker.ts') },
    outdir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['koffi'],
    logLevel: 'error',
  });
  writeFileSync(path.join(root, 'package.json'), '{ "type": "module" }');
  writeFileSync(path.join(root, 'saves.mjs'), script);
});
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe.skipIf(!isPossible)('a disk (needs unshare and tmpfs)', () => {
  it.each([
    ['that runs full', 'rw', false, /the disk is full/],
    ['that runs full while a save is written in the background', 'rw', true, /the disk is full/],
    ['that becomes read-only', 'ro', false, /the file system is read-only/],
  ] as const)('%s costs the save that meets it, and no other', (_, mode, background, message) => {
    const { stdout, stderr } = onSmallDisk(`${process.execPath} ${path.join(root, 'saves.mjs')} ${mounted} ${mode} ${background}`);
    expect(stderr).toBe('');
    const { error, reported, restored, isWhole, names } = JSON.parse(stdout) as {
      error: string;
      reported: number;
      restored: number;
      isWhole: boolean;
      names: string[];
    };
    expect(error).toMatch(/^CheckpointError: /);
    expect(error).toMatch(message);
    expect([reported, isWhole]).toEqual([mode === 'ro' ? 2 : 5, true]);
    expect(restored).toBe(reported);
    expect(names.filter((n) => n.startsWith('.tmp'))).toEqual([]);
  });
});
