/** Real processes that are told to end, or killed, at every stage of a run; resumed, they end with the same bits. */
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { build } from 'esbuild';
import { afterAll, beforeAll, describe, expect, it, vi } from 'vitest';
import { compareCheckpoints, surveyCheckpoints } from '../../src/checkpoint/index.js';

// Each test runs whole processes, which take their time where the machine is busy.
vi.setConfig({ testTimeout: 180_000, hookTimeout: 180_000 });

const root = path.resolve(import.meta.dirname, '../..');
/** The command, built for this test alone; inside the package, so that it finds its dependencies. */
let built: string;
let directory: string;

/** An experiment that says on standard error where it is, and takes a while there. */
const experiment = () => `import { writeSync } from 'node:fs';
import { defineTask, experimentConfig, fromArrays, NDArray, registerExperiment, taskConfig } from ${JSON.stringify(path.join(built, 'index.js'))};
import * as t from ${JSON.stringify(path.join(root, 'dist/tf/index.js'))};
const stage = (name, ms = 0) => { writeSync(2, 'STAGE ' + name + '\\n'); const end = Date.now() + ms; while (Date.now() < end); };
const x = NDArray.of(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), [32, 2]);
const y = NDArray.of(Float32Array.from({ length: 32 }, (_, i) => Math.sin(2 * i)), [32, 1]);
const later = async (row) => { await new Promise((r) => setTimeout(r, 3)); return row; };
const task = taskConfig({ units: 1 }, { name: 'StagedTask' });
let traced = false;
defineTask(task, {
  buildModel: (config) => { stage('start-up', 300); return t.sequential({ layers: [t.layers.dense({ units: 3, inputShape: [2] }), t.layers.dropout({ rate: 0.2 }), t.layers.dense({ units: config.units })] }); },
  buildInputs: (data) => {
    const rows = fromArrays([x, y]).shuffle({ seed: 1 }).batch(4);
    return data.is_training ? rows.repeat().map(later) : rows.map(async (row) => { stage('evaluation'); return later(row); });
  },
  buildLosses: (labels, outputs) => { if (!traced) { traced = true; stage('tracing', 300); } return t.losses.meanSquaredError(labels, outputs); },
});
registerExperiment('staged', () => experimentConfig({
  task: task({ train_data: { is_training: true, global_batch_size: 4 }, validation_data: { is_training: false, global_batch_size: 4 } }),
  trainer: { train_steps: 60, steps_per_loop: 10, summary_interval: 10, checkpoint_interval: 10, validation_interval: 20, max_to_keep: 3,
    optimizer_config: { optimizer: { type: 'adam' }, learning_rate: { type: 'cosine', cosine: { initial_learning_rate: 0.05, decay_steps: 60 } } } },
}));
`;

beforeAll(async () => {
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  built = mkdtempSync(path.join(root, 'dist/_signals-test-'));
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts', index: 'src/index.ts', 'snapshot.worker': 'src/checkpoint/snapshot.worker.ts' },
    outdir: built,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    external: ['#tf', '#package.json'],
    logLevel: 'error',
  });
  writeFileSync(path.join(built, 'staged.mjs'), experiment());
  directory = mkdtempSync(path.join(built, 'runs-'));
  expect((await train('whole')).status).toBe(0);
});
afterAll(() => rmSync(built, { recursive: true, force: true }));

interface Ended {
  status: number | null;
  signal: string | null;
  out: string;
  err: string;
  /** From `onOutput` first returning a signal to the end. */
  milliseconds: number;
}

/** Trains in a directory of that name; `onOutput` sees all that was printed so far and may return a signal to send, so often. */
function train(name: string, onOutput: (text: string) => NodeJS.Signals | null = () => null, overrides = '', signals = 1): Promise<Ended> {
  return new Promise((resolve) => {
    const args = [
      'train',
      '--experiment=staged',
      `--import=${path.join(built, 'staged.mjs')}`,
      '--mode=train_and_eval',
      `--model_dir=${path.join(directory, name)}`,
    ];
    const child = spawn(
      process.execPath,
      [path.join(built, 'main.js'), ...args, ...(overrides ? [`--params_override=${overrides}`] : [])],
      { env: { ...process.env, NODE_NO_WARNINGS: '1' } },
    );
    let [out, err] = ['', ''];
    let sentAt: number | null = null;
    let left = signals;
    const look = (): void => {
      const signal = left > 0 ? onOutput(out + err) : null;
      if (signal === null) return;
      left--;
      sentAt ??= performance.now();
      child.kill(signal);
    };
    child.stdout.on('data', (data: Buffer) => ((out += data.toString()), look()));
    child.stderr.on('data', (data: Buffer) => ((err += data.toString()), look()));
    child.on('close', (status, signal) => resolve({ status, signal, out, err, milliseconds: performance.now() - (sentAt ?? 0) }));
  });
}

