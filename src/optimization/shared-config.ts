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

/** Fields of momentum, where none is the default. */
export const momentumFields = {
  /** Use Nesterov's form of momentum. */
  nesterov: false,
  /** Share of the last update that is added to the next one; 0: none. */
  momentum: field.float(0),
};

/** Fields of optimizers whose steps go by the size of a layer. */
export const layerwiseFields = {
  /** Patterns of variable names that do not decay; null: none. */
  exclude_from_weight_decay: field.list(field.string()).optional(),
  /** Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`. */
  exclude_from_layer_adaptation: field.list(field.string()).optional(),
};

/** Fields of Adam's kin that scale by layer. */
export const layerwiseAdamFields = {
  ...momentFields,
  /** Added to the root of the squared mean, against division by zero. */
  epsilon: field.float(1e-6),
  /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
  weight_decay_rate: field.float(0),
};

/** Field of schedules that can begin later. */
export const offsetField = {
  /** Step at which the schedule begins. */
  offset: field.int(0),
};

/** Field of schedules that fall from a given rate. */
export const initialRateField = {
  /** Learning rate at the first step. */
  initial_learning_rate: field.float().min(0).optional(),
};

/** Field of schedules that fall in a given number of steps. */
export const decayStepsFields = {
  ...initialRateField,
  /** Steps until the end value is reached. */
  decay_steps: field.int().optional(),
};

/** Fields of schedules that are a power of the step. */
export const exponentField = {
  /** Exponent of the step. */
  power: field.float(-0.5),
};
