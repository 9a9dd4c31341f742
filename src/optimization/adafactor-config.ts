/** Configuration of Adafactor's two forms. Defaults are Model Garden's. */
import { defineConfig, field } from '../config/index.js';
import { clipFields } from './shared-config.js';

/** Adafactor: squared means kept as row and column sums. */
export const adafactorConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Adafactor',
    /** Keep the squared means of matrices as row and column sums. */
    factored: true,
    /** Scale the learning rate by the size of the weights. */
    multiply_by_parameter_scale: true,
    /** Decay of the running mean of gradients; null: no mean is kept. */
    beta1: field.float().optional(),
    /** Exponent with which the decay of squared means approaches 1. */
    decay_rate: field.float(0.8),
    /** Steps taken before this run, as the decay counts them. */
    step_offset: field.int(0),
    /** Updates whose root mean square is greater are scaled down to this. */
    clipping_threshold: field.float(1),
    /** Only dimensions of at least this size are factored. */
    min_dim_size_to_factor: field.int(128),
    /** Added to squared gradients. */
    epsilon1: field.float(1e-30),
    /** Smallest size of weights that the scaling assumes. */
    epsilon2: field.float(1e-3),
    /** Share of a weight that is taken off per update; null: no decay. */
    weight_decay: field.float().optional(),
    /** Pattern of variable names that decay; null: all. */
    include_in_weight_decay: field.string().optional(),
  },
  { name: 'AdafactorConfig' },
);

/** Adafactor of the newer optimizer family. */
export const adafactorKerasConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Adafactor',
    /** Replaced by the schedule of `learning_rate`. */
    learning_rate: field.float(0.001),
    /** Exponent with which the decay of squared means approaches 1. */
    beta_2_decay: field.float(-0.8),
    /** Added to squared gradients. */
    epsilon_1: field.float(1e-30),
    /** Smallest size of weights that the scaling assumes. */
    epsilon_2: field.float(1e-3),
    /** Updates whose root mean square is greater are scaled down to this. */
    clip_threshold: field.float(1),
    /** Bound the learning rate by a value that falls with the step. */
    relative_step: true,
  },
  { name: 'AdafactorKerasConfig' },
);
