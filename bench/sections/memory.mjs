// Growth of resident memory while the MLP trains.
import { withTraining } from './training.mjs';

const FROM_STEP = 1000;
const GOAL_MEGABYTES = 10;

/** Resident megabytes after 1,000 steps and at the end (20,000): medians of five readings after two forced collections. */
export async function measureMemory(context) {
  const to = context.options.memorySteps;
  const title = `Memory: mnist_mlp between step ${FROM_STEP} and step ${to}`;
  return withTraining(context, title, 'mnist_mlp', async (peer) => {
    context.progress(`training to step ${FROM_STEP}`);
    await peer.ask({ do: 'train', steps: FROM_STEP });
    const before = await peer.ask({ do: 'memory' });
    context.progress(`training to step ${to}`);
    await peer.ask({ do: 'train', steps: to - FROM_STEP });
    const after = await peer.ask({ do: 'memory' });
    const megabytes = (key, { [key]: bytes }) => (bytes / 1e6).toFixed(1);
    const facts = Object.keys(before).map((key) => ({
      name: key.replace('Bytes', ', MB'),
      value: `${megabytes(key, before)} → ${megabytes(key, after)}`,
    }));
    return {
      before,
      after,
      facts,
      goals: [
        {
          name: 'growth of resident memory',
          value: (after.residentBytes - before.residentBytes) / 1e6,
          limit: GOAL_MEGABYTES,
          unit: ' MB',
        },
      ],
    };
  });
}
