import { ConfigError, UsageError } from '../errors.js';
import { Adafactor } from './adafactor.js';
import { Adagrad } from './adagrad.js';
import { Adam } from './adam.js';
import { Adamax } from './adamax.js';
import { AdamW, AdamWeightDecay } from './adamw.js';
import type { OptimizerOptions } from './common-options.js';
import { camelKeys } from './config-keys.js';
import { LAMB } from './lamb.js';
import { LARS } from './lars.js';
import { Lion } from './lion.js';
import { Muon } from './muon.js';
import { Nadam } from './nadam.js';
import type { Optimizer } from './optimizer.js';
import { PaperAdafactor } from './paper-adafactor.js';
import { RMSprop } from './rmsprop.js';
import { ScheduleFreeAdamW } from './schedule-free.js';
import { SGD } from './sgd.js';

/** What the factory gives to every optimizer besides its config branch. */
export type CommonParts = Pick<OptimizerOptions, 'learningRate'> &
  Partial<Pick<OptimizerOptions, 'gradientAggregator' | 'gradientTransformers' | 'learningRateMultipliers'>>;

/** Makes an optimizer from the fields of its config branch, as the config has them, and what all optimizers share. */
export type OptimizerBuilder = (fields: Readonly<Record<string, unknown>>, common: CommonParts) => Optimizer;

/** Builds a class of this room from a branch whose fields are the class's options in snake_case. */
function of<F extends string>(optimizer: new (options: object, family?: F) => Optimizer, family?: F): OptimizerBuilder {
  return (fields, common) => new optimizer({ ...camelKeys(fields), ...common }, family);
}

const sgdNew: OptimizerBuilder = (fields, common) => {
  // The config branch `sgd` always has the field `decay`, which the new family refuses even at 0.
  if ('decay' in fields) {
    throw new ConfigError('decay exists in the legacy family only: remove it, use a learning-rate schedule, or use sgd_experimental.', {
      path: 'decay',
    });
  }
  return new SGD({ ...camelKeys(fields), ...common }, 'new');
};

/** Three fields of this branch are not in snake_case. */
const paperAdafactor: OptimizerBuilder = ({ beta1, epsilon1, epsilon2, ...fields }, common) =>
  new PaperAdafactor({ beta1, epsilon1, epsilon2, ...camelKeys(fields), ...common } as object);

/** `gradient_clip_norm: null` in a config means that nothing is clipped; an option that is null means the default. */
const adamWeightDecay: OptimizerBuilder = (fields, common) =>
  new AdamWeightDecay({ ...camelKeys(fields), ...(fields.gradient_clip_norm === null && { gradientClipNorm: 0 }), ...common });

const shared: Record<string, OptimizerBuilder> = {
  sgd_experimental: sgdNew,
  adam_experimental: of(Adam, 'new'),
  adamw: adamWeightDecay,
  adamw_experimental: (fields, common) => new AdamW({ globalClipnorm: 1, ...camelKeys(fields), ...common }),
  lamb: of(LAMB),
  lars: of(LARS),
  adafactor: paperAdafactor,
  lion: of(Lion),
  adamax: of(Adamax),
  nadam: of(Nadam),
  muon: of(Muon),
  schedule_free_adamw: of(ScheduleFreeAdamW),
  adafactor_keras: (fields, common) => new Adafactor({ ...camelKeys(fields), ...common }),
};

const legacy = new Map(Object.entries({ ...shared, sgd: of(SGD), adam: of(Adam), rmsprop: of(RMSprop), adagrad: of(Adagrad) }));

const current = new Map(
  Object.entries({ ...shared, sgd: sgdNew, adam: of(Adam, 'new'), rmsprop: of(RMSprop, 'new'), adagrad: of(Adagrad, 'new') }),
);

/** Types of the reference that have no implementation there either. */
const placeholders = ['slide'];

/**
 * Makes an optimizer type known to `OptimizerFactory`, for configs whose `optimizer` has a branch of that name.
 *
 * @param type name of the branch.
 * @param build makes the optimizer.
 * @param options.useLegacyOptimizer in which family the type is known. Default true.
 * @throws UsageError if the family already has the type.
 */
export function registerOptimizer(type: string, build: OptimizerBuilder, options: { useLegacyOptimizer?: boolean | null } = {}): void {
  const table = (options.useLegacyOptimizer ?? true) ? legacy : current;
  if (table.has(type) || placeholders.includes(type))
    throw new UsageError(`registerOptimizer: "${type}" is already registered. Choose another name.`);
  table.set(type, build);
}

/** All type names that a config may use. */
export function optimizerTypes(): string[] {
  return [...new Set([...legacy.keys(), ...current.keys(), ...placeholders])];
}

/** Builds an optimizer of a known type. @throws ConfigError if the family has no such type. */
export function buildRegistered(type: string, fields: object, common: CommonParts, useLegacy: boolean): Optimizer {
  const table = useLegacy ? legacy : current;
  const build = table.get(type);
  if (build) return build(fields as Readonly<Record<string, unknown>>, common);
  const why = placeholders.includes(type)
    ? `${type} is a placeholder without an implementation in the original, and not available here.`
    : `${type} belongs to the other optimizer family; set useLegacyOptimizer to ${!useLegacy}.`;
  throw new ConfigError(`${why} Available: ${[...table.keys()].join(', ')}.`, { path: 'type' });
}
