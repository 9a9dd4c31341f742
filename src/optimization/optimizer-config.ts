/** Configuration of the optimizers. Defaults are Model Garden's. */
import { defineConfig, field, oneOf, type ConfigOf } from '../config/index.js';
import { clipFields } from './clip-config.js';
import { adamaxConfig, lionConfig, muonConfig, nadamConfig, scheduleFreeAdamWConfig } from './recent-optimizer-config.js';

const PLACEHOLDER = 'the original has only a placeholder for it; use another optimizer, such as lars or lamb';

/** Stochastic gradient descent with momentum. */
export const sgdConfig = defineConfig(
  {
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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
    ...clipFields,
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

/** The optimizer: `type` selects one, its block holds the parameters. */
export const optimizerConfig = oneOf(
  {
    branches: {
      /** Stochastic gradient descent with momentum. */
      sgd: sgdConfig,
      /** Stochastic gradient descent of the newer family. */
      sgd_experimental: sgdExperimentalConfig,
      /** Adam. */
      adam: adamConfig,
      /** Adam of the newer family. */
      adam_experimental: adamExperimentalConfig,
      /** Adam with decoupled weight decay. */
      adamw: adamWeightDecayConfig,
      /** Adam with decoupled weight decay of the newer family. */
      adamw_experimental: adamWeightDecayExperimentalConfig,
      /** Adam with layer-wise scaling. */
      lamb: lambConfig,
      /** RMSprop. */
      rmsprop: rmspropConfig,
      /** Momentum with layer-wise scaling. */
      lars: larsConfig,
      /** Adagrad. */
      adagrad: adagradConfig,
      /** Layer-wise scaling for sparse layers. */
      slide: field.config(slideConfig).refused(PLACEHOLDER),
      /** Adafactor as the paper has it. */
      adafactor: adafactorConfig,
      /** Adafactor of the newer family. */
      adafactor_keras: adafactorKerasConfig,
      /** Sign of the momentum, with decoupled weight decay. */
      lion: lionConfig,
      /** Adam by the largest recent gradient. */
      adamax: adamaxConfig,
      /** Adam with Nesterov's momentum. */
      nadam: nadamConfig,
      /** Orthogonalised momentum for matrices, Adam for the rest. */
      muon: muonConfig,
      /** Adam with averaged weights in place of a schedule. */
      schedule_free_adamw: scheduleFreeAdamWConfig,
    },
  },
  { name: 'OptimizerConfig' },
);
/** See {@link optimizerConfig}. */
export type OptimizerConfig = ConfigOf<typeof optimizerConfig>;
