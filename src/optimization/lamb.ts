import * as tf from '#tf';
import { adamDefaults, type AdamOptions, requireBetas, unbias } from './adam.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';
import { trustRatio } from './trust-ratio.js';
import { decayFilter, matcher } from './weight-decay.js';

/** Options of `LAMB`. */
export interface LAMBOptions extends Omit<AdamOptions, 'amsgrad'> {
  /** λ. Default 0. */
  weightDecayRate: number;
  /** Patterns of variables that do not decay; `matcher` says what is searched. Default none. */
  excludeFromWeightDecay: readonly string[] | null;
  /** Patterns of variables whose step is not scaled by the trust ratio. Default, also for an empty list: those that do not decay. */
  excludeFromLayerAdaptation: readonly string[] | null;
}

/** The scalars of one update: learning rate and the factors that undo the bias and the slots' scaling. */
interface LAMBStep {
  learningRate: tf.Scalar;
  m: tf.Scalar;
  v: tf.Scalar;
}

/**
 * LAMB (You et al., 2019): Adam with a step per layer in proportion to the layer's norm.
 *
 * m̂ = m/(1−β₁ᵗ), v̂ = v/(1−β₂ᵗ) with m, v as in Adam;  u = m̂/(√v̂ + ε), plus λ·θ where θ decays;
 * θ ← θ − η·(‖θ‖/‖u‖)·u. The ratio is 1 where a norm is 0 or the variable is not adapted.
 * Slots, scaled as in `Adam`: `scaled_m`, `scaled_v`.
 */
export class LAMB extends RuleOptimizer<LAMBStep> {
  constructor(options: Given<LAMBOptions> = {}) {
    const { amsgrad: _, ...adam } = adamDefaults('LAMB');
    const defaults = { ...adam, epsilon: 1e-6, weightDecayRate: 0, excludeFromWeightDecay: null, excludeFromLayerAdaptation: null };
    const o = readOptions<LAMBOptions>(options, defaults, 'LAMB');
    super({ ...composed(o, 'legacy'), rule: lambRule(o) });
  }
}

/** The update rule of `LAMB`. */
export function lambRule(o: LAMBOptions): UpdateRule<LAMBStep> {
  const { name, beta1, beta2, excludeFromWeightDecay: exclude, excludeFromLayerAdaptation: fixed } = o;
  requireBetas(o);
  const epsilon = requireNumber(o.epsilon, 'epsilon', name, 0) || 1e-7;
  const rate = requireNumber(o.weightDecayRate, 'weight_decay_rate', name);
  const decays = decayFilter({ exclude }, name);
  const isFixed = matcher(fixed?.length ? fixed : exclude, 'exclude_from_layer_adaptation', name);
  return {
    slots: () => ({ scaled_m: { fill: 0 }, scaled_v: { fill: 0 } }),
    step(learningRate, iterations) {
      const t = tf.add(tf.cast(iterations, 'float32'), 1) as tf.Scalar;
      return { learningRate, m: tf.mul(unbias(beta1, t), 1 - beta1), v: tf.mul(unbias(beta2, t), 1 - beta2) };
    },
    update(parameter, gradient, slots, step, path): Updated {
      const m = tf.add(tf.mul(slots.scaled_m!, beta1), gradient);
      const v = tf.add(tf.mul(slots.scaled_v!, beta2), tf.mul(gradient, gradient));
      let move = tf.div(tf.mul(m, step.m), tf.add(tf.sqrt(tf.mul(v, step.v)), epsilon));
      if (rate !== 0 && decays(path)) move = tf.add(move, tf.mul(parameter, rate));
      const size = isFixed(path) ? step.learningRate : tf.mul(step.learningRate, trustRatio(parameter, move));
      return { parameter: tf.sub(parameter, tf.mul(move, size)), slots: { scaled_m: m, scaled_v: v } };
    },
  };
}
