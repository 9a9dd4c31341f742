/** Configuration of optimization as a whole. Defaults are Model Garden's. */
import { defineConfig, field, type ConfigOf } from '../config/index.js';
import { clipFields } from './shared-config.js';
import { optimizerConfig } from './optimizer-config.js';
import { lrConfig, warmupConfig } from './schedule-config.js';

export { clipFields } from './shared-config.js';
export * from './adafactor-config.js';
export * from './layerwise-optimizer-config.js';
export * from './optimizer-config.js';
export * from './recent-optimizer-config.js';
export * from './recent-schedule-config.js';
export * from './schedule-config.js';

/** Exponential moving average of the weights; evaluated and exported in place of the raw weights. */
export const emaConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the averaging wrapper. */
    name: 'ExponentialMovingAverage',
    /** Average only the variables that training changes; false: all variables of the model. */
    trainable_weights_only: true,
    /** Share of the old average that an update keeps, from 0 to 1. */
    average_decay: field.float(0.99),
    /** Optimizer step from which on averages are kept apart from the weights. */
    start_step: field.int(0),
    /** Let the decay grow from a small value to `average_decay` in the first steps, so that early weights are forgotten. */
    dynamic_decay: true,
  },
  { name: 'EMAConfig' },
);
/** See {@link emaConfig}. */
export type EMAConfig = ConfigOf<typeof emaConfig>;

/** The learning rate of some variables, as a multiple of the schedule's. */
export const learningRateMultiplierConfig = defineConfig(
  {
    /** Regular expression, searched anywhere in the names of variables: `embedding`, `^backbone/`. */
    pattern: '',
    /** What the learning rate is multiplied by; 0: the variables stay as they are. */
    multiplier: field.float(1).min(0),
  },
  { name: 'LearningRateMultiplierConfig' },
);

/** How the weights are updated. */
export const optimizationConfig = defineConfig(
  {
    /** The optimizer and its parameters. */
    optimizer: optimizerConfig,
    /** Averaging of the weights; null: none, an empty mapping: with its defaults. */
    ema: field.config(emaConfig).optional(),
    /** The learning-rate schedule. */
    learning_rate: lrConfig,
    /** The warm-up before the schedule. */
    warmup: warmupConfig,
    /** Learning rates of some variables, as multiples of the schedule's; of several patterns that are found in a name the first counts. */
    learning_rate_multipliers: field.list(field.config(learningRateMultiplierConfig)),
  },
  { name: 'OptimizationConfig' },
);
/** See {@link optimizationConfig}. */
export type OptimizationConfig = ConfigOf<typeof optimizationConfig>;
