// The MLP's whole training loop on MNIST (data, loop, metrics, summaries) against its bare compiled step.
import { interleave } from '../lib/rounds.mjs';
import { ratios, summarize } from '../lib/stats.mjs';
import { withTraining } from './training.mjs';

/** Steps of a turn: one epoch of batches of 128. */
const STEPS = 468;
const GOAL_RATIO = 1.1;

/** Milliseconds per step of the loop and of the bare step, interleaved in one process. */
export async function measureWholeLoop(context) {
  const title = `Whole training loop against the bare compiled step: mnist_mlp, ${STEPS} steps × ${context.options.rounds} rounds`;
  return withTraining(context, title, 'mnist_mlp', async (peer) => {
    for (const what of ['train', 'bare']) await peer.ask({ do: what, steps: 50 });
    const turn = (what) => async () => (await peer.ask({ do: what, steps: STEPS })).ms / STEPS;
    const contenders = [
      { name: 'whole loop', turn: turn('train') },
      { name: 'bare step', turn: turn('bare') },
    ];
    const { turns, failed } = await interleave(contenders, context.options.rounds, context.progress);
    const [whole, bare] = [turns.get('whole loop') ?? [], turns.get('bare step') ?? []];
    const ratio = ratios(whole, bare);
    return {
      unit: 'ms',
      rows: [...turns].map(([name, rounds]) => ({ name, ...summarize(rounds) })),
      facts: [{ name: 'whole loop ÷ bare step, rounds', value: ratio.rounds.map((r) => r.toFixed(3)).join('  ') }],
      goals: [{ name: 'whole loop ÷ bare step', value: ratio.median, limit: GOAL_RATIO, unit: ' ×' }],
      missing: failed,
    };
  });
}
