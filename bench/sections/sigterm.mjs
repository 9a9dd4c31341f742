// From SIGTERM to the end of the process, with a checkpoint in between: mnist_mlp as a user runs it.
import { spawn } from 'node:child_process';
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { nodeCommand, OURS, ROOT } from '../lib/contenders.mjs';
import { summarize } from '../lib/stats.mjs';

const GOAL_SECONDS = 1;
/** Of training before the signal. */
const TRAINING_MILLISECONDS = 1000;

/** Seconds from the signal to the exit, which must be 143 with a checkpoint. */
export async function measureSigterm(context) {
  const seconds = [];
  for (let round = 0; round < context.options.rounds; round++) {
    context.progress(`round ${round + 1} of ${context.options.rounds}`);
    seconds.push(await once(context));
  }
  return {
    title: 'SIGTERM to exit: mnist_mlp, with a checkpoint',
    unit: 's',
    rows: [{ name: OURS, ...summarize(seconds) }],
    goals: [{ name: 'SIGTERM to exit, slowest', value: Math.max(...seconds), limit: GOAL_SECONDS, unit: ' s' }],
  };
}

function once(context) {
  const modelDir = mkdtempSync(path.join(context.scratch, 'sigterm-'));
  const args = [path.join(ROOT, 'dist/cli/main.js'), 'train', '--experiment=mnist_mlp', '--mode=train', `--model_dir=${modelDir}`];
  const { command, args: all, env } = nodeCommand(context, [...args, '--params_override=trainer.train_steps=1000000']);
  return new Promise((resolve, reject) => {
    const child = spawn(command, all, { env: { ...process.env, ...env }, cwd: ROOT });
    let out = '';
    let sentAt = null;
    child.stdout.on('data', (text) => {
      out += text;
      if (sentAt !== null || !/^step /m.test(out)) return;
      sentAt = Infinity;
      setTimeout(() => {
        sentAt = performance.now();
        child.kill('SIGTERM');
      }, TRAINING_MILLISECONDS);
    });
    child.on('close', (status) => {
      if (status === 143 && /Saved .*ckpt-\d+/.test(out)) resolve((performance.now() - sentAt) / 1000);
      else reject(new Error(`ended with ${status}: ${out.slice(-500)}`));
    });
  });
}
