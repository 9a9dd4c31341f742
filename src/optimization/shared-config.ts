/** Configuration that several optimizers share. */
import { field } from '../config/index.js';

/** Fields that every optimizer has. */
export const clipFields = {
  /** Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped. */
  clipnorm: field.float().optional(),
  /** Gradient elements are cut to the range from minus to plus this value; null: not clipped. */
  clipvalue: field.float().optional(),
  /** All gradients together are scaled down when their common norm is greater than this; null: not clipped. */
  global_clipnorm: field.float().optional(),
};

/** Fields of optimizers with running means of gradients and of their squares. */
export const momentFields = {
  /** Decay of the running mean of gradients, per step. */
  beta_1: field.float(0.9),
  /** Decay of the running mean of squared gradients, per step. */
  beta_2: field.float(0.999),
};

/** Fields of Adam and its kin. */
export const adamFields = {
  ...momentFields,
  /** Added to the root of the squared mean, against division by zero. */
  epsilon: field.float(1e-7),
  /** Divide by the greatest squared mean so far instead of the present one. */
  amsgrad: false,
};

/** Fields of optimizers that decay weights by name patterns. */
export const decayFields = {
  /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
  weight_decay_rate: field.float(0),
  /** Patterns of variable names that decay although `exclude_from_weight_decay` matches them; null: none. */
  include_in_weight_decay: field.list(field.string()).optional(),
  /** Patterns of variable names that do not decay, such as `bias`; null: none. */
  exclude_from_weight_decay: field.list(field.string()).optional(),
};

/** Fields of the newer optimizer family. */
export const jitFields = {
  /** Compile the update for an accelerator. */
  jit_compile: field.bool(false).noEffect('steps are always compiled'),
};
