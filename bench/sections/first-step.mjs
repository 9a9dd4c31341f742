// Time from the start of a process to the end of its first training step of the MLP on MNIST.
import { runMnistMlp } from '../lib/cli-run.mjs';
import { commandOf, nodeCommand, OURS, RUNS } from '../lib/contenders.mjs';
import { runToEnd } from '../lib/process.mjs';
import { interleave } from '../lib/rounds.mjs';
import { mapRounds, rowsOf } from '../lib/rows.mjs';
import { median } from '../lib/stats.mjs';

const GOAL_SECONDS = 1;

/**
 * Seconds from spawn to the end of the first step. Peers tell the parent when it has ended. Ours is a run of the command
 * line with one step: from spawn to the start of the process by the parent's clock (timed with an empty script), then
 * `seconds_to_first_step` of its result; the wall time of that whole process stands beside it as an upper bound.
 */
export async function measureFirstStep(context) {
  const startSeconds = await secondsToProcessStart(context);
  const ours = {
    name: OURS,
    turn: async () => {
      const { wallMs, result } = await runMnistMlp(context, 'train', { 'trainer.train_steps': 1 });
      return { seconds: startSeconds + result.seconds_to_first_step, wallSeconds: wallMs / 1000 };
    },
  };
  const peers = RUNS.map((spec) => ({
    name: spec.name,
    turn: async () => {
      const { command, args, env } = commandOf(spec, context);
      const { messages } = await runToEnd({ command, args: [...args, '--first-step'], env });
      return { seconds: messages.find((m) => m.firstStep).atMs / 1000 };
    },
  }));
  const { turns, failed } = await interleave([ours, ...peers], context.options.rounds, context.progress);
  const seconds = mapRounds(turns, (turn) => turn.seconds);
  const walls = (turns.get(OURS) ?? []).map((turn) => turn.wallSeconds);
  const notes = new Map(walls.length > 0 ? [[OURS, `the whole process with one step: ${median(walls).toFixed(2)} s`]] : []);
  return {
    title: 'Start of the process to the end of the first step: mnist_mlp',
    unit: 's',
    rows: rowsOf(seconds, notes),
    facts: [{ name: 'spawn to start of the process', value: `${(startSeconds * 1000).toFixed(0)} ms` }],
    goals: [{ name: 'first step', value: median(seconds.get(OURS) ?? []), limit: GOAL_SECONDS, unit: ' s' }],
    missing: failed,
  };
}

/** From the parent's spawn to the moment from which Node counts a process's time. */
async function secondsToProcessStart(context) {
  const seconds = [];
  for (let i = 0; i < 5; i++) {
    const spawned = performance.timeOrigin + performance.now();
    const { messages } = await runToEnd(nodeCommand(context, ['-e', 'console.log(JSON.stringify({ origin: performance.timeOrigin }))']));
    seconds.push((messages[0].origin - spawned) / 1000);
  }
  return median(seconds);
}
