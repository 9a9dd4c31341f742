import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { requireBetas, unbias } from './adam.js';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';
import { decayFilter, noDecay, type PatternedDecayOptions } from './weight-decay.js';

/** Options of `ScheduleFreeAdamW`. */
export interface ScheduleFreeAdamWOptions extends OptimizerOptions, PatternedDecayOptions {
  /** β₁ in [0, 1): share of the average x in the point y where gradients are taken. Default 0.9. */
  beta1: number;
  /** β₂ in [0, 1). Default 0.999. */
  beta2: number;
  /** ε, added to the root of the unbiased second moment. Default 1e-7. */
  epsilon: number;
}

/** The scalars of one update: γ and 1/(1−β₂ᵗ). */
interface ScheduleFreeStep {
  rate: tf.Scalar;
  unbiasV: tf.Scalar;
}

/**
 * Schedule-free AdamW (Defazio et al., "The Road Less Scheduled", 2024): averaging of the weights takes the place of a schedule, so
 * the learning rate is a constant γ, at most with a warm-up.
 *
 * Gradients are taken at y = (1−β₁)·z + β₁·x, which the variables hold in training;  v ← β₂·v + (1−β₂)·g²;
 * u = g/(√(v/(1−β₂ᵗ)) + ε), plus λ·y where it decays;  z ← z − γ·u;  c = γ²/Σγ²;  x ← (1−c)·x + c·z.
 * The result of training is x: `swapWeights` exchanges y and x, as `ExponentialMovingAverage` does for its averages.
 * Slots: `v`, `difference` (z − y), `average` (x), and `weight_sum` (Σγ²), a scalar.
 */
export class ScheduleFreeAdamW extends RuleOptimizer<ScheduleFreeStep> {
  constructor(options: Given<ScheduleFreeAdamWOptions> = {}) {
    const defaults = { ...commonDefaults('ScheduleFreeAdamW', 0.0025), beta1: 0.9, beta2: 0.999, epsilon: 1e-7, ...noDecay };
    const o = readOptions<ScheduleFreeAdamWOptions>(options, defaults, 'ScheduleFreeAdamW');
    super({ ...composed(o, 'legacy'), rule: scheduleFreeRule(o) });
  }

  /** Whether the averages exist. */
  get hasShadowCopy(): boolean {
    return this.state.isBuilt;
  }

  /** Makes the slots of the trainable ones among `variables`; averages start as the variables are. Otherwise the first update does. */
  shadowCopy(variables: readonly tf.Variable[]): void {
    const fresh = variables.filter((v) => v.dtype === 'float32' && v.trainable && !this.state.of(v));
    this.build(fresh);
    if (this.iterations.dataSync()[0]! > 0) return; // a restored state
    for (const variable of fresh) tf.tidy(() => this.state.of(variable)!.average!.assign(tf.clone(variable)));
  }

  /** Exchanges the variables with their averages, bit for bit: the first call before an evaluation, the second before training goes on. */
  swapWeights(): void {
    if (!this.hasShadowCopy) throw new UsageError(`${this.name}: call shadowCopy(variables) or do an update before swapWeights().`);
    tf.tidy(() => {
      for (const [variable, { average }] of this.state.entries()) {
        const old = tf.clone(variable);
        variable.assign(average!);
        average!.assign(old);
      }
    });
  }
}

/** The update rule of `ScheduleFreeAdamW`, in y and d = z − y: y ← y + c·d − γ·(1 − β₁·(1−c))·u;  d ← (1−c)·(d − β₁·γ·u). */
export function scheduleFreeRule(o: ScheduleFreeAdamWOptions): UpdateRule<ScheduleFreeStep> {
  requireBetas(o);
  const { beta1, beta2 } = o;
  const epsilon = requireNumber(o.epsilon, 'epsilon', o.name, Number.MIN_VALUE);
  const decay = requireNumber(o.weightDecayRate, 'weight_decay_rate', o.name);
  const decays = decayFilter({ include: o.includeInWeightDecay, exclude: o.excludeFromWeightDecay }, o.name);
  return {
    slots: () => ({ v: { fill: 0 }, difference: { fill: 0 }, average: { fill: 0 }, weight_sum: { fill: 0, shape: [] } }),
    step(rate, iterations) {
      return { rate, unbiasV: unbias(beta2, tf.add(tf.cast(iterations, 'float32'), 1) as tf.Scalar) };
    },
    update(y, gradient, slots, { rate, unbiasV }, path): Updated {
      const v = tf.add(tf.mul(slots.v!, beta2), tf.mul(tf.square(gradient), 1 - beta2));
      let u = tf.div(gradient, tf.add(tf.sqrt(tf.mul(v, unbiasV)), epsilon));
      if (decay !== 0 && decays(path)) u = tf.add(u, tf.mul(y, decay));
      const sum = tf.add(slots.weight_sum!, tf.square(rate));
      // As long as all rates were 0, x = z: c = 1.
      const c = tf.where(tf.greater(sum, 0), tf.div(tf.square(rate), tf.maximum(sum, 1e-37)), 1);
      const kept = tf.sub(1, c);
      const move = tf.mul(u, rate);
      const z = tf.sub(tf.add(y, slots.difference!), move);
      return {
        parameter: tf.sub(tf.add(y, tf.mul(slots.difference!, c)), tf.mul(move, tf.sub(1, tf.mul(kept, beta1)))),
        slots: {
          v,
          difference: tf.mul(tf.sub(slots.difference!, tf.mul(move, beta1)), kept),
          average: tf.add(tf.mul(slots.average!, kept), tf.mul(z, c)),
          weight_sum: sum,
        },
      };
    },
  };
}
