/** Configuration of optimizers, learning-rate schedules, warm-up and weight averaging. Defaults are Model Garden's. */
import { defineConfig, field, oneOf, type ConfigOf } from '../config/index.js';

const NOT_BUILT = 'this optimizer is not available yet; use sgd, adam, adamw or rmsprop';

/** Fields that every optimizer has. */
const clip = {
  /** Gradients of one variable whose norm is greater are scaled down to this norm; null: not clipped. */
  clipnorm: field.float().optional(),
  /** Gradient elements are cut to the range from minus to plus this value; null: not clipped. */
  clipvalue: field.float().optional(),
  /** All gradients together are scaled down when their common norm is greater than this; null: not clipped. */
  global_clipnorm: field.float().optional(),
};

/** Exponential moving average of the weights; evaluated and exported in place of the raw weights. */
export const emaConfig = defineConfig(
  {
    ...clip,
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

/** Stochastic gradient descent with momentum. */
export const sgdConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'SGD',
    /** The learning rate is divided by 1 + decay · step; 0: not at all. */
    decay: field.float(0),
    /** Use Nesterov's form of momentum. */
    nesterov: false,
    /** Share of the last update that is added to the next one; 0: none. */
    momentum: field.float(0),
  },
  { name: 'SGDConfig' },
);
/** See {@link sgdConfig}. */
export type SGDConfig = ConfigOf<typeof sgdConfig>;

/** Stochastic gradient descent of the newer optimizer family. */
export const sgdExperimentalConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'SGD',
    /** Use Nesterov's form of momentum. */
    nesterov: false,
    /** Share of the last update that is added to the next one; 0: none. */
    momentum: field.float(0),
    /** Compile the update for an accelerator. */
    jit_compile: field.bool(false).noEffect('steps are always compiled'),
  },
  { name: 'SGDExperimentalConfig' },
);

/** Adam. */
export const adamConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'Adam',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    /** Divide by the greatest squared mean so far instead of the present one. */
    amsgrad: false,
  },
  { name: 'AdamConfig' },
);
/** See {@link adamConfig}. */
export type AdamConfig = ConfigOf<typeof adamConfig>;

/** Adam of the newer optimizer family. */
export const adamExperimentalConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'Adam',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    /** Divide by the greatest squared mean so far instead of the present one. */
    amsgrad: false,
    /** Compile the update for an accelerator. */
    jit_compile: field.bool(false).noEffect('steps are always compiled'),
  },
  { name: 'AdamExperimentalConfig' },
);

/** Adam with decoupled weight decay. */
export const adamWeightDecayConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'AdamWeightDecay',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    /** Divide by the greatest squared mean so far instead of the present one. */
    amsgrad: false,
    /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
    weight_decay_rate: field.float(0),
    /** Patterns of variable names that decay although `exclude_from_weight_decay` matches them; null: none. */
    include_in_weight_decay: field.list(field.string()).optional(),
    /** Patterns of variable names that do not decay, such as `bias`; null: none. */
    exclude_from_weight_decay: field.list(field.string()).optional(),
    /** All gradients together are scaled down to this norm before the update; 0 or null: not clipped. */
    gradient_clip_norm: field.float(1).optional(),
  },
  { name: 'AdamWeightDecayConfig' },
);
/** See {@link adamWeightDecayConfig}. */
export type AdamWeightDecayConfig = ConfigOf<typeof adamWeightDecayConfig>;

/** Adam with decoupled weight decay of the newer optimizer family. */
export const adamWeightDecayExperimentalConfig = defineConfig(
  {
    ...clip,
    /** All gradients together are scaled down when their common norm is greater than this; null: not clipped. */
    global_clipnorm: field.float(1).optional(),
    /** Name of the optimizer. */
    name: 'AdamWeightDecayExperimental',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    /** Divide by the greatest squared mean so far instead of the present one. */
    amsgrad: false,
    /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
    weight_decay: field.float(0),
    /** Compile the update for an accelerator. */
    jit_compile: field.bool(false).noEffect('steps are always compiled'),
  },
  { name: 'AdamWeightDecayExperimentalConfig' },
);

/** LAMB: Adam with layer-wise scaling, for large batches. */
export const lambConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'LAMB',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-6),
    /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
    weight_decay_rate: field.float(0),
    /** Patterns of variable names that do not decay; null: none. */
    exclude_from_weight_decay: field.list(field.string()).optional(),
    /** Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`. */
    exclude_from_layer_adaptation: field.list(field.string()).optional(),
  },
  { name: 'LAMBConfig' },
);

