import * as tf from '#tf';
import { commonDefaults, type Family, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';

/** Options of `RMSprop`. */
export interface RMSpropOptions extends OptimizerOptions {
  /** ρ in [0, 1]: how slowly the mean square forgets. Default 0.9. */
  rho: number;
  /** μ in [0, 1]. Default 0. */
  momentum: number;
  /** ε. Default 1e-7, also for 0. */
  epsilon: number;
  /** Whether to divide by the standard deviation rather than the root mean square. Default false. */
  centered: boolean;
}

/**
 * RMSprop (Tieleman and Hinton, 2012).
 *
 * a ← ρ·a + (1−ρ)·g²;  centered: c ← ρ·c + (1−ρ)·g, a' = a − c², else a' = a.
 * With momentum v ← μ·v + η·g/√(a' + ε), θ ← θ − v; without θ ← θ − η·g/(√a' + ε) (new family: ε inside the root here too).
 * Legacy family with momentum: rows of an embedding that a batch does not look up stay as they are, with their slots.
 * Slots: `rms` holds a, `mean` c, `momentum` v.
 */
export class RMSprop extends RuleOptimizer {
  constructor(options: Given<RMSpropOptions> = {}, family: Family = 'legacy') {
    const defaults = { ...commonDefaults('RMSprop'), rho: 0.9, momentum: 0, epsilon: 1e-7, centered: false };
    const o = readOptions<RMSpropOptions>(options, defaults, 'RMSprop');
    super({ ...composed(o, family), rule: rmspropRule(o, family) });
  }
}

/** The update rule of `RMSprop`. */
export function rmspropRule(options: RMSpropOptions, family: Family): UpdateRule {
  const { name, centered } = options;
  const rho = requireNumber(options.rho, 'rho', name, 0, 1);
  const momentum = requireNumber(options.momentum, 'momentum', name, 0, 1);
  const epsilon = requireNumber(options.epsilon, 'epsilon', name, 0) || 1e-7;
  return {
    skipsUntouchedRows: family === 'legacy' && momentum > 0,
    slots: () => ({ rms: { fill: 0 }, ...(centered && { mean: { fill: 0 } }), ...(momentum > 0 && { momentum: { fill: 0 } }) }),
    step: (learningRate) => learningRate,
    update(parameter, gradient, slots, learningRate): Updated {
      const rms = average(slots.rms!, tf.mul(gradient, gradient), rho);
      const mean = centered ? average(slots.mean!, gradient, rho) : undefined;
      const square = mean ? tf.sub(rms, tf.mul(mean, mean)) : rms;
      const insideRoot = momentum > 0 || family === 'new';
      const root = insideRoot ? tf.sqrt(tf.add(square, epsilon)) : tf.add(tf.sqrt(square), epsilon);
      const descent = tf.div(tf.mul(gradient, learningRate), root);
      const move = momentum > 0 ? tf.add(tf.mul(slots.momentum!, momentum), descent) : descent;
      return { parameter: tf.sub(parameter, move), slots: { rms, ...(mean && { mean }), ...(momentum > 0 && { momentum: move }) } };
    },
  };
}

/** ρ·average + (1−ρ)·value. */
function average(old: tf.Tensor, value: tf.Tensor, rho: number): tf.Tensor {
  return tf.add(tf.mul(old, rho), tf.mul(value, 1 - rho));
}
