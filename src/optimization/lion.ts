import * as tf from '#tf';
import { requireBetas } from './adam.js';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions } from './options.js';
import { noDecay, patternedDecay, type PatternedDecayOptions } from './weight-decay.js';

/** Options of `Lion`. */
export interface LionOptions extends OptimizerOptions, PatternedDecayOptions {
  /** β₁ in [0, 1): share of the average in the direction of a step. Default 0.9. */
  beta1: number;
  /** β₂ in [0, 1): share of the old average in the new one. Default 0.99. */
  beta2: number;
}

/**
 * Lion (Chen et al., "Symbolic Discovery of Optimization Algorithms", 2023): every element moves by the learning rate or not at
 * all. Rates are 3 to 10 times smaller than Adam's, weight decay as much greater.
 *
 * θ ← θ − η·λ·θ where θ decays;  θ ← θ − η·sign(β₁·m + (1−β₁)·g);  m ← β₂·m + (1−β₂)·g. Slot: `m`.
 */
export class Lion extends RuleOptimizer {
  constructor(options: Given<LionOptions> = {}) {
    const o = readOptions<LionOptions>(options, { ...commonDefaults('Lion', 1e-4), beta1: 0.9, beta2: 0.99, ...noDecay }, 'Lion');
    super({ ...composed(o, 'legacy'), rule: lionRule(o), weightDecay: patternedDecay(o) });
  }
}

/** The update rule of `Lion`. */
export function lionRule(o: LionOptions): UpdateRule {
  requireBetas(o);
  return {
    slots: () => ({ m: { fill: 0 } }),
    step: (learningRate) => learningRate,
    update(parameter, gradient, slots, learningRate): Updated {
      const difference = tf.sub(gradient, slots.m!);
      const direction = tf.sign(tf.add(slots.m!, tf.mul(difference, 1 - o.beta1)));
      const m = tf.add(slots.m!, tf.mul(difference, 1 - o.beta2));
      return { parameter: tf.sub(parameter, tf.mul(direction, learningRate)), slots: { m } };
    },
  };
}
