// One training step of a model, in orbit-ts and in its peers.
import { OURS, startPeer, STEPS } from '../lib/contenders.mjs';
import { digits } from '../lib/report.mjs';
import { interleave, startAll } from '../lib/rounds.mjs';
import { mapRounds, ratioToBest, rowsOf } from '../lib/rows.mjs';
import { median } from '../lib/stats.mjs';
import { loadModel } from '../models/index.mjs';

/** Untimed steps at the start of each turn: threads wake, caches fill. */
const WARM_UP_STEPS = 3;

/** What a step should reach, as a multiple of the time of the best peer in the round. */
const GOALS = { mlp: 0.95, cnn: 0.9, resnet: 0.7, gpt: 0.95, lstm: 0.9 };

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
      facts: await arithmetic(model, context, rounds.get(OURS)),
      goals: [{ name: `step of ${model} ÷ the best peer of the round`, value: ratioToBest(rounds), limit: GOALS[model], unit: ' ×' }],
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

/** What the arithmetic alone would take at the machine's peak. Winograd's convolutions do less of it: their share can exceed 100 %. */
async function arithmetic(model, { peakFlopsPerSecond }, ours = []) {
  const flops = await flopsOf(model);
  if (flops === null) return [];
  const facts = [{ name: 'matrix arithmetic of a step', value: `${(flops / 1e9).toFixed(2)} GFLOP` }];
  if (peakFlopsPerSecond === undefined) return facts;
  const atPeak = (flops / peakFlopsPerSecond) * 1000;
  const share = ours.length === 0 ? '' : `, ${Math.round((100 * atPeak) / median(ours))} % of the peak reached`;
  return [{ ...facts[0], value: `${facts[0].value}: ${digits(atPeak)} ms at the peak${share}` }];
}

async function flopsOf(model) {
  try {
    return (await loadModel(model)).flops;
  } catch {
    return null; // the package is not built: the step's own process says so
  }
}
