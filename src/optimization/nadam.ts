import * as tf from '#tf';
import { requireBetas, unbias } from './adam.js';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';

/** Options of `Nadam`. */
export interface NadamOptions extends OptimizerOptions {
  /** β₁ in [0, 1). Default 0.9. */
  beta1: number;
  /** β₂ in [0, 1). Default 0.999. */
  beta2: number;
  /** ε, added to the root of the unbiased second moment. Default 1e-7. */
  epsilon: number;
  /** ψ ≥ 0: how fast the momentum grows from β₁/2 to β₁. Default 0.004. */
  momentumDecay: number;
}

/** The scalars of one update: η, the momenta of this and of the next update, and 1/(1−β₂ᵗ). */
interface NadamStep {
  learningRate: tf.Scalar;
  momentum: tf.Scalar;
  nextMomentum: tf.Scalar;
  unbiasV: tf.Scalar;
}

/**
 * Nadam (Dozat, "Incorporating Nesterov Momentum into Adam", 2016): Adam that looks one step ahead.
 *
 * μₜ = β₁·(1 − ½·0.96^(t·ψ)), Pₜ = μ₁⋯μₜ;  m ← β₁·m + (1−β₁)·g;  v ← β₂·v + (1−β₂)·g²;
 * θ ← θ − η·[(1−μₜ)/(1−Pₜ)·g + μₜ₊₁/(1−Pₜ₊₁)·m] / (√(v/(1−β₂ᵗ)) + ε). Slots: `m`, `v`, and `momentum_product`, Pₜ, a scalar.
 */
export class Nadam extends RuleOptimizer<NadamStep> {
  constructor(options: Given<NadamOptions> = {}) {
    const defaults = { ...commonDefaults('Nadam'), beta1: 0.9, beta2: 0.999, epsilon: 1e-7, momentumDecay: 0.004 };
    const o = readOptions<NadamOptions>(options, defaults, 'Nadam');
    super({ ...composed(o, 'legacy'), rule: nadamRule(o) });
  }
}

/** The update rule of `Nadam`. */
export function nadamRule(o: NadamOptions): UpdateRule<NadamStep> {
  requireBetas(o);
  const { beta1, beta2 } = o;
  const epsilon = requireNumber(o.epsilon, 'epsilon', o.name, Number.MIN_VALUE);
  const speed = requireNumber(o.momentumDecay, 'momentum_decay', o.name, 0) * Math.log(0.96);
  const momentumAt = (t: tf.Tensor) => tf.mul(tf.sub(1, tf.mul(tf.exp(tf.mul(t, speed)), 0.5)), beta1) as tf.Scalar;
  return {
    slots: () => ({ m: { fill: 0 }, v: { fill: 0 }, momentum_product: { fill: 1, shape: [] } }),
    step(learningRate, iterations) {
      const t = tf.add(tf.cast(iterations, 'float32'), 1) as tf.Scalar;
      return { learningRate, momentum: momentumAt(t), nextMomentum: momentumAt(tf.add(t, 1)), unbiasV: unbias(beta2, t) };
    },
    update(parameter, gradient, slots, { learningRate, momentum, nextMomentum, unbiasV }): Updated {
      const m = tf.add(slots.m!, tf.mul(tf.sub(gradient, slots.m!), 1 - beta1));
      const v = tf.add(tf.mul(slots.v!, beta2), tf.mul(tf.square(gradient), 1 - beta2));
      const product = tf.mul(slots.momentum_product!, momentum);
      const ofGradient = tf.mul(learningRate, tf.div(tf.sub(1, momentum), tf.sub(1, product)));
      const ofMean = tf.mul(learningRate, tf.div(nextMomentum, tf.sub(1, tf.mul(product, nextMomentum))));
      const ahead = tf.add(tf.mul(gradient, ofGradient), tf.mul(m, ofMean));
      const move = tf.div(ahead, tf.add(tf.sqrt(tf.mul(v, unbiasV)), epsilon));
      return { parameter: tf.sub(parameter, move), slots: { m, v, momentum_product: product } };
    },
  };
}
