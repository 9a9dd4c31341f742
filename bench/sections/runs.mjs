// Whole runs: three epochs of the MLP on MNIST, batch 128, Adam, evaluation and a checkpoint after each.
import { mkdtempSync } from 'node:fs';
import path from 'node:path';
import { runMnistMlp } from '../lib/cli-run.mjs';
import { commandOf, OURS, RUNS } from '../lib/contenders.mjs';
import { runToEnd } from '../lib/process.mjs';
import { interleave } from '../lib/rounds.mjs';
import { mapRounds, ratioTo, rowsOf } from '../lib/rows.mjs';

/** Steps of an epoch in `mnist_mlp`, whose own settings are batch 128, Adam, evaluation and checkpoint after each epoch. */
const EPOCH = 469;
/** Limits of ours ÷ the peer's wall time. */
const GOALS = { 'PyTorch loop': 0.7, Lightning: 0.5, 'Keras fit': 0.5, 'Model Garden': 0.5 };

/** Wall seconds of whole processes. */
export async function measureRuns(context) {
  const { epochs, rounds: count } = context.options;
  const ours = {
    name: OURS,
    turn: async () => {
      const { wallMs, result } = await runMnistMlp(context, 'train_and_eval', {
        'trainer.train_steps': EPOCH * epochs,
        // The experiment also keeps the best checkpoint, a second save per epoch, which the peers' scripts do not.
        'trainer.best_checkpoint_export_subdir': "''",
      });
      return { seconds: wallMs / 1000, accuracy: accuracyOf(result.eval_logs) };
    },
  };
  const peers = RUNS.map((spec) => ({
    name: spec.name,
    turn: async () => {
      const { command, args, env } = commandOf(spec, context);
      const out = mkdtempSync(path.join(context.scratch, 'run-'));
      const { wallMs, messages } = await runToEnd({ command, args, env: { ...env, BENCH_OUT: out } });
      return { seconds: wallMs / 1000, accuracy: messages.at(-1)?.accuracy };
    },
  }));
  const { turns, failed } = await interleave([ours, ...peers], count, context.progress);
  const seconds = mapRounds(turns, (turn) => turn.seconds);
  const notes = new Map([...turns].map(([name, [first]]) => [name, `accuracy ${((first?.accuracy ?? NaN) * 100).toFixed(2)} %`]));
  return {
    title: `Whole runs: MLP on MNIST, ${epochs} epochs, evaluation and checkpoint after each, ${count} rounds`,
    unit: 's',
    rows: rowsOf(seconds, notes),
    goals: Object.entries(GOALS).map(([name, limit]) => ({ name: `run ÷ ${name}`, value: ratioTo(seconds, name), limit, unit: ' ×' })),
    missing: failed,
  };
}

function accuracyOf(logs) {
  const key = Object.keys(logs ?? {}).find((name) => name.includes('accuracy'));
  return key === undefined ? NaN : logs[key];
}
