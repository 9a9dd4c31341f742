// One training step of a model, in orbit-ts and in its peers.
import { startPeer, STEPS } from '../lib/contenders.mjs';
import { digits } from '../lib/report.mjs';
import { interleave, startAll } from '../lib/rounds.mjs';
import { mapRounds, ratioTo, ratioToBest, rowsOf } from '../lib/rows.mjs';
import { median } from '../lib/stats.mjs';
import { loadModel } from '../models/index.mjs';

/** Untimed steps at the start of each turn: threads wake, caches fill. */
const WARM_UP_STEPS = 3;

/** What a step should reach, as multiples of a peer's time. */
const GOALS = {
  mlp: [{ against: 'best', limit: 1.1 }],
  cnn: [
    { against: 'best', limit: 1.7 },
    { against: 'PyTorch eager', limit: 1.15 },
  ],
};

/** Median milliseconds of a step per round, interleaved. */
export async function measureStep(context, model) {
  const { steps, rounds: count } = context.options;
  const { started, failed } = await startAll(STEPS, (spec) => startModel(spec, model, context), context.progress);
  try {
    const contenders = started.map(({ peer, firstStepMs }) => ({
      name: peer.name,
      firstStepMs,
      turn: async () => {
        await peer.ask({ do: 'run', steps: WARM_UP_STEPS });
        const { ms, loss } = await peer.ask({ do: 'run', steps });
        return { ms: median(ms), loss };
      },
    }));
    const { turns, failed: left } = await interleave(contenders, count, context.progress);
    const rounds = mapRounds(turns, ({ ms }) => ms);
    const notes = new Map(
      contenders
        .filter(({ name }) => turns.has(name))
        .map(({ name, firstStepMs }) => [
          name,
          `first step ${digits(firstStepMs / 1000)} s, last loss ${turns.get(name).at(-1).loss.toExponential(1)}`,
        ]),
    );
    return {
      title: `Training step: ${model}, ${steps} steps × ${count} rounds`,
      unit: 'ms',
      contenders: Object.fromEntries(started.map(({ peer }) => [peer.name, peer.about])),
      rows: rowsOf(rounds, notes),
      facts: await arithmetic(model, context),
      goals: (GOALS[model] ?? []).map(({ against, limit }) => ({
        name: `step of ${model} ÷ ${against === 'best' ? 'the best peer of the round' : against}`,
        value: against === 'best' ? ratioToBest(rounds) : ratioTo(rounds, against),
        limit,
        unit: ' ×',
      })),
      missing: [...failed, ...left],
    };
  } finally {
    for (const { peer } of started) peer.close();
  }
}

async function startModel(spec, model, context) {
  const peer = await startPeer(spec, context);
  try {
    return { peer, ...(await peer.ask({ do: 'load', model })) };
  } catch (error) {
    peer.close();
    throw error;
  }
}

/** What the arithmetic alone would take at the machine's peak. */
async function arithmetic(model, { peakFlopsPerSecond }) {
  const flops = await flopsOf(model);
  if (flops === null) return [];
  const limit = peakFlopsPerSecond === undefined ? '' : `: ${digits((flops / peakFlopsPerSecond) * 1000)} ms at the peak`;
  return [{ name: 'matrix arithmetic of a step', value: `${(flops / 1e9).toFixed(2)} GFLOP${limit}` }];
}

async function flopsOf(model) {
  try {
    return (await loadModel(model)).flops;
  } catch {
    return null; // the package is not built: the step's own process says so
  }
}
