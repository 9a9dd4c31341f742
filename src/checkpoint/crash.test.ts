/** What remains on disk when the saving process is killed, or its writes fail half-way. */
import { spawn, spawnSync } from 'node:child_process';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Checkpoint } from './checkpoint.js';
import { CheckpointManager } from './manager.js';
import type { StateDict, StateTensor } from './state.js';

let root: string;
let script: string;

/** Every element of the tensor is the step, so that a mixture of two saves is seen. */
const child = `
import { writeSync } from 'node:fs';
import { Checkpoint, CheckpointManager } from './checkpoint.js';
const [directory, async, last] = process.argv.slice(2);
const globalStep = { value: 0, assign(n) { this.value = n; } };
const keeper = {
  data: new Float32Array(100_000),
  stateDict() { return { data: { dtype: 'float32', shape: [this.data.length], data: this.data } }; },
  loadStateDict(s) { this.data.set(s.data.data); },
};
const manager = new CheckpointManager({ checkpoint: new Checkpoint({ globalStep, model: keeper, keeper }), directory, maxToKeep: 2 });
try {
  await manager.restoreOrInitialize();
  while (globalStep.value < Number(last)) {
    const step = globalStep.value + 1;
    globalStep.assign(step);
    keeper.data.fill(step);
    await manager.save({ checkpointNumber: step, async: async === 'true', onCommit: () => writeSync(1, step + '\\n') });
  }
  await manager.sync();
} catch (error) {
  writeSync(2, error.name + ': ' + error.message);
  process.exitCode = 3;
}
`;

beforeAll(async () => {
  root = await mkdtemp(path.join(tmpdir(), 'crash-'));
  script = path.join(root, 'child.mjs');
  await build({
    entryPoints: {
      checkpoint: path.join(import.meta.dirname, 'index.ts'),
      'snapshot.worker': path.join(import.meta.dirname, 'snapshot.worker.ts'),
    },
    outdir: root,
    bundle: true,
    platform: 'node',
    format: 'esm',
    external: ['koffi'],
    logLevel: 'error',
  });
  await writeFile(path.join(root, 'package.json'), '{ "type": "module" }');
  await writeFile(script, child);
});
afterAll(() => rm(root, { recursive: true, force: true }));

function restorable(directory: string) {
  const globalStep = { value: 0, assign: (n: number) => void (globalStep.value = n) };
  const seen: Float32Array[] = [];
  const keeper = {
    stateDict: () => ({}),
    loadStateDict: (s: StateDict) => void seen.push((s['data'] as StateTensor).data as Float32Array),
  };
  const manager = new CheckpointManager({
    checkpoint: new Checkpoint({ globalStep, model: keeper, keeper }),
    directory,
    logger: { info() {}, warn() {} },
  });
  return { globalStep, seen, manager };
}

/** Runs the saving child for a while, kills it, and gives the steps that it reported as saved. */
async function runAndKill(directory: string, async: boolean, milliseconds: number): Promise<number[]> {
  const running = spawn(process.execPath, [script, directory, String(async), 'Infinity'], { stdio: ['ignore', 'pipe', 'inherit'] });
  let output = '';
  const first = new Promise<void>((resolve) => running.stdout.on('data', (text: Buffer) => ((output += text.toString()), resolve())));
  await first;
  await new Promise((resolve) => setTimeout(resolve, milliseconds));
  running.kill('SIGKILL');
  await new Promise((resolve) => running.on('close', resolve));
  return output.split('\n').slice(0, -1).map(Number);
}

describe('a process that is killed while it saves', () => {
  it.each([false, true])('leaves the newest reported checkpoint or a later one, whole (in the background: %s)', async (async) => {
    const directory = path.join(root, `killed-${async}`);
    let reached = 0;
    for (let kill = 0; kill < (async ? 13 : 12); kill++) {
      const reported = await runAndKill(directory, async, Math.random() * 60);
      expect(reported[0]).toBeGreaterThan(reached); // it went on from where it was
      const { globalStep, seen, manager } = restorable(directory);
      expect(await manager.restoreOrInitialize()).toBe(manager.latestCheckpoint);
      const step = globalStep.value;
      expect(step).toBeGreaterThanOrEqual(reported.at(-1)!);
      expect(step).toBeLessThanOrEqual(reported.at(-1)! + 1);
      expect(seen.length).toBe(2);
      expect(seen.every((data) => data.length === 100_000 && data.every((x) => x === step))).toBe(true);
      reached = step;
    }
    const { globalStep, manager } = restorable(directory);
    await manager.restoreOrInitialize();
    globalStep.assign(globalStep.value + 1);
    const { status } = spawnSync(process.execPath, [script, directory, 'false', String(reached + 3)]);
    expect(status).toBe(0);
    expect((await readdir(directory)).filter((n) => n.startsWith('.tmp-') || n.includes('replaced'))).toEqual([]);
  });
});

