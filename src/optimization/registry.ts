import { ConfigError, UsageError } from '../errors.js';
import { Adam } from './adam.js';
import { AdamW, AdamWeightDecay } from './adamw.js';
import type { OptimizerOptions } from './common-options.js';
import type { Optimizer } from './optimizer.js';
import type { Given } from './options.js';
import { RMSprop } from './rmsprop.js';
import { SGD } from './sgd.js';

/** Makes an optimizer from the fields of its config branch, in camelCase, and `learningRate`. */
export type OptimizerBuilder = (options: Given<OptimizerOptions> & Readonly<Record<string, unknown>>) => Optimizer;

const sgdNew: OptimizerBuilder = (options) => {
  // The config branch `sgd` always has the field `decay`, which the new family refuses even at 0.
  if ('decay' in options) {
    throw new ConfigError('decay exists in the legacy family only: remove it, use a learning-rate schedule, or use sgd_experimental.', { path: 'decay' });
  }
  return new SGD(options, 'new');
};

const shared: Record<string, OptimizerBuilder> = {
  sgd_experimental: sgdNew,
  adam_experimental: (options) => new Adam(options, 'new'),
  adamw_experimental: (options) => new AdamW('globalClipnorm' in options ? options : { ...options, globalClipnorm: 1 }),
};

const legacy = new Map<string, OptimizerBuilder>(
  Object.entries({
    ...shared,
    sgd: (options) => new SGD(options),
    adam: (options) => new Adam(options),
    adamw: (options) => new AdamWeightDecay(options),
    rmsprop: (options) => new RMSprop(options),
  } satisfies Record<string, OptimizerBuilder>),
);

const current = new Map<string, OptimizerBuilder>(
  Object.entries({
    ...shared,
    sgd: sgdNew,
    adam: (options) => new Adam(options, 'new'),
    adamw: (options) => new AdamWeightDecay(options),
    rmsprop: (options) => new RMSprop(options, 'new'),
  } satisfies Record<string, OptimizerBuilder>),
);

/** Types of the reference that have no implementation, with what to say. */
const unavailable: Record<string, string> = {
  slide: 'slide is a placeholder without an implementation, also in the original.',
  adafactor: 'adafactor is a placeholder without an implementation in the original.',
};

/**
 * Makes an optimizer type known to `OptimizerFactory`, for configs whose `optimizer` has a branch of that name.
 *
 * @param type name of the branch.
 * @param build makes the optimizer from the branch's fields, in camelCase, and `learningRate`.
 * @param options.useLegacyOptimizer in which family the type is known. Default true.
 * @throws UsageError if the type is already known.
 */
export function registerOptimizer(type: string, build: OptimizerBuilder, options: { useLegacyOptimizer?: boolean | null } = {}): void {
  const table = (options.useLegacyOptimizer ?? true) ? legacy : current;
  if (table.has(type)) throw new UsageError(`registerOptimizer: "${type}" is already registered. Choose another name.`);
  table.set(type, build);
}

/** All type names that a config may use. */
export function optimizerTypes(): string[] {
  return [...new Set([...legacy.keys(), ...current.keys(), ...Object.keys(unavailable)])];
}

/** Builds an optimizer of a known type. @throws ConfigError if the family has no such type. */
export function buildRegistered(type: string, options: Given<OptimizerOptions>, useLegacy: boolean): Optimizer {
  const build = (useLegacy ? legacy : current).get(type);
  if (build) return build(options as Parameters<OptimizerBuilder>[0]);
  const why = unavailable[type] ?? `${type} belongs to the other optimizer family; set useLegacyOptimizer to ${!useLegacy}.`;
  const known = [...(useLegacy ? legacy : current).keys()].join(', ');
  throw new ConfigError(`${why} Available: ${known}.`, { path: 'type' });
}
