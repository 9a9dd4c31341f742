/** Configuration of optimizers that Model Garden does not have. Defaults are their papers'. */
import { defineConfig, field } from '../config/index.js';
import { clipFields, decayFields, momentFields } from './shared-config.js';

/** Lion: every weight moves by the learning rate, in the direction of the momentum. */
export const lionConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Lion',
    /** Share of the running mean in the direction of a step; the rest is the gradient. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of gradients, per step. */
    beta_2: field.float(0.99),
    ...decayFields,
  },
  { name: 'LionConfig' },
);

/** Adamax: Adam by the largest recent gradient. */
export const adamaxConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Adamax',
    /** Decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Decay of the largest gradient, per step. */
    beta_2: field.float(0.999),
    /** Added to the largest gradient, against division by zero. */
    epsilon: field.float(1e-7),
  },
  { name: 'AdamaxConfig' },
);

/** Nadam: Adam with Nesterov's momentum. */
export const nadamConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Nadam',
    ...momentFields,
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    /** How fast the momentum grows from half of `beta_1` to `beta_1`. */
    momentum_decay: field.float(0.004),
  },
  { name: 'NadamConfig' },
);

/** Muon: orthogonalised momentum for matrices, Adam for the rest. */
export const muonConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'Muon',
    /** Decay of the running mean of the gradients of matrices, per step. */
    momentum: field.float(0.95),
    /** Use Nesterov's form of momentum. */
    nesterov: true,
    /** Iterations of the orthogonalisation. */
    newton_schulz_steps: field.int(5),
    /** Size of a matrix's step: as that of Adam (`match_adam`), or as first published (`original`), for rates of about 0.02. */
    scaling: field.choice(['match_adam', 'original'], 'match_adam'),
    /** Patterns of names of matrices that Adam updates, such as embeddings; null: none. */
    use_adam_for: field.list(field.string()).optional(),
    /** Adam: decay of the running mean of gradients, per step. */
    beta_1: field.float(0.9),
    /** Adam: decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Adam: added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    ...decayFields,
  },
  { name: 'MuonConfig' },
);

/** Schedule-free AdamW: averaged weights in place of a schedule. Use a constant rate, at most with a warm-up. */
export const scheduleFreeAdamWConfig = defineConfig(
  {
    ...clipFields,
    /** Name of the optimizer. */
    name: 'ScheduleFreeAdamW',
    /** Share of the averaged weights in those where gradients are taken. */
    beta_1: field.float(0.9),
    /** Decay of the running mean of squared gradients, per step. */
    beta_2: field.float(0.999),
    /** Added to the root of the squared mean, against division by zero. */
    epsilon: field.float(1e-7),
    ...decayFields,
  },
  { name: 'ScheduleFreeAdamWConfig' },
);
