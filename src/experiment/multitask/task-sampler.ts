/** Which task a step of interleaved training trains. */
import { stepRandom } from '#tf';
import { ConfigError, UsageError } from '../../errors.js';
import type { TaskSamplingConfig } from './config.js';

/** Weights of tasks by name; their order counts. */
export type TaskWeights = Readonly<Record<string, number>>;

const f32 = Math.fround;

/** Gives each step a distribution over the tasks. Arithmetic is in float32. */
export abstract class TaskSampler {
  /** @param taskWeights weights by task name; their order is that of the distribution */
  constructor(
    /** Weights by task name. */
    readonly taskWeights: TaskWeights,
  ) {}

  /** Running sums of the tasks' probabilities at a step; the last one is 1 up to rounding. */
  abstract taskCumulativeDistribution(globalStep: number): Float32Array;

  /** The weights in their order. */
  protected get weights(): number[] {
    return Object.values(this.taskWeights);
  }
}

/** Every task with probability 1/K. */
export class UniformTaskSampler extends TaskSampler {
  override taskCumulativeDistribution(_globalStep: number): Float32Array {
    const { weights } = this;
    return cumulative(weights.map(() => f32(1 / weights.length)));
  }
}

/** Task i with probability wᵢ^α / Σ wⱼ^α. */
export class ProportionalTaskSampler extends TaskSampler {
  /** @param alpha exponent of the weights. Default 1. */
  constructor(
    taskWeights: TaskWeights,
    /** Exponent of the weights. */
    readonly alpha = 1,
  ) {
    super(taskWeights);
  }

  override taskCumulativeDistribution(_globalStep: number): Float32Array {
    return powerDistribution(this.weights, f32(this.alpha));
  }
}

/**
 * Task i with probability wᵢ^α / Σ wⱼ^α, where α = 1 − 0.8·(e − 1)/(E − 1 + 1e-10) falls with the epoch e = ⌊step/stepsPerEpoch⌋
 * of E = totalSteps/stepsPerEpoch. Epochs count from 0, so α begins above 1, is 1 in the second epoch and goes on falling after
 * the last. After Stickland and Murray, "BERT and PALs" (2019).
 */
export class AnnealingTaskSampler extends TaskSampler {
  /**
   * @param stepsPerEpoch steps with one α
   * @param totalSteps steps of the whole training
   * @throws ConfigError where the training is not longer than one epoch, for which the formula has no finite α
   */
  constructor(
    taskWeights: TaskWeights,
    readonly stepsPerEpoch: number,
    readonly totalSteps: number,
  ) {
    super(taskWeights);
    if (totalSteps > stepsPerEpoch) return;
    throw new ConfigError(
      `trainer.task_sampler.annealing.total_steps (${totalSteps}) should be greater than steps_per_epoch (${stepsPerEpoch}): with one epoch the exponent of the weights is infinite.`,
      { path: 'trainer.task_sampler.annealing.total_steps' },
    );
  }

  override taskCumulativeDistribution(globalStep: number): Float32Array {
    const perEpoch = f32(this.stepsPerEpoch);
    const epochs = f32(this.totalSteps / perEpoch);
    const epoch = Math.floor(f32(f32(globalStep) / perEpoch));
    const length = f32(f32(epochs - 1) + f32(1e-10));
    return powerDistribution(this.weights, f32(1 - f32(f32(0.8 * (epoch - 1)) / length)));
  }
}

/** The sampler of a config. @throws ConfigError without a type; UsageError for weights that leave nothing to choose */
export function getTaskSampler(config: TaskSamplingConfig, taskWeights: TaskWeights): TaskSampler {
  switch (config.type) {
    case 'uniform':
      return new UniformTaskSampler(taskWeights);
    case 'proportional':
      return new ProportionalTaskSampler(taskWeights, config.proportional.alpha);
    case 'annealing':
      return new AnnealingTaskSampler(taskWeights, config.annealing.steps_per_epoch, config.annealing.total_steps);
    case null:
      throw new ConfigError('trainer.task_sampler.type must be set, to uniform, proportional or annealing.', {
        path: 'trainer.task_sampler.type',
      });
    default:
      return config.type satisfies never;
  }
}

/**
 * The index i of a step's task: Cᵢ ≤ u < Cᵢ₊₁ for the cumulative distribution C with 0 prepended and a number u in [0, 1) that
 * depends on seed and step alone. Where rounding leaves the last C below u, the last task that has a chance is taken.
 * @throws UsageError where C is no distribution
 */
export function taskOfStep(sampler: TaskSampler, globalStep: number, seed = 0): number {
  const sums = sampler.taskCumulativeDistribution(globalStep);
  if (!(Math.abs(sums.at(-1)! - 1) < 1e-3) || sums.length !== Object.keys(sampler.taskWeights).length) {
    throw new UsageError(
      `${sampler.constructor.name}: the cumulative distribution of step ${globalStep} is [${[...sums].join(', ')}]; it should be one number per task that ends at 1. ` +
        'Are all task weights 0?',
    );
  }
  const u = uniformOfStep(globalStep, seed);
  const found = sums.findIndex((sum) => u < sum);
  return found >= 0 ? found : sums.findLastIndex((sum, i) => sum > (sums[i - 1] ?? 0));
}

/** A number in [0, 1) with 24 bits that depends on seed and step alone. */
function uniformOfStep(globalStep: number, seed: number): number {
  const { mix, GOLDEN } = stepRandom;
  const low = mix(mix((seed + GOLDEN) | 0) ^ (globalStep | 0));
  return (mix(low ^ Math.floor(globalStep / 2 ** 32)) >>> 8) * 2 ** -24;
}

function powerDistribution(weights: readonly number[], alpha: number): Float32Array {
  const positive = weights.filter((weight) => weight > 0);
  const unit = alpha < 0 ? Math.min(...positive) : Math.max(...positive); // keeps the powers within [0, 1]; it cancels out
  const sizes = weights.map((weight) => (weight === 0 && alpha < 0 ? 0 : f32(Math.pow(weight / unit, alpha))));
  const total = sizes.reduce((sum, size) => f32(sum + size), 0);
  return cumulative(sizes.map((size) => f32(size / total)));
}

function cumulative(probabilities: readonly number[]): Float32Array {
  let sum = 0;
  return Float32Array.from(probabilities, (p) => (sum = f32(sum + p)));
}
