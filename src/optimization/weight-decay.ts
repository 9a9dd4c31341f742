import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { requireNumber } from './options.js';

/** Decoupled weight decay: θ ← θ − η·λ·θ for the variables that decay. */
export interface WeightDecay {
  /** 1 − η·λ for this update; `learningRate` is the schedule's value. */
  keptFraction(learningRate: tf.Scalar): tf.Scalar;
  /** Whether the variable with this object path decays. */
  appliesTo(path: string): boolean;
}

/** Which variables decay. Patterns are regular expressions searched anywhere in the object path. */
export interface DecayPatterns {
  /** A variable that matches one of these decays, whatever `exclude` says. It does not restrict decay to these. */
  include?: readonly string[] | null;
  /** A variable that matches one of these, and none of `include`, does not decay. */
  exclude?: readonly string[] | null;
}

/** Weight decay with rate λ; undefined for λ = 0. */
export function weightDecay(rate: number, patterns: DecayPatterns, where: string): WeightDecay | undefined {
  const appliesTo = decayFilter(patterns, where);
  if (rate === 0) return undefined;
  return { keptFraction: (learningRate) => tf.sub(1, tf.mul(learningRate, rate)), appliesTo };
}

/** Options of optimizers whose weight decay goes by name patterns. */
export interface PatternedDecayOptions {
  /** λ. Default 0. */
  weightDecayRate: number;
  /** Patterns of variables that decay although they are excluded; see `matcher` for what is searched. Default none. */
  includeInWeightDecay: readonly string[] | null;
  /** Patterns of variables that do not decay. Default none. */
  excludeFromWeightDecay: readonly string[] | null;
}

/** The defaults of `PatternedDecayOptions`. */
export const noDecay: PatternedDecayOptions = { weightDecayRate: 0, includeInWeightDecay: null, excludeFromWeightDecay: null };

/** The weight decay that `PatternedDecayOptions` describe; undefined for λ = 0. */
export function patternedDecay(o: PatternedDecayOptions & { name: string }): WeightDecay | undefined {
  const rate = requireNumber(o.weightDecayRate, 'weight_decay_rate', o.name);
  return weightDecay(rate, { include: o.includeInWeightDecay, exclude: o.excludeFromWeightDecay }, o.name);
}

/** A function that tells whether a variable decays: included, or not excluded. */
export function decayFilter({ include, exclude }: DecayPatterns, where: string): (path: string) => boolean {
  const included = matcher(include, 'include_in_weight_decay', where);
  const excluded = matcher(exclude, 'exclude_from_weight_decay', where);
  return (path) => included(path) || !excluded(path);
}

/**
 * A function that tells whether any of the patterns is found in an object path. They are searched in `dense/kernel` and in
 * `dense/kernel:0`, TensorFlow's spelling, so that patterns of existing configs (`kernel:0$`) keep their meaning.
 *
 * @throws ConfigError if `patterns` is no list or one of them is no regular expression.
 */
export function matcher(patterns: readonly string[] | null | undefined, option: string, where: string): (path: string) => boolean {
  if (patterns === null || patterns === undefined) return () => false;
  if (!Array.isArray(patterns))
    throw new ConfigError(`${where}: ${option} must be a list of patterns: ["${String(patterns)}"].`, { path: option });
  const expressions = patterns.map((pattern) => {
    try {
      return new RegExp(pattern);
    } catch (cause) {
      throw new ConfigError(
        `${where}: "${pattern}" in ${option} is not a regular expression. Escape special characters with a backslash.`,
        { path: option, cause },
      );
    }
  });
  return (path) => expressions.some((e) => e.test(path) || e.test(`${path}:0`));
}