/** RMSprop. */
export const rmspropConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'RMSprop',
    /** Decay of the running mean of squared gradients, per step. */
    rho: field.float(0.9),
    /** Share of the last update that is added to the next one; 0: none. */
    momentum: field.float(0),
    /** Added to the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    /** Divide by the variance of gradients instead of their squared mean. */
    centered: false,
  },
  { name: 'RMSPropConfig' },
);
/** See {@link rmspropConfig}. */
export type RMSPropConfig = ConfigOf<typeof rmspropConfig>;

/** LARS: momentum with layer-wise scaling, for large batches. */
export const larsConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'LARS',
    /** Share of the last update that is added to the next one. */
    momentum: field.float(0.9),
    /** Coefficient of the layer-wise scaling. */
    eeta: field.float(0.001),
    /** Weight of the squared-weights penalty; 0: none. */
    weight_decay_rate: field.float(0),
    /** Use Nesterov's form of momentum. */
    nesterov: false,
    /** Apply the learning rate to the update before momentum, as in the paper; false: after it. */
    classic_momentum: true,
    /** Patterns of variable names that do not decay; null: none. */
    exclude_from_weight_decay: field.list(field.string()).optional(),
    /** Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`. */
    exclude_from_layer_adaptation: field.list(field.string()).optional(),
  },
  { name: 'LARSConfig' },
);

/** Adagrad. */
export const adagradConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'Adagrad',
    /** Start value of the sums of squared gradients. */
    initial_accumulator_value: field.float(0.1),
    /** Added to the root of the sum, against division by zero. */
    epsilon: field.float(1e-7),
  },
  { name: 'AdagradConfig' },
);

/** SLIDE: layer-wise scaling for sparse layers. */
export const slideConfig = defineConfig(
  {
    ...clip,
    /** Name of the optimizer. */
    name: 'SLIDE',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-6),
    /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
    weight_decay_rate: field.float(0),
    /** Where the decay is applied: `inner`, before the scaling, or `outer`, after it. */
    weight_decay_type: 'inner',
    /** Patterns of variable names that do not decay; null: none. */
    exclude_from_weight_decay: field.list(field.string()).optional(),
    /** Patterns of variable names without layer-wise scaling; null: those of `exclude_from_weight_decay`. */
    exclude_from_layer_adaptation: field.list(field.string()).optional(),
    /** Patterns of variable names that are treated as sparse layers; null: none. */
    include_in_sparse_layer_adaptation: field.list(field.string()).optional(),
    /** Learning rate of the sparse layers. */
    sparse_layer_learning_rate: field.float(0.1),
    /** Rescale gradients by their norm before the update. */
    do_gradient_rescaling: true,
    /** Norm that the scaling uses. */
    norm_type: 'layer',
    /** Upper bound of the scaling ratio. */
    ratio_clip_norm: field.float(1e5),
  },
  { name: 'SLIDEConfig' },
);

/** Adafactor: squared means kept as row and column sums. */
export const adafactorConfig = defineConfig(
  {
    ...clip,
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
    ...clip,
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

/** The optimizer: `type` selects one, its block holds the parameters. */
export const optimizerConfig = oneOf(
  {
    branches: {
      /** Stochastic gradient descent with momentum. */
      sgd: sgdConfig,
      /** Stochastic gradient descent of the newer family. */
      sgd_experimental: field.config(sgdExperimentalConfig).refused(NOT_BUILT),
      /** Adam. */
      adam: adamConfig,
      /** Adam of the newer family. */
      adam_experimental: field.config(adamExperimentalConfig).refused(NOT_BUILT),
      /** Adam with decoupled weight decay. */
      adamw: adamWeightDecayConfig,
      /** Adam with decoupled weight decay of the newer family. */
      adamw_experimental: field.config(adamWeightDecayExperimentalConfig).refused(NOT_BUILT),
      /** Adam with layer-wise scaling. */
      lamb: field.config(lambConfig).refused(NOT_BUILT),
      /** RMSprop. */
      rmsprop: rmspropConfig,
      /** Momentum with layer-wise scaling. */
      lars: field.config(larsConfig).refused(NOT_BUILT),
      /** Adagrad. */
      adagrad: field.config(adagradConfig).refused(NOT_BUILT),
      /** Layer-wise scaling for sparse layers. */
      slide: field.config(slideConfig).refused(NOT_BUILT),
      /** Adafactor. */
      adafactor: field.config(adafactorConfig).refused(NOT_BUILT),
      /** Adafactor of the newer family. */
      adafactor_keras: field.config(adafactorKerasConfig).refused(NOT_BUILT),
    },
  },
  { name: 'OptimizerConfig' },
);
/** See {@link optimizerConfig}. */
export type OptimizerConfig = ConfigOf<typeof optimizerConfig>;

/** The same learning rate at every step. */
export const constantLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'Constant',
    /** The learning rate. */
    learning_rate: field.float(0.1),
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
    /** Step at which the schedule begins. */
    offset: field.int(0),
  },
  { name: 'StepwiseLrConfig' },
);

