/** Differential privacy as gradient transformers: limit the gradients of a batch, then add noise. */
import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { clipByGlobalNorm } from './gradients.js';
import type { GradientAndVariable, GradientTransformer } from './gradients.js';

/** The fields of a task's `differential_privacy_config`. */
export interface PrivacyOptions {
  /** Largest global L2 norm of the gradients of a batch. */
  readonly clipping_norm: number;
  /** Standard deviation of the noise as a multiple of `clipping_norm`; 0: none. */
  readonly noise_multiplier: number;
}

/** All gradients times c / max(n, c), where n is the L2 norm of all of them together and c is `norm`. */
export function clipL2Norm(pairs: readonly GradientAndVariable[], norm: number): readonly GradientAndVariable[] {
  return clipByGlobalNorm(norm)(pairs);
}

/**
 * Adds to every element an independent normal number of mean 0 and standard deviation `stddev`. The numbers are those of the
 * run's generator: the same seed and step give the same noise, compiled, eagerly and after a resume.
 */
export function addNoise(pairs: readonly GradientAndVariable[], stddev: number): readonly GradientAndVariable[] {
  return pairs.map(([g, v]) => [tf.add(g, tf.randomNormal(g.shape, 0, stddev)), v] as const);
}

/**
 * The transformers of a privacy config, in order: {@link clipL2Norm}, then {@link addNoise} with `clipping_norm` ·
 * `noise_multiplier`. They see the gradient of the whole batch, not those of its examples.
 * @throws ConfigError for a norm that is not positive, or a negative multiplier
 */
export function privacyTransformers({ clipping_norm: norm, noise_multiplier: multiplier }: PrivacyOptions): GradientTransformer[] {
  requireRange('clipping_norm', norm, norm > 0 && norm < Infinity, 'a positive number');
  requireRange('noise_multiplier', multiplier, multiplier >= 0 && multiplier < Infinity, 'a number that is not negative');
  const clip: GradientTransformer = (pairs) => clipL2Norm(pairs, norm);
  if (multiplier === 0) return [clip];
  return [clip, (pairs) => addNoise(pairs, norm * multiplier)];
}

function requireRange(field: string, value: number, holds: boolean, expected: string): void {
  if (holds) return;
  const path = `differential_privacy_config.${field}`;
  throw new ConfigError(`${path}: expected ${expected}, got ${value}.`, { path });
}
