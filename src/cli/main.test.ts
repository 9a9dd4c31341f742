import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';

const root = path.resolve(import.meta.dirname, '../..');
/** The command and the package, built for this test alone; inside the package, so that it finds its dependencies. */
let built: string;
let directory: string;

beforeAll(async () => {
  mkdirSync(path.join(root, 'dist'), { recursive: true });
  built = mkdtempSync(path.join(root, 'dist/_command-test-'));
  await build({
    absWorkingDir: root,
    // the thread that writes checkpoints lies beside the chunks
    entryPoints: { 'cli/main': 'src/cli/main.ts', index: 'src/index.ts', 'snapshot.worker': 'src/checkpoint/snapshot.worker.ts' },
    outdir: built,
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    packages: 'external',
    external: ['#tf', '#package.json'],
    logLevel: 'warning',
  });
});
afterAll(() => rmSync(built, { recursive: true, force: true }));
beforeEach(() => void (directory = mkdtempSync(path.join(tmpdir(), 'orbit-command-'))));
afterEach(() => rmSync(directory, { recursive: true, force: true }));

interface Finished {
  status: number | null;
  out: string;
  err: string;
}

/** Runs `orbit` in the test's directory; `onOutput` sees what it printed so far. */
function orbit(args: string[], onOutput?: (out: string, kill: (signal: NodeJS.Signals) => void) => void): Promise<Finished> {
  return new Promise((resolve) => {
    const child = spawn(process.execPath, [path.join(built, 'cli/main.js'), ...args], { cwd: directory });
    let out = '';
    let err = '';
    child.stdout.on('data', (data: Buffer) => {
      out += data.toString();
      onOutput?.(out, (signal) => child.kill(signal));
    });
    child.stderr.on('data', (data: Buffer) => void (err += data.toString()));
    child.on('close', (status) => resolve({ status, out, err }));
  });
}

/** A module that registers the experiment `line`: one dense layer on 32 fixed rows. */
function writeLineModule(): string {
  const file = path.join(directory, 'line.mjs');
  writeFileSync(
    file,
    `import { defineTask, experimentConfig, fromArrays, NDArray, registerExperiment, taskConfig, tf } from ${JSON.stringify(path.join(built, 'index.js'))};
import * as t from ${JSON.stringify(path.join(root, 'dist/tf/index.js'))};
const lineTask = taskConfig({ units: 1 }, { name: 'LineTask' });
const x = NDArray.of(Float32Array.from({ length: 64 }, (_, i) => Math.sin(i)), [32, 2]);
const y = NDArray.of(Float32Array.from({ length: 32 }, (_, i) => Math.sin(2 * i)), [32, 1]);
defineTask(lineTask, {
  buildModel: (config) => t.sequential({ layers: [t.layers.dense({ units: config.units, inputShape: [2] })] }),
  buildInputs: (data) => { const rows = fromArrays([x, y]).batch(data.global_batch_size); return data.is_training ? rows.repeat() : rows; },
  buildLosses: (labels, outputs) => t.losses.meanSquaredError(labels, outputs),
});
registerExperiment('line', () => experimentConfig({
  task: lineTask({ train_data: { is_training: true, global_batch_size: 8 }, validation_data: { is_training: false, global_batch_size: 8, drop_remainder: false } }),
  trainer: { train_steps: 20, steps_per_loop: 5, summary_interval: 5, checkpoint_interval: 5, validation_interval: 10,
    optimizer_config: { optimizer: { type: 'sgd' }, learning_rate: { type: 'constant', constant: { learning_rate: 0.05 } } } },
}));
`.replace(', taskConfig, tf }', ', taskConfig }'),
  );
  return file;
}

const trainMlp = ['train', '--experiment=mnist_mlp', '--mode=train', '--model_dir=run'];

