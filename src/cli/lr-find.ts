/** `orbit lr-find`: a learning rate for an experiment. */
import { loadExperiment } from './experiment-flags.js';
import type { ExperimentFlags } from './experiment-flags.js';
import { value } from './format.js';

/** Flags of `orbit lr-find`. */
export interface LrFindFlags extends ExperimentFlags {
  /** Learning rate of the first step. */
  min: number;
  /** Learning rate of the last step. */
  max: number;
  /** Training steps. */
  steps: number;
  /** Print the result as one line of JSON instead. */
  json?: boolean;
}

const WIDTH = 40;
const ROWS = 24;
/** Room in the drawing above the first loss, as a part of how far the loss fell. */
const HEADROOM = 0.25;

/** Searches, draws the smoothed loss over the rate, and says how to use the rate that was found. */
export async function lrFind(flags: LrFindFlags): Promise<number> {
  const params = await loadExperiment(flags, true);
  const { findLearningRate, getTask } = await import('../experiment/index.js');
  const search = await findLearningRate({
    ...{ task: getTask(params.task), params, minLearningRate: flags.min, maxLearningRate: flags.max, steps: flags.steps },
  });
  if (flags.json) {
    process.stdout.write(`${JSON.stringify(search)}\n`);
    return 0;
  }
  const { points, suggestion, atSmallestLoss } = search;
  const losses = points.map((point) => point.smoothedLoss);
  const low = Math.min(...losses);
  const high = Math.min(Math.max(...losses), losses[0]! + HEADROOM * (losses[0]! - low) || Infinity); // where it blows up is no matter
  const every = Math.max(1, Math.ceil(points.length / ROWS));
  process.stdout.write('learning rate  smoothed loss\n');
  for (const [i, { learningRate, smoothedLoss }] of points.entries()) {
    if (i % every !== 0) continue;
    const length = Math.round((Math.min(smoothedLoss - low, high - low) / (high - low || 1)) * (WIDTH - 1));
    const bar = '█'.repeat(1 + length) + (smoothedLoss > high ? '→' : '');
    process.stdout.write(`${learningRate.toExponential(2).padStart(13)}  ${value(smoothedLoss).padEnd(9)} ${bar}\n`);
  }
  const type = params.trainer.optimizer_config.learning_rate.type ?? 'constant';
  const field = type === 'constant' ? 'learning_rate' : 'initial_learning_rate';
  process.stdout.write(
    suggestion === null
      ? '\nThe loss never fell: try other bounds with --min and --max, or more --steps.\n'
      : `\nThe loss falls fastest at ${suggestion.toExponential(1)}; from ${atSmallestLoss.toExponential(1)} on it grows. Try\n` +
          `  --params_override=trainer.optimizer_config.learning_rate.${type}.${field}=${suggestion.toExponential(1)}\n`,
  );
  return 0;
}
