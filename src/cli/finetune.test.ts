import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { registerExperiment } from '../experiment/index.js';
import { run, toyParams, toyRunner, useToyRuns } from '../experiment/toy-run.testing.js';
import { runCommandLine } from './program.js';

// Two checkpoints are taken at least ten seconds apart; nobody shall wait for that here.
vi.mock('node:timers/promises', async (original) => {
  const timers = await original<typeof import('node:timers/promises')>();
  return { ...timers, setTimeout: (ms: number) => timers.setTimeout(Math.min(ms, 50)) };
});

useToyRuns();
registerExperiment('toy_of_commands', () => toyParams({}, { name: 'toy' }));

let out: string;
let err: string;
beforeEach(() => {
  out = err = '';
  vi.spyOn(process.stdout, 'write').mockImplementation((text) => ((out += String(text)), true));
  vi.spyOn(process.stderr, 'write').mockImplementation((text) => ((err += String(text)), true));
});
afterEach(() => void vi.restoreAllMocks());

const toy = '--experiment=toy_of_commands';

describe('orbit lr-find', () => {
  it('draws the loss over the rate, names a rate and how to use it, and writes nothing', async () => {
    expect(await runCommandLine(['lr-find', toy, '--steps=60', '--max=1000'])).toBe(0);
    expect(out).toMatch(/^learning rate {2}smoothed loss\n +1\.00e-7 +\d+\.\d+ +█+\n/);
    expect(out).toMatch(/The loss falls fastest at \d\.\de[-+]\d;.*Try\n {2}--params_override=trainer\.optimizer_config\.learning_rate\.constant\.learning_rate=\d\.\de/); // prettier-ignore
    const bars = out.match(/█+→?/g)!.map((bar) => bar.length);
    expect(Math.max(...bars)).toBeLessThanOrEqual(41);
    expect(bars[0]).toBeGreaterThan(25); // the drawing shows the fall, whatever the loss grows to in the end
    expect(readdirSync(run.modelDir)).toEqual([]);
  });

  it('refuses wrong bounds', async () => {
    expect(await runCommandLine(['lr-find', toy, '--min=1', '--max=0.1'])).toBe(2);
    expect(err).toMatch(/^orbit: The rates of a search should be 0 < min < max; got min 1 and max 0\.1/);
  });
});

describe('orbit train --mode=continuous_train_and_eval', () => {
  it('fine-tunes from the checkpoints of a pre-training up to its last step, and says what it does', async () => {
    const [before, after] = [path.join(run.modelDir, 'before'), path.join(run.modelDir, 'after')];
    await toyRunner(toyParams(), { modelDir: before }).run();
    const overrides = `task.init_checkpoint=${before},trainer.train_steps=6,trainer.continuous_eval_timeout=1`;
    const flags = ['--mode=continuous_train_and_eval', '--pretrain_steps=12', `--model_dir=${after}`, `--params_override=${overrides}`];
    expect(await runCommandLine(['train', toy, ...flags])).toBe(0);
    expect(out).toContain(`Fine-tuning from ${path.join(before, 'ckpt-12')}, step 12 of the pre-training.`);
    expect(out).toContain('No new checkpoint in 1 seconds after step 12: done.');
    const metrics = JSON.parse(readFileSync(path.join(after, 'metrics-12.json'), 'utf8')) as Record<string, string>;
    expect(Object.keys(metrics)).toContain('validation_loss');
  });

  it('says which directory is missing, and that --pretrain_steps belongs to it alone', async () => {
    expect(await runCommandLine(['train', toy, '--mode=continuous_train_and_eval', '--model_dir=x'])).toBe(2);
    expect(err).toMatch(/task\.init_checkpoint: "" is no directory; continuous fine-tuning needs that of the pre-training/);
    err = '';
    expect(await runCommandLine(['train', toy, '--mode=train', '--pretrain_steps=3', '--model_dir=x'])).toBe(2);
    expect(err).toMatch(/--pretrain_steps belongs to --mode=continuous_train_and_eval alone/);
  });
});

describe('flags of Model Garden', () => {
  it.each([
    ['--tpu=local', /runtime\.tpu=local is not supported/],
    ['--tf_data_service=host:1', /task\.train_data\.tf_data_service_address=host:1 is not supported/],
    ['--gin_file=a.gin', /gin does not exist here\. Put the values into a YAML file/],
    ['--gin_params=a=1', /gin does not exist here/],
  ])('%s is refused with its reason', async (flag, message) => {
    expect(await runCommandLine(['train', toy, '--mode=train', `--model_dir=${path.join(run.modelDir, 'run')}`, flag])).toBe(2);
    expect(err).toMatch(message);
    expect(readdirSync(run.modelDir)).toEqual([]);
  });

  it('of other platforms have no effect and say so', async () => {
    expect(await runCommandLine(['config', toy, '--tfhub_handle=x'])).toBe(0);
    expect(err).toBe('Note: --tfhub_handle has no effect: it is a switch of another platform.\n');
    expect(out).toContain('train_steps: 12');
  });
});
