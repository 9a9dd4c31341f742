/** Configuration of optimizers whose steps go by the size of a layer. Defaults are Model Garden's. */
import { defineConfig, field } from '../config/index.js';
import { clipFields, layerwiseAdamFields, layerwiseFields } from './shared-config.js';

/** LAMB: Adam with layer-wise scaling, for large batches. */
export const lambConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'LAMB',
    ...layerwiseAdamFields,
    ...layerwiseFields,
  },
  { name: 'LAMBConfig' },
);

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
    ...layerwiseFields,
  },
  { name: 'LARSConfig' },
);

/** SLIDE: layer-wise scaling for sparse layers. */
export const slideConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'SLIDE',
    ...layerwiseAdamFields,
    /** Where the decay is applied: `inner`, before the scaling, or `outer`, after it. */
    weight_decay_type: 'inner',
    ...layerwiseFields,
    /** Patterns of variable names that are treated as sparse layers; null: none. */
    include_in_sparse_layer_adaptation: field.list(field.string()).optional(),
    /** Learning rate of the sparse layers. */
    sparse_layer_learning_rate: field.float(0.1).min(0),
    /** Rescale gradients by their norm before the update. */
    do_gradient_rescaling: true,
    /** Norm that the scaling uses. */
    norm_type: 'layer',
    /** Upper bound of the scaling ratio. */
    ratio_clip_norm: field.float(1e5),
  },
  { name: 'SLIDEConfig' },
);
