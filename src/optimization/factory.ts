import { didYouMean, nearestName } from '../config/index.js';
import { ConfigError, UsageError } from '../errors.js';
import { type Branch, camelKeys, snakeKey } from './config-keys.js';
import { CosineDecay, ExponentialDecay, PolynomialDecay } from './decay-schedules.js';
import { ExponentialMovingAverage } from './ema.js';
import type { GradientAggregator, GradientTransformer } from './gradients.js';
import { type LearningRateMultiplier, readMultipliers } from './learning-rate-multipliers.js';
import type { Optimizer } from './optimizer.js';
import { type Given, readOptions } from './options.js';
import { PiecewiseConstantDecay, StepCosineDecayWithOffset } from './piecewise-schedules.js';
import { DirectPowerDecay, PowerAndLinearDecay, PowerDecayWithOffset } from './power-schedules.js';
import { buildRegistered, optimizerTypes } from './registry.js';
import { InverseSqrt, OneCycle, WarmupStableDecay } from './recent-schedules.js';
import type { LearningRate, LearningRateSchedule } from './schedule.js';
import { LinearWarmup, PolynomialWarmup } from './warmup.js';

/** A choice among branches: `type` names the selected one. */
interface Choice {
  readonly type?: string | null;
}

/** What the factory reads of an `OptimizationConfig`; a config of that schema fits, and so does a plain object like it. */
export interface OptimizationConfigLike {
  /** The optimizer: `type` and the block of that type. */
  readonly optimizer?: Choice | null;
  /** The learning rate: `type` and the block of that type. */
  readonly learning_rate?: Choice | null;
  /** The warm-up: `type`, null for none, and the block of that type. */
  readonly warmup?: Choice | null;
  /** Weight averaging, or null. */
  readonly ema?: object | null;
  /** Learning rates of some variables, as multiples of the schedule's. */
  readonly learning_rate_multipliers?: readonly LearningRateMultiplier[] | null;
}

/** Options of `OptimizerFactory.buildOptimizer`. */
export interface BuildOptimizerOptions {
  /** Sums gradients over replicas in place of the default. Legacy family only. */
  gradientAggregator?: GradientAggregator | null;
  /** Applied to the gradients in order. Legacy family only; not together with clipping. */
  gradientTransformers?: readonly GradientTransformer[] | null;
  /** Last change to the optimizer; must return one. */
  postprocessor?: ((optimizer: Optimizer) => Optimizer) | null;
  /** Which of the two optimizer families a type stands for. Default true. */
  useLegacyOptimizer?: boolean | null;
}

/** The selected branch of a choice: its name and its fields as the config has them. */
interface Selected {
  readonly type: string;
  readonly fields: object;
}

const schedules: Record<string, new (options: never) => LearningRateSchedule> = {
  stepwise: PiecewiseConstantDecay,
  exponential: ExponentialDecay,
  polynomial: PolynomialDecay,
  cosine: CosineDecay,
  power: DirectPowerDecay,
  power_linear: PowerAndLinearDecay,
  power_with_offset: PowerDecayWithOffset,
  step_cosine_with_offset: StepCosineDecayWithOffset,
  one_cycle: OneCycle,
  inverse_sqrt: InverseSqrt,
  warmup_stable_decay: WarmupStableDecay,
};

/** The power schedules' own default exponent is 1; their config branches say −0.5. */
const branchDefaults: Record<string, Branch> = {
  power: { power: -0.5 },
  power_linear: { power: -0.5 },
  power_with_offset: { power: -0.5 },
};

const warmups: Record<string, new (after: LearningRate, options: never) => LearningRateSchedule> = {
  linear: LinearWarmup,
  polynomial: PolynomialWarmup,
};

/**
 * Builds the learning rate and the optimizer that a config describes.
 *
 * @example
 * const factory = new OptimizerFactory(params.trainer.optimizer_config);
 * const optimizer = factory.buildOptimizer(factory.buildLearningRate());
 */
export class OptimizerFactory {
  private readonly optimizer: Selected;
  private readonly rate: Selected;
  private readonly warmup: Selected | null;
  private readonly ema: object | null;
  private readonly multipliers: readonly LearningRateMultiplier[] | null;