describe('orbit', () => {
  it('lists experiments and prints their config with overrides, or its JSON Schema', async () => {
    expect((await orbit(['experiments'])).out).toBe('mnist_cnn\nmnist_mlp\n');
    writeFileSync(path.join(directory, 'a.yaml'), 'trainer:\n  train_steps: 7\nruntime:\n  seed: 5\n');
    const config = await orbit([
      'config',
      '--experiment',
      'mnist_mlp',
      '--config_file',
      'a.yaml',
      '--params_override=trainer.train_steps=9',
    ]);
    expect(config.out).toMatch(/^ {2}train_steps: 9$/m);
    expect(config.out).toMatch(/^ {2}seed: 5$/m);
    const schema = JSON.parse((await orbit(['config', '--experiment=mnist_mlp', '--schema'])).out) as { properties: object };
    expect(Object.keys(schema.properties)).toEqual(['task', 'trainer', 'runtime']);
  });

  it.each([
    ['an experiment', ['train', '--experiment=mnist_mpl', '--mode=train', '--model_dir=run'], /Did you mean "mnist_mlp"\?/],
    ['a mode', ['train', '--experiment=mnist_mlp', '--mode=trian', '--model_dir=run'], /Did you mean "train"\?/],
    ['a flag', ['train', '--experiment=mnist_mlp', '--mode=train', '--modle_dir=run'], /Did you mean --model_dir\?/],
    ['a command', ['trian'], /Did you mean "train"\?/],
    ['a config key', [...trainMlp, '--params_override=trainer.train_step=3'], /trainer\.train_step.*Did you mean "train_steps"\?/],
    ['the type of a value', [...trainMlp, '--params_override=trainer.train_steps=abc'], /trainer\.train_steps.*"abc"/],
    ['a file', [...trainMlp, '--config_file=nope.yaml'], /nope\.yaml/],
    ['an import', [...trainMlp, '--import=./nope.js'], /there is no file .*nope\.js/],
    ['a flag that is missing', ['train', '--mode=train', '--model_dir=run'], /--experiment=NAME is missing/],
    ['an option that cannot be honoured', [...trainMlp, '--params_override=runtime.num_gpus=1'], /runtime\.num_gpus=1 is not supported/],
  ])('answers a mistake in %s with one paragraph and status 2, and writes nothing', async (_what, args, message) => {
    const { status, out, err } = await orbit(args);
    expect(err).toMatch(message);
    expect(err.trim()).not.toMatch(/\n/);
    expect(status).toBe(2);
    expect(out).toBe('');
    expect(existsSync(path.join(directory, 'run'))).toBe(false);
  });

  it('says which directory cannot be written', async () => {
    writeFileSync(path.join(directory, 'file'), '');
    const { status, err } = await orbit(['train', '--experiment=mnist_mlp', '--mode=train', '--model_dir=file/run']);
    expect(err).toMatch(/^orbit: Cannot make the directory file\/run: a part of the path is a file.*\n$/);
    expect(status).toBe(2);
    expect(readdirSync(directory)).toEqual(['file']);
  });

  it('reports an error of user code in one paragraph with its place, and status 1', async () => {
    writeFileSync(
      path.join(directory, 'bad.mjs'),
      readFileSync(writeLineModule(), 'utf8').replace('t.losses.meanSquaredError(labels, outputs)', 'labels.nonsense()'),
    );
    const { status, err } = await orbit(['train', '--import=./bad.mjs', '--experiment=line', '--mode=train', '--model_dir=run']);
    expect(err).toMatch(/labels\.nonsense is not a function/);
    expect(err.trim()).not.toMatch(/^\s+at /m);
    expect(status).toBe(1);
  });

  it.each([
    [
      'a promise from a compiled method',
      'buildLosses: (',
      'buildLosses: async (',
      /LineTask\.buildLosses returned a promise.*remove `async`/,
    ],
    [
      'shapes that tfjs refuses',
      't.losses.meanSquaredError(labels, outputs)',
      't.losses.meanSquaredError(labels.reshape([-1]), outputs)',
      /LineTask\.buildLosses failed with labels float32\[8, 1\] and outputs float32\[8, 1\]: .*bad\.mjs:\d+/,
    ],
    [
      'a missing return',
      'const rows =',
      'if (data) return; const rows =',
      /LineTask\.buildInputs .* returned nothing\. Is a `return` missing\?/,
    ],
  ])('says of %s in user code where it is and what to do', async (_what, right, wrong, message) => {
    writeFileSync(path.join(directory, 'bad.mjs'), readFileSync(writeLineModule(), 'utf8').replace(right, wrong));
    const { status, err } = await orbit(['train', '--import=./bad.mjs', '--experiment=line', '--mode=train', '--model_dir=run']);
    expect(err).toMatch(message);
    expect(err.trim()).not.toMatch(/\n\s+at /);
    expect(status).toBe(1);
  });

  it('ends where training blew up before anything was saved', async () => {
    const rate = 'trainer.optimizer_config.learning_rate.constant.learning_rate=1e6';
    const flags = ['--experiment=line', '--mode=train', '--model_dir=run'];
    const params = `--params_override=${rate},trainer.steps_per_loop=20,trainer.summary_interval=20,trainer.loss_upper_bound=1`;
    const { status, err } = await orbit(['train', `--import=${writeLineModule()}`, ...flags, params]);
    expect(err).toMatch(/Training blew up/);
    expect(status).toBe(1);
  });

  it('trains an imported experiment, prints the result as the last line, and goes on with more steps', async () => {
    const module = writeLineModule();
    const train = ['train', `--import=${module}`, '--experiment=line', '--mode=train_and_eval', '--model_dir=run'];
    const first = await orbit([...train, '--json']);
    expect(first.err).toMatch(/3 parameters/);
    expect(first.err).toMatch(/step 20\/20 {2}training_loss/);
    expect(first.status).toBe(0);
    const result = JSON.parse(first.out.trim().split('\n').at(-1)!) as Record<string, unknown>;
    expect(result).toEqual(JSON.parse(readFileSync(path.join(directory, 'run/result.json'), 'utf8')));
    expect(result).toMatchObject({ experiment: 'line', mode: 'train_and_eval', global_step: 20, resumed_from: null });
    expect(result['seconds_to_first_step']).toBeGreaterThan(0);

    const trial = await orbit([...train, '--params_override=trainer.fast_dev_run=2']);
    expect(trial.out).toMatch(/ {2}2 steps of 8 examples/);
    expect(trial.out).toMatch(/step 2\/2 .*samples\/s\n/); // no time is left
    expect(trial.out).toMatch(/Last evaluation: validation_loss [\d.]+\n/); // no speed among the results

    const second = await orbit([...train, '--params_override=trainer.train_steps=30']);
    expect(second.out).toMatch(/Going on from run\/ckpt-20/);
    expect(second.out).toMatch(/Done at step 30/);
    const third = await orbit([...train, '--params_override=trainer.train_steps=30']);
    expect(third.out).toMatch(/This run is finished: run\/ckpt-30 is at step 30 of 30/);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('saves a checkpoint on %s and ends with status %d', async (signal, expected) => {
    const module = writeLineModule();
    const train = ['train', `--import=${module}`, '--experiment=line', '--mode=train', '--model_dir=run'];
    let sent = false;
    const { status, out } = await orbit(
      [...train, '--params_override=trainer.train_steps=100000000,trainer.steps_per_loop=50000000,trainer.summary_interval=50000000'],
      (text, kill) => {
        if (sent || !text.includes('parameters')) return;
        sent = true;
        kill(signal);
      },
    );
    expect(status).toBe(expected);
    const [, step] = /Training stopped at step (\d+)/.exec(out)!;
    expect(out).toContain(`Saved run/ckpt-${step}`);
    expect(existsSync(path.join(directory, `run/ckpt-${step}/model.safetensors`))).toBe(true);
    expect(existsSync(path.join(directory, 'run/result.json'))).toBe(false);
  });

  it('ends continuous evaluation at once on SIGTERM, also while it waits for a checkpoint', async () => {
    const module = writeLineModule();
    const flags = [`--import=${module}`, '--experiment=line', '--model_dir=run'];
    await orbit(['train', ...flags, '--mode=train']);
    const { status, out } = await orbit(
      ['train', ...flags, '--mode=continuous_eval', '--params_override=trainer.train_steps=1000'],
      (text, kill) => {
        if (text.includes('evaluation:')) kill('SIGTERM');
      },
    );
    expect(status).toBe(143);
    expect(out).toMatch(/step 20 {2}evaluation: validation_loss/);
  });
});
