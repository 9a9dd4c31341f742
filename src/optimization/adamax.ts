import * as tf from '#tf';
import { requireBetas, unbias } from './adam.js';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';

/** Options of `Adamax`. */
export interface AdamaxOptions extends OptimizerOptions {
  /** β₁ in [0, 1). Default 0.9. */
  beta1: number;
  /** β₂ in [0, 1). Default 0.999. */
  beta2: number;
  /** ε, added to the largest gradient. Default 1e-7. */
  epsilon: number;
}

/**
 * Adamax (Kingma and Ba, "Adam: A Method for Stochastic Optimization", 2014, section 7.1): Adam with the largest recent gradient
 * in place of the root of the second moment.
 *
 * m ← β₁·m + (1−β₁)·g;  u ← max(β₂·u, |g|);  θ ← θ − η/(1−β₁ᵗ)·m/(u + ε). Slots: `m`, `u`.
 */
export class Adamax extends RuleOptimizer {
  constructor(options: Given<AdamaxOptions> = {}) {
    const defaults = { ...commonDefaults('Adamax'), beta1: 0.9, beta2: 0.999, epsilon: 1e-7 };
    const o = readOptions<AdamaxOptions>(options, defaults, 'Adamax');
    super({ ...composed(o, 'legacy'), rule: adamaxRule(o) });
  }
}

/** The update rule of `Adamax`. */
export function adamaxRule(o: AdamaxOptions): UpdateRule {
  requireBetas(o);
  const epsilon = requireNumber(o.epsilon, 'epsilon', o.name, Number.MIN_VALUE);
  return {
    slots: () => ({ m: { fill: 0 }, u: { fill: 0 } }),
    step(learningRate, iterations) {
      const t = tf.add(tf.cast(iterations, 'float32'), 1) as tf.Scalar;
      return tf.mul(learningRate, unbias(o.beta1, t));
    },
    update(parameter, gradient, slots, stepSize): Updated {
      const m = tf.add(slots.m!, tf.mul(tf.sub(gradient, slots.m!), 1 - o.beta1));
      const u = tf.maximum(tf.mul(slots.u!, o.beta2), tf.abs(gradient));
      const move = tf.div(tf.mul(m, stepSize), tf.add(u, epsilon));
      return { parameter: tf.sub(parameter, move), slots: { m, u } };
    },
  };
}