/** What a process printed on standard error besides its stages. */
function complaints({ err }: Ended): string {
  return err.replace(/^STAGE .*\n/gm, '');
}

/** The run ends, resumed, with the bits of the one that was never stopped, and leaves nothing else. */
async function expectSameEnd(name: string): Promise<void> {
  const finished = await train(name);
  expect([finished.status, complaints(finished)]).toEqual([0, '']);
  const [mine, whole] = [name, 'whole'].map((n) => path.join(directory, n, 'ckpt-60')) as [string, string];
  const { tensors, values, compared } = await compareCheckpoints(mine, whole);
  expect({ tensors, values }).toEqual({ tensors: [], values: [] });
  expect(compared).toBeGreaterThan(10);
  expect((await surveyCheckpoints(path.join(directory, name), { verify: 'checksum' })).filter((c) => c.problem !== null)).toEqual([]);
  expect(
    readdirSync(path.join(directory, name)).filter((n) => n.startsWith('.tmp') || n.includes('replaced') || n === '.orbit-lock'),
  ).toEqual([]);
}

describe('a process that is told to end', () => {
  const stages: [string, RegExp, NodeJS.Signals, number][] = [
    ['start-up', /STAGE start-up/, 'SIGTERM', 143],
    ['tracing', /STAGE tracing/, 'SIGINT', 130],
    ['training', /step 30 {2}saved/, 'SIGTERM', 143],
    ['evaluation', /(STAGE evaluation\n){3}/, 'SIGTERM', 143],
    ['checkpointing', /saved .*ckpt-20/, 'SIGTERM', 143],
  ];
  it.each(stages)('during %s saves, ends and goes on as if nothing had happened', async (stage, text, signal, status) => {
    const name = `told-${stage}`;
    const ended = await train(name, (all) => (text.test(all) ? signal : null), 'trainer.preemption_grace_seconds=170');
    expect([ended.status, complaints(ended)]).toEqual([status, '']);
    expect(ended.out).toContain(`${signal}: stopping at the next step.`);
    if (stage !== 'start-up') expect(ended.out).toMatch(/Saved .*ckpt-\d+; the same command goes on from there/);
    await expectSameEnd(name);
  });

  it('by a file ends with the status of SIGTERM', async () => {
    const file = path.join(directory, 'notice');
    const write = (all: string): null => {
      if (/STAGE tracing/.test(all) && !existsSync(file)) writeFileSync(file, 'soon');
      return null;
    };
    const ended = await train('noticed', write, `trainer.preemption_file=${file},trainer.train_steps=100000`);
    expect([ended.status, ended.out]).toEqual([143, expect.stringMatching(/preemption_file[\s\S]*Saved .*ckpt-\d+/)]);
  });

  it('twice ends at once, without another checkpoint', async () => {
    let first = false;
    const again = (all: string): NodeJS.Signals | null => {
      if (/SIGTERM: stopping/.test(all)) return 'SIGINT';
      if (!first && /STAGE tracing/.test(all)) {
        first = true;
        return 'SIGTERM';
      }
      return null;
    };
    const ended = await train('twice', again, 'trainer.preemption_grace_seconds=170', 2);
    expect([ended.status, complaints(ended)]).toEqual([130, '']);
    await expectSameEnd('twice');
  });

  it('ends at the end of the grace time, whatever it has reached', async () => {
    const late = await train('late', (all) => (/STAGE evaluation/.test(all) ? 'SIGTERM' : null), 'trainer.preemption_grace_seconds=0.001');
    expect(late.status).toBe(143);
    await expectSameEnd('late');
  });
});

describe('a process that is killed', () => {
  it.each([
    ['saved .*ckpt-10', 5],
    ['STAGE evaluation', 20],
  ] as const)('after "%s" goes on as if nothing had happened', async (text, delay) => {
    const name = `killed-${text.replaceAll(/\W+/g, '-')}`;
    const ended = await train(name, (all) => {
      if (!new RegExp(text).test(all)) return null;
      const end = Date.now() + delay;
      while (Date.now() < end);
      return 'SIGKILL';
    });
    expect(ended.signal).toBe('SIGKILL');
    await expectSameEnd(name);
  });
});
