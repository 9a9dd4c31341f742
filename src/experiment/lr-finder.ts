/** Finding a learning rate: train briefly while the rate grows from tiny to far too large, and look where the loss falls fastest. */
import * as tf from '#tf';
import { ConfigError, UsageError } from '../errors.js';
import type { LearningRateSchedule } from '../optimization/index.js';
import type { ExperimentConfig } from './config.js';
import { createTrainer } from './factories.js';
import { applyRuntime } from './apply-runtime.js';
import type { Task } from './task.js';

/** Options of {@link findLearningRate}. */
export interface FindLearningRateOptions {
  /** What is trained. */
  task: Task;
  /** The experiment's config; optimizer, data and seed are those of the run, the learning rate is not. */
  params: ExperimentConfig;
  /** Learning rate of the first step. Default 1e-7. */
  minLearningRate?: number;
  /** Learning rate of the last step. Default 10. */
  maxLearningRate?: number;
  /** Training steps, at least 10. Default 100. */
  steps?: number;
  /** The search ends when the smoothed loss is so many times the smallest one. Default 4. */
  stopFactor?: number;
  /** Told after each step. */
  onStep?: (point: LearningRatePoint) => void;
}

/** One step of a search. */
export interface LearningRatePoint {
  /** The rate of the step. */
  readonly learningRate: number;
  /** Loss of the step. */
  readonly loss: number;
  /** Running mean of the losses, without the bias of its start. */
  readonly smoothedLoss: number;
}

/** What a search found. */
export interface LearningRateSearch {
  /** Every step that was made, in order. */
  readonly points: readonly LearningRatePoint[];
  /** Where the smoothed loss falls fastest over the logarithm of the rate; null where it never falls. */
  readonly suggestion: number | null;
  /** The rate at which the smoothed loss was smallest; beyond it training is about to blow up. */
  readonly atSmallestLoss: number;
}

const SMOOTHING = 0.9;

/**
 * Trains a fresh model for some steps while the learning rate grows exponentially, after Smith, "Cyclical learning rates for
 * training neural networks" (2017). Nothing is written, and no checkpoint is read.
 *
 * ```ts
 * const params = getExperimentConfig('mnist_mlp');
 * const { suggestion } = await findLearningRate({ task: getTask(params.task), params });
 * ```
 *
 * @throws ConfigError for options out of range; UsageError where the losses are no numbers from the start
 */
export async function findLearningRate(options: FindLearningRateOptions): Promise<LearningRateSearch> {
  const { task, params, minLearningRate: min = 1e-7, maxLearningRate: max = 10, steps = 100, stopFactor = 4, onStep } = options;
  if (!(min > 0 && max > min && Number.isFinite(max)))
    throw new ConfigError(`The rates of a search should be 0 < min < max; got min ${min} and max ${max}.`, { path: 'min' });
  if (!(Number.isInteger(steps) && steps >= 10))
    throw new ConfigError(`A search needs at least 10 steps, got ${steps}.`, { path: 'steps' });
  applyRuntime(params.runtime);
  const trainer = createTrainer(params, task, { evaluate: false });
  trainer.optimizer.learningRate = exponential(min, max, steps);
  await trainer.initialize();
  const points: LearningRatePoint[] = [];
  let [mean, weight, smallest] = [0, 0, Infinity];
  try {
    for (let i = 0; i < steps; i++) {
      const learningRate = trainer.optimizer.currentLearningRate();
      const logs = await trainer.train(1);
      const loss = Number(logs?.['training_loss']);
      if (!Number.isFinite(loss)) break;
      mean = SMOOTHING * mean + (1 - SMOOTHING) * loss;
      weight = SMOOTHING * weight + (1 - SMOOTHING);
      const smoothedLoss = mean / weight;
      const point = { learningRate, loss, smoothedLoss };
      points.push(point);
      onStep?.(point);
      if (i > 0 && smoothedLoss > stopFactor * smallest) break;
      smallest = Math.min(smallest, smoothedLoss);
    }
  } finally {
    await trainer.close();
  }
  if (points.length === 0) throw new UsageError(`The first loss of ${task.name} is not a finite number: there is no rate to be found.`);
  const best = points.reduce((a, b) => (b.smoothedLoss < a.smoothedLoss ? b : a));
  return { points, suggestion: steepest(points), atSmallestLoss: best.learningRate };
}

/** The rate in the middle of the steepest fall before the smallest loss. The first steps, where the mean is young, do not count. */
function steepest(points: readonly LearningRatePoint[]): number | null {
  const end = points.indexOf(points.reduce((a, b) => (b.smoothedLoss < a.smoothedLoss ? b : a)));
  let [fastest, suggestion]: [number, number | null] = [0, null];
  for (let i = Math.min(5, Math.floor(points.length / 10)) + 1; i < end; i++) {
    const [before, after] = [points[i - 1]!, points[i + 1]!];
    const slope = (after.smoothedLoss - before.smoothedLoss) / Math.log(after.learningRate / before.learningRate);
    if (slope < fastest) [fastest, suggestion] = [slope, points[i]!.learningRate];
  }
  return suggestion;
}

/** min · (max/min)^(step / (steps − 1)). */
function exponential(min: number, max: number, steps: number): LearningRateSchedule {
  const rate = Math.log(max / min) / (steps - 1);
  return {
    name: 'LearningRateSearch',
    valueAt: (step) => min * Math.exp(rate * step),
    at: (step) => tf.mul(min, tf.exp(tf.mul(tf.cast(step, 'float32'), rate))) as unknown as tf.Scalar,
  };
}
