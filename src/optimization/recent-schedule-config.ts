/** Configuration of learning-rate schedules that Model Garden does not have. */
import { defineConfig, field } from '../config/index.js';
import { offsetField } from './shared-config.js';

/** Up to the largest rate and down again, along two half cosines. */
export const oneCycleLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'OneCycle',
    /** The largest learning rate. */
    max_learning_rate: field.float().min(0).optional(),
    /** Length of the cycle in steps. */
    total_steps: field.int().optional(),
    /** Share of the steps in which the rate rises. */
    warmup_fraction: field.float(0.3),
    /** The first rate is the largest divided by this. */
    initial_divisor: field.float(25),
    /** The last rate is the first divided by this. */
    final_divisor: field.float(1e4),
    ...offsetField,
  },
  { name: 'OneCycleLrConfig' },
);

/** Linear rise, then in proportion to one over the root of the step. */
export const inverseSqrtLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'InverseSqrt',
    /** Learning rate at the end of the rise. */
    max_learning_rate: field.float().min(0).optional(),
    /** Length of the rise in steps. */
    warmup_steps: field.int().optional(),
    ...offsetField,
  },
  { name: 'InverseSqrtLrConfig' },
);

/** Linear rise, plateau, fall. */
export const warmupStableDecayLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'WarmupStableDecay',
    /** Learning rate of the plateau. */
    max_learning_rate: field.float().min(0).optional(),
    /** Length of the rise in steps. */
    warmup_steps: field.int(0),
    /** Length of the plateau in steps. */
    stable_steps: field.int().optional(),
    /** Length of the fall in steps. */
    decay_steps: field.int().optional(),
    /** Learning rate at the end. */
    end_learning_rate: field.float(0).min(0),
    /** Form of the fall; `sqrt`: fast first, by one less the root of the share done. */
    decay_shape: field.choice(['linear', 'cosine', 'sqrt'], 'linear'),
    ...offsetField,
  },
  { name: 'WarmupStableDecayLrConfig' },
);