  /** @throws ConfigError if a type is missing or not known. */
  constructor(config: OptimizationConfigLike) {
    this.optimizer = required(select(config.optimizer, 'optimizer', optimizerTypes()), 'optimizer', 'adam');
    this.rate = required(
      select(config.learning_rate, 'learning_rate', ['constant', ...Object.keys(schedules)]),
      'learning_rate',
      'constant',
    );
    this.warmup = select(config.warmup, 'warmup', Object.keys(warmups));
    this.ema = config.ema ?? null;
    this.multipliers = config.learning_rate_multipliers?.length ? config.learning_rate_multipliers : null;
    readMultipliers(this.multipliers, 'OptimizationConfig');
  }

  /** The schedule with its warm-up; a bare number only for `constant` without warm-up. @throws ConfigError for missing or wrong fields. */
  buildLearningRate(): LearningRate {
    const { type, fields } = this.rate;
    const rate = within(`learning_rate.${type}`, () => {
      const options = { ...branchDefaults[type], ...camelKeys(fields) };
      if (type !== 'constant') return new schedules[type]!(options as never);
      return readOptions<{ name: string; learningRate: number }>(options, { name: 'Constant', learningRate: 0.1 }, 'Constant').learningRate;
    });
    const warmup = this.warmup;
    return warmup ? within(`warmup.${warmup.type}`, () => new warmups[warmup.type]!(rate, camelKeys(warmup.fields) as never)) : rate;
  }

  /** The optimizer, wrapped for averaging if the config has `ema`. @throws ConfigError for wrong fields and combinations. */
  buildOptimizer(learningRate: LearningRate, options: BuildOptimizerOptions = {}): Optimizer {
    const { type, fields } = this.optimizer;
    const legacy = options.useLegacyOptimizer ?? true;
    const { gradientAggregator, gradientTransformers } = options;
    const learningRateMultipliers = this.multipliers;
    const common = { learningRate, learningRateMultipliers, gradientAggregator, gradientTransformers };
    let optimizer = within(`optimizer.${type}`, () => buildRegistered(type, fields, common, legacy));
    if (learningRateMultipliers && optimizer.learningRateMultipliers !== learningRateMultipliers) {
      throw new ConfigError(
        `The registered optimizer "${type}" does not take learning_rate_multipliers. Pass them on in its builder, or leave them out.`,
        {
          path: 'learning_rate_multipliers',
        },
      );
    }
    const ema = this.ema;
    if (ema) {
      if (!legacy)
        throw new ConfigError(
          'Averaging (ema) works with the legacy optimizer family only. Set useLegacyOptimizer to true, or ema to null.',
          { path: 'ema' },
        );
      if ('swapWeights' in optimizer) throw new ConfigError(`${type} averages the weights itself, so ema must be null.`, { path: 'ema' });
      optimizer = within('ema', () => new ExponentialMovingAverage(optimizer, camelKeys(ema) as Given<object>));
    }
    if (options.postprocessor) optimizer = options.postprocessor(optimizer);
    if (!isOptimizer(optimizer)) {
      throw new UsageError(
        `buildOptimizer must end with an optimizer, but the postprocessor returned ${String(optimizer)}. Return the optimizer from it.`,
      );
    }
    return optimizer;
  }
}

function isOptimizer(x: unknown): x is Optimizer {
  return typeof x === 'object' && x !== null && 'iterations' in x && 'applyGradients' in x && typeof x.applyGradients === 'function';
}

/** Reads the selected branch; null if none is selected. */
function select(choice: Choice | null | undefined, field: string, known: readonly string[]): Selected | null {
  const type = choice?.type;
  if (type === null || type === undefined) return null;
  if (!known.includes(type)) {
    throw new ConfigError(`${field}.type: "${type}" is not known.${didYouMean(nearestName(type, known))} Known: ${known.join(', ')}.`, {
      path: `${field}.type`,
    });
  }
  return { type, fields: (choice as Record<string, object | null | undefined>)[type] ?? {} };
}

function required<T>(selected: T | null, field: string, example: string): T {
  if (selected) return selected;
  throw new ConfigError(`${field}.type must be set, for example to "${example}".`, { path: `${field}.type` });
}

/** Runs `build` and puts `prefix` before the config path of an error. */
function within<T>(prefix: string, build: () => T): T {
  try {
    return build();
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    throw new ConfigError(`${prefix}: ${error.message}`, { path: error.path ? `${prefix}.${snakeKey(error.path)}` : prefix, cause: error });
  }
}