/** A manager in a process with the writing thread; `body` saves. */
async function runScript(name: string, directory: string, body: string) {
  const file = path.join(root, `${name}.mjs`);
  await writeFile(
    file,
    `import { existsSync, rmSync, writeFileSync } from 'node:fs';
     import { Checkpoint, CheckpointManager } from './checkpoint.js';
     const directory = ${JSON.stringify(directory)};
     const globalStep = { value: 1, assign(n) { this.value = n; } };
     const data = new Float32Array(100_000).fill(1);
     const keeper = { stateDict: () => ({ data: { dtype: 'float32', shape: [data.length], data } }), loadStateDict() {} };
     const manager = new CheckpointManager({ checkpoint: new Checkpoint({ globalStep, model: keeper, keeper }), directory });
     ${body}`,
  );
  return spawnSync(process.execPath, [file], { encoding: 'utf8', timeout: 25_000 });
}

describe('a save in the background', () => {
  it('is written although the thread that asked for it does not rest, with the values of its moment', async () => {
    const directory = path.join(root, 'busy');
    const { status, stderr } = await runScript(
      'busy',
      directory,
      `const saved = await manager.save({ async: true });
       data.fill(2);
       const end = Date.now() + 20_000;
       while (!existsSync(saved + '/manifest.json') && Date.now() < end);
       process.exitCode = existsSync(saved + '/manifest.json') ? 0 : 4;`,
    );
    expect([status, stderr]).toEqual([0, '']);
    const { seen, manager } = restorable(directory);
    expect(await manager.restoreOrInitialize()).toBe(path.join(directory, 'ckpt-1'));
    expect(seen.every((values) => values.every((x) => x === 1))).toBe(true);
  });

  it('is complete, with its entry in the state file, when the process ends without waiting for it', async () => {
    const directory = path.join(root, 'ending');
    const { status, stderr } = await runScript('ending', directory, `await manager.save({ async: true });`);
    expect([status, stderr]).toEqual([0, '']);
    const { globalStep, manager } = restorable(directory);
    expect(await manager.restoreOrInitialize()).toBe(path.join(directory, 'ckpt-1'));
    expect(globalStep.value).toBe(1);
    expect((await readdir(directory)).sort()).toEqual(['checkpoint', 'ckpt-1']);
  });

  it('that failed is an error of the next save, and once that is known saving goes on', async () => {
    const directory = path.join(root, 'failing');
    const { status, stdout, stderr } = await runScript(
      'failing',
      directory,
      `await manager.save();
       await manager.save({ async: true });
       await manager.sync();
       rmSync(directory, { recursive: true });
       writeFileSync(directory, 'in the way');
       await manager.save({ async: true });
       const errors = [];
       await manager.save({ async: true }).catch((e) => errors.push(e.name + ': ' + e.message));
       rmSync(directory);
       await manager.save({ async: true });
       await manager.sync();
       console.log(JSON.stringify({ errors, latest: manager.latestCheckpoint }));`,
    );
    expect([status, stderr]).toEqual([0, '']);
    const { errors, latest } = JSON.parse(stdout) as { errors: string[]; latest: string };
    expect(errors).toEqual([expect.stringMatching(/^CheckpointError: Cannot create the directory ".*failing"/)]);
    expect(path.dirname(latest)).toBe(directory);
    expect(await restorable(directory).manager.restoreOrInitialize()).toBe(latest);
  });

  it('is an error when its thread cannot start, and the next one is tried anew', async () => {
    const directory = path.join(root, 'threadless');
    const { status, stdout } = await runScript(
      'threadless',
      directory,
      `await manager.save();
       const worker = new URL('./snapshot.worker.js', import.meta.url);
       const { readFileSync } = await import('node:fs');
       const text = readFileSync(worker);
       const errors = [];
       try {
         writeFileSync(worker, 'throw new Error("no thread today")');
         await manager.save({ async: true });
         await manager.sync().catch((e) => errors.push(e.name + ': ' + e.message));
       } finally {
         writeFileSync(worker, text);
       }
       await manager.save({ async: true });
       await manager.sync();
       console.log(JSON.stringify({ errors, latest: manager.latestCheckpoint }));`,
    );
    expect(status).toBe(0);
    const { errors, latest } = JSON.parse(stdout) as { errors: string[]; latest: string };
    expect(errors).toEqual([
      expect.stringMatching(/^CheckpointError: Cannot write the checkpoint ".*ckpt-2": its thread ended \(no thread today\)/),
    ]);
    expect(latest).toBe(path.join(directory, 'ckpt-3'));
  });
});

describe('a save whose writes fail', () => {
  it.skipIf(process.platform === 'win32')('is an error with the path, and only the earlier checkpoints stay', async () => {
    const directory = path.join(root, 'limited');
    expect(spawnSync(process.execPath, [script, directory, 'false', '2']).status).toBe(0);
    // A limit of 300 KiB per file: the 400 kB tensor does not fit.
    const limited = spawnSync('bash', ['-c', 'ulimit -f 300; exec "$@"', 'bash', process.execPath, script, directory, 'true', '9'], {
      encoding: 'utf8',
    });
    expect(limited.status).toBe(3);
    expect(limited.stderr).toMatch(/^CheckpointError: Cannot write ".*\.safetensors": the file is larger than/);
    expect((await readdir(directory)).sort()).toEqual(['checkpoint', 'ckpt-1', 'ckpt-2']);
    const { globalStep, manager } = restorable(directory);
    await manager.restoreOrInitialize();
    expect(globalStep.value).toBe(2);
  });
});
