/** Configuration of the optimizers. Defaults are Model Garden's. */
import { defineConfig, field, oneOf, type ConfigOf } from '../config/index.js';
import { adafactorConfig, adafactorKerasConfig } from './adafactor-config.js';
import { lambConfig, larsConfig, slideConfig } from './layerwise-optimizer-config.js';
import { adamFields, clipFields, decayFields, jitFields, momentumFields } from './shared-config.js';
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
    ...momentumFields,
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
    ...momentumFields,
    ...jitFields,
  },
  { name: 'SGDExperimentalConfig' },
);

/** Adam. */
export const adamConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Adam',
    ...adamFields,
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
    ...adamFields,
    ...jitFields,
  },
  { name: 'AdamExperimentalConfig' },
);

/** Adam with decoupled weight decay. */
export const adamWeightDecayConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'AdamWeightDecay',
    ...adamFields,
    ...decayFields,
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
    ...adamFields,
    /** Share of a weight that is taken off per unit of learning rate; 0: no decay. */
    weight_decay: field.float(0),
    ...jitFields,
  },
  { name: 'AdamWeightDecayExperimentalConfig' },
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
