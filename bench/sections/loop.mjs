// What the training loop costs per step beyond the compiled step, on a tiny model.
import { LOOPS, OURS, startPeer } from '../lib/contenders.mjs';
import { interleave, startAll } from '../lib/rounds.mjs';
import { mapRounds, rowsOf } from '../lib/rows.mjs';
import { median } from '../lib/stats.mjs';

/** Steps per round: ours is fast enough for many. */
const OUR_STEPS = 20000;
const PEER_STEPS = 3000;
/** Untimed steps before the first round: tracing, compilation. */
const WARM_UP_STEPS = 500;
const GOAL_MICROSECONDS = 20;

/**
 * Microseconds per step of (wall of `controller.train(n)` − n × the same compiled step on a prepared batch) / n, with 100
 * steps per loop, summaries, metrics and the default actions on, and no checkpoint. One 10×10 dense, batch 1, SGD.
 */
export async function measureLoop(context) {
  const start = async (spec) => {
    const peer = await startPeer(spec, context);
    try {
      if (spec.name === OURS) await peer.ask({ do: 'load', experiment: 'bench_tiny' }); // models/tiny.mjs
      await peer.ask({ do: 'train', steps: WARM_UP_STEPS });
      await peer.ask({ do: 'bare', steps: WARM_UP_STEPS });
      return peer;
    } catch (error) {
      peer.close();
      throw error;
    }
  };
  const { started, failed } = await startAll(LOOPS, start, context.progress);
  try {
    const contenders = started.map((peer) => {
      const steps = peer.name === OURS ? OUR_STEPS : PEER_STEPS;
      const ask = async (what) => ((await peer.ask({ do: what, steps })).ms / steps) * 1000;
      return { name: peer.name, turn: async () => ({ train: await ask('train'), bare: await ask('bare') }) };
    });
    const { turns, failed: left } = await interleave(contenders, context.options.rounds, context.progress);
    const bare = new Map([...turns].map(([name, rounds]) => [name, `bare step ${median(rounds.map((r) => r.bare)).toFixed(1)} µs`]));
    const overheads = mapRounds(turns, ({ train, bare }) => train - bare);
    return {
      title: 'Loop overhead per step: tiny model, 100 steps per loop, summaries and metrics on',
      unit: 'µs',
      contenders: Object.fromEntries(started.map((peer) => [peer.name, peer.about])),
      rows: rowsOf(overheads, bare),
      goals: [{ name: 'loop overhead', value: median(overheads.get(OURS) ?? []), limit: GOAL_MICROSECONDS, unit: ' µs' }],
      missing: [...failed, ...left],
    };
  } finally {
    for (const peer of started) peer.close();
  }
}
