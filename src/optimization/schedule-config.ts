/** Configuration of learning-rate schedules and warm-up. Defaults are Model Garden's. */
import { defineConfig, field, oneOf, type ConfigOf } from '../config/index.js';
import { decayStepsFields, exponentField, initialRateField, offsetField } from './shared-config.js';
import { inverseSqrtLrConfig, oneCycleLrConfig, warmupStableDecayLrConfig } from './recent-schedule-config.js';

/** The same learning rate at every step. */
export const constantLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'Constant',
    /** The learning rate. */
    learning_rate: field.float(0.1).min(0),
  },
  { name: 'ConstantLrConfig' },
);

/** Learning rate that changes at given steps. */
export const stepwiseLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PiecewiseConstantDecay',
    /** Steps after which the next value holds, ascending. */
    boundaries: field.list(field.int()).optional(),
    /** Learning rates; one more than there are boundaries. */
    values: field.list(field.float()).optional(),
    ...offsetField,
  },
  { name: 'StepwiseLrConfig' },
);

/** Learning rate that is multiplied by the same factor over every `decay_steps` steps. */
export const exponentialLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'ExponentialDecay',
    ...initialRateField,
    /** Steps over which the rate is multiplied by `decay_rate` once. */
    decay_steps: field.int().optional(),
    /** Factor of the decay. */
    decay_rate: field.float().optional(),
    /** Decay in jumps at multiples of `decay_steps` instead of smoothly; null: smoothly. */
    staircase: field.bool().optional(),
    ...offsetField,
  },
  { name: 'ExponentialLrConfig' },
);

/** Learning rate that falls by a power of the remaining share of steps. */
export const polynomialLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PolynomialDecay',
    ...decayStepsFields,
    /** Learning rate at the end. */
    end_learning_rate: field.float(0.0001).min(0),
    /** Exponent of the decay; 1: a straight line. */
    power: field.float(1),
    /** Start again with a longer decay when the end is reached. */
    cycle: false,
    ...offsetField,
  },
  { name: 'PolynomialLrConfig' },
);

/** Learning rate that falls along half a cosine. */
export const cosineLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'CosineDecay',
    ...decayStepsFields,
    /** End value as a share of the initial learning rate. */
    alpha: field.float(0),
    ...offsetField,
  },
  { name: 'CosineLrConfig' },
);

/** Learning rate proportional to a power of the step. */
export const powerLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'DirectPowerDecay',
    /** Learning rate at step 1. */
    initial_learning_rate: field.float().min(0).optional(),
    ...exponentField,
  },
  { name: 'DirectPowerLrConfig' },
);

/** Power of the step, then a straight line to zero. */
export const powerLinearLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PowerAndLinearDecay',
    /** Learning rate at step 1. */
    initial_learning_rate: field.float().min(0).optional(),
    /** Step at which the rate reaches zero. */
    total_decay_steps: field.int().optional(),
    ...exponentField,
    /** Share of the steps, at the end, in which the rate also falls linearly to zero. */
    linear_decay_fraction: field.float(0.1),
    ...offsetField,
  },
  { name: 'PowerAndLinearLrConfig' },
);

/** A plateau, then a power of the step. */
export const powerWithOffsetLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PowerDecayWithOffset',
    /** Learning rate one step after the offset. */
    initial_learning_rate: field.float().min(0).optional(),
    ...exponentField,
    ...offsetField,
    /** Learning rate before the offset, and upper bound after it. */
    pre_offset_learning_rate: field.float(1e6).min(0),
  },
  { name: 'PowerDecayWithOffsetLrConfig' },
);

/** A cosine from each value to the next. */
export const stepCosineLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'StepCosineDecayWithOffset',
    /** Steps between which each cosine runs, ascending; as many as values. */
    boundaries: field.list(field.int()).optional(),
    /** Learning rates at the boundaries. */
    values: field.list(field.float()).optional(),
    ...offsetField,
  },
  { name: 'StepCosineLrConfig' },
);

/** The learning-rate schedule: `type` selects one, its block holds the parameters. */
export const lrConfig = oneOf(
  {
    branches: {
      /** The same rate at every step. */
      constant: constantLrConfig,
      /** Changes at given steps. */
      stepwise: stepwiseLrConfig,
      /** Exponential decay. */
      exponential: exponentialLrConfig,
      /** Polynomial decay. */
      polynomial: polynomialLrConfig,
      /** Cosine decay. */
      cosine: cosineLrConfig,
      /** Power of the step. */
      power: powerLrConfig,
      /** Power of the step with a linear end. */
      power_linear: powerLinearLrConfig,
      /** Plateau, then power of the step. */
      power_with_offset: powerWithOffsetLrConfig,
      /** Cosines between values. */
      step_cosine_with_offset: stepCosineLrConfig,
      /** Up to the largest rate and down again. */
      one_cycle: oneCycleLrConfig,
      /** Rise, then one over the root of the step. */
      inverse_sqrt: inverseSqrtLrConfig,
      /** Rise, plateau, fall. */
      warmup_stable_decay: warmupStableDecayLrConfig,
    },
  },
  { name: 'LrConfig' },
);
/** See {@link lrConfig}. */
export type LrConfig = ConfigOf<typeof lrConfig>;

/** Straight line from a start value to the schedule's value at the end of the warm-up. */
export const linearWarmupConfig = defineConfig(
  {
    /** Name of the warm-up. */
    name: 'linear',
    /** Learning rate at step 0. */
    warmup_learning_rate: field.float(0).min(0),
    /** Length of the warm-up in steps; 0 or null: no warm-up. */
    warmup_steps: field.int().optional(),
  },
  { name: 'LinearWarmupConfig' },
);

/** Power of the share of warm-up steps done, times the schedule's value at the end of the warm-up. */
export const polynomialWarmupConfig = defineConfig(
  {
    /** Name of the warm-up. */
    name: 'polynomial',
    /** Exponent; 1: a straight line from zero. */
    power: field.float(1),
    /** Length of the warm-up in steps; 0 or null: no warm-up. */
    warmup_steps: field.int().optional(),
  },
  { name: 'PolynomialWarmupConfig' },
);

/** The warm-up: `type` selects one, null none. */
export const warmupConfig = oneOf(
  {
    branches: {
      /** Straight line from a start value. */
      linear: linearWarmupConfig,
      /** Power of the share of steps done. */
      polynomial: polynomialWarmupConfig,
    },
  },
  { name: 'WarmupConfig' },
);
/** See {@link warmupConfig}. */
export type WarmupConfig = ConfigOf<typeof warmupConfig>;
