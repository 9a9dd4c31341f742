import * as tf from '#tf';
import { commonDefaults, type Family, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';

/** Options of `Adam`. */
export interface AdamOptions extends OptimizerOptions {
  /** β₁ in [0, 1). Default 0.9. */
  beta1: number;
  /** β₂ in [0, 1). Default 0.999. */
  beta2: number;
  /** ε, added to the root of the second moment without bias correction. Default 1e-7, also for 0. */
  epsilon: number;
  /** Whether to divide by the largest second moment so far. Default false. */
  amsgrad: boolean;
}

/** Defaults of `AdamOptions` under a class's name. */
export function adamDefaults(name: string): AdamOptions {
  return { ...commonDefaults(name), beta1: 0.9, beta2: 0.999, epsilon: 1e-7, amsgrad: false };
}

/**
 * Adam (Kingma and Ba, 2014), optionally AMSGrad.
 *
 * m ← β₁·m + (1−β₁)·g;  v ← β₂·v + (1−β₂)·g²;  θ ← θ − η·√(1−β₂ᵗ)/(1−β₁ᵗ) · m/(√v + ε).
 * The slots are scaled, which saves three array operations: `scaled_m` holds m/(1−β₁), `scaled_v` v/(1−β₂), and with
 * AMSGrad `scaled_v_max` the largest `scaled_v`.
 */
export class Adam extends RuleOptimizer {
  constructor(options: Given<AdamOptions> = {}, family: Family = 'legacy') {
    const o = readOptions(options, adamDefaults('Adam'), 'Adam');
    super({ ...composed(o, family), rule: adamRule(o) });
  }
}

/** The update rule of `Adam`. Ten array operations per variable. */
export function adamRule(options: AdamOptions): UpdateRule {
  const { name, beta1, beta2, epsilon, amsgrad } = options;
  requireBetas(options);
  const scale = (1 - beta1) / Math.sqrt(1 - beta2);
  const epsilonScaled = (requireNumber(epsilon, 'epsilon', name, 0) || 1e-7) / Math.sqrt(1 - beta2);
  return {
    slots: () => ({ scaled_m: { fill: 0 }, scaled_v: { fill: 0 }, ...(amsgrad && { scaled_v_max: { fill: 0 } }) }),
    step(learningRate, iterations) {
      const t = tf.add(tf.cast(iterations, 'float32'), 1) as tf.Scalar;
      const correction = tf.div(unbias(beta1, t), tf.sqrt(unbias(beta2, t)));
      return tf.mul(tf.mul(learningRate, scale), correction);
    },
    update(parameter, gradient, slots, stepSize): Updated {
      const m = tf.add(tf.mul(slots.scaled_m!, beta1), gradient);
      const v = tf.add(tf.mul(slots.scaled_v!, beta2), tf.mul(gradient, gradient));
      const bound = amsgrad ? tf.maximum(slots.scaled_v_max!, v) : v;
      const move = tf.div(tf.mul(m, stepSize), tf.add(tf.sqrt(bound), epsilonScaled));
      return {
        parameter: tf.sub(parameter, move),
        slots: amsgrad ? { scaled_m: m, scaled_v: v, scaled_v_max: bound } : { scaled_m: m, scaled_v: v },
      };
    },
  };
}

/** Checks that β₁ and β₂ are in [0, 1). @throws ConfigError if not. */
export function requireBetas({ name, beta1, beta2 }: Pick<AdamOptions, 'name' | 'beta1' | 'beta2'>): void {
  for (const [key, beta] of [
    ['beta_1', beta1],
    ['beta_2', beta2],
  ] as const)
    requireNumber(beta, key, name, 0, 1 - 2 ** -24);
}

/**
 * 1/(1 − βᵗ), which undoes the bias of an average that started at 0, for a float scalar t ≥ 1. Written as ½ + ½/tanh(−t·ln(β)/2),
 * which keeps float32's precision for all t, while 1 − βᵗ cancels as long as βᵗ is close to 1.
 */
export function unbias(beta: number, t: tf.Scalar): tf.Scalar {
  if (beta === 0) return tf.scalar(1);
  return tf.add(tf.div(0.5, tf.tanh(tf.mul(t, -Math.log(beta) / 2))), 0.5);
}