/** Learning rate that is multiplied by the same factor over every `decay_steps` steps. */
export const exponentialLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'ExponentialDecay',
    /** Learning rate at the first step. */
    initial_learning_rate: field.float().optional(),
    /** Steps over which the rate is multiplied by `decay_rate` once. */
    decay_steps: field.int().optional(),
    /** Factor of the decay. */
    decay_rate: field.float().optional(),
    /** Decay in jumps at multiples of `decay_steps` instead of smoothly; null: smoothly. */
    staircase: field.bool().optional(),
    /** Step at which the schedule begins. */
    offset: field.int(0),
  },
  { name: 'ExponentialLrConfig' },
);

/** Learning rate that falls by a power of the remaining share of steps. */
export const polynomialLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PolynomialDecay',
    /** Learning rate at the first step. */
    initial_learning_rate: field.float().optional(),
    /** Steps until the end value is reached. */
    decay_steps: field.int().optional(),
    /** Learning rate at the end. */
    end_learning_rate: field.float(0.0001),
    /** Exponent of the decay; 1: a straight line. */
    power: field.float(1),
    /** Start again with a longer decay when the end is reached. */
    cycle: false,
    /** Step at which the schedule begins. */
    offset: field.int(0),
  },
  { name: 'PolynomialLrConfig' },
);

/** Learning rate that falls along half a cosine. */
export const cosineLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'CosineDecay',
    /** Learning rate at the first step. */
    initial_learning_rate: field.float().optional(),
    /** Steps until the end value is reached. */
    decay_steps: field.int().optional(),
    /** End value as a share of the initial learning rate. */
    alpha: field.float(0),
    /** Step at which the schedule begins. */
    offset: field.int(0),
  },
  { name: 'CosineLrConfig' },
);

/** Learning rate proportional to a power of the step. */
export const powerLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'DirectPowerDecay',
    /** Learning rate at step 1. */
    initial_learning_rate: field.float().optional(),
    /** Exponent of the step. */
    power: field.float(-0.5),
  },
  { name: 'DirectPowerLrConfig' },
);

/** Power of the step, then a straight line to zero. */
export const powerLinearLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PowerAndLinearDecay',
    /** Learning rate at step 1. */
    initial_learning_rate: field.float().optional(),
    /** Step at which the rate reaches zero. */
    total_decay_steps: field.int().optional(),
    /** Exponent of the step. */
    power: field.float(-0.5),
    /** Share of the steps, at the end, in which the rate also falls linearly to zero. */
    linear_decay_fraction: field.float(0.1),
    /** Step at which the schedule begins. */
    offset: field.int(0),
  },
  { name: 'PowerAndLinearLrConfig' },
);

/** A plateau, then a power of the step. */
export const powerWithOffsetLrConfig = defineConfig(
  {
    /** Name of the schedule. */
    name: 'PowerDecayWithOffset',
    /** Learning rate one step after the offset. */
    initial_learning_rate: field.float().optional(),
    /** Exponent of the step. */
    power: field.float(-0.5),
    /** Step at which the schedule begins. */
    offset: field.int(0),
    /** Learning rate before the offset, and upper bound after it. */
    pre_offset_learning_rate: field.float(1e6),
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
    /** Step at which the schedule begins. */
    offset: field.int(0),
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
    warmup_learning_rate: field.float(0),
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
  },
  { name: 'OptimizationConfig' },
);
/** See {@link optimizationConfig}. */
export type OptimizationConfig = ConfigOf<typeof optimizationConfig>;
