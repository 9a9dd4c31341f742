// An update by Adam alone, with given gradients, in orbit-ts and PyTorch.
import { OPTIMIZERS, startPeer } from '../lib/contenders.mjs';
import { digits } from '../lib/report.mjs';
import { interleave, startAll } from '../lib/rounds.mjs';
import { mapRounds, ratioTo, rowsOf } from '../lib/rows.mjs';
import { median } from '../lib/stats.mjs';

/** Ten layers of three matrices and three vectors: 60 variables, 1.2 M parameters. */
const small = Array.from({ length: 10 }, () => [[200, 200], [200], [200, 300], [300], [60, 300], [60]]).flat();
/** 25 square matrices, 100 M parameters. */
const large = Array.from({ length: 25 }, () => [2000, 2000]);

/** Sizes of the measurement: shapes, timed updates per turn, and how many times PyTorch's fused update an update may take. */
export const OPTIMIZER_SIZES = {
  small: { shapes: small, updates: 100, limit: 1.5 },
  large: { shapes: large, updates: 4, limit: 1.2 },
};

/** Untimed updates at the start of each turn. */
const WARM_UP_UPDATES = 1;

/** Median milliseconds of an update per round, interleaved. */
export async function measureOptimizer(context, size) {
  const { shapes, updates, limit } = OPTIMIZER_SIZES[size];
  const parameters = shapes.reduce((sum, shape) => sum + shape.reduce((a, b) => a * b, 1), 0);
  const { started, failed } = await startAll(OPTIMIZERS, (spec) => startWith(spec, shapes, context), context.progress);
  try {
    const contenders = started.map(({ peer }) => ({
      name: peer.name,
      turn: async () => {
        await peer.ask({ do: 'run', steps: WARM_UP_UPDATES });
        return median((await peer.ask({ do: 'run', steps: updates })).ms);
      },
    }));
    const { turns, failed: left } = await interleave(contenders, context.options.rounds, context.progress);
    const rounds = mapRounds(turns, (ms) => ms);
    const notes = new Map(started.map(({ peer, firstStepMs }) => [peer.name, `first update ${digits(firstStepMs / 1000)} s`]));
    return {
      title: `Update by Adam: ${shapes.length} variables, ${(parameters / 1e6).toFixed(1)} M parameters, ${updates} updates × ${context.options.rounds} rounds`,
      unit: 'ms',
      contenders: Object.fromEntries(started.map(({ peer }) => [peer.name, peer.about])),
      rows: rowsOf(rounds, notes),
      facts: [],
      goals: [{ name: `update (${size}) ÷ PyTorch fused`, value: ratioTo(rounds, 'PyTorch fused'), limit, unit: ' ×' }],
      missing: [...failed, ...left],
    };
  } finally {
    for (const { peer } of started) peer.close();
  }
}

async function startWith(spec, shapes, context) {
  const peer = await startPeer(spec, context);
  try {
    return { peer, ...(await peer.ask({ do: 'load', shapes })) };
  } catch (error) {
    peer.close();
    throw error;
  }
}
