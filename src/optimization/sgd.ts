import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { commonDefaults, type Family, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';
import type { SlotSpec } from './state.js';

/** Options of `SGD`. */
export interface SGDOptions extends OptimizerOptions {
  /** μ in [0, 1]. Default 0: plain gradient descent. */
  momentum: number;
  /** Whether to look ahead along the momentum. Default false. */
  nesterov: boolean;
  /** d > 0 divides the learning rate by 1 + d·iterations. Default 0. */
  decay: number;
}

/**
 * Stochastic gradient descent.
 *
 * v ← μ·v − η·g;  θ ← θ + v, with Nesterov momentum θ ← θ + μ·v − η·g;  without momentum θ ← θ − η·g.
 * Slot `momentum` holds v. Legacy family: rows of an embedding that a batch does not look up stay as they are, and so does their v.
 */
export class SGD extends RuleOptimizer {
  constructor(options: Given<SGDOptions> = {}, family: Family = 'legacy') {
    const o = readOptions<SGDOptions>(options, { ...commonDefaults('SGD', 0.01), momentum: 0, nesterov: false, decay: 0 }, 'SGD');
    const momentum = requireNumber(o.momentum, 'momentum', o.name, 0, 1);
    const decay = requireNumber(o.decay, 'decay', o.name, 0);
    if (family === 'new' && decay > 0)
      throw new ConfigError(`${o.name}: decay exists in the legacy family only. Use a learning-rate schedule.`, { path: 'decay' });
    super({ ...composed(o, family), decay, rule: sgdRule(momentum, o.nesterov, family) });
  }
}

/** The update rule of `SGD`. */
export function sgdRule(momentum: number, nesterov: boolean, family: Family = 'legacy'): UpdateRule {
  return {
    skipsUntouchedRows: family === 'legacy' && momentum > 0,
    slots: (): Record<string, SlotSpec> => (momentum > 0 ? { momentum: { fill: 0 } } : {}),
    step: (learningRate) => learningRate,
    update(parameter, gradient, slots, learningRate): Updated {
      const descent = tf.mul(gradient, learningRate);
      if (momentum === 0) return { parameter: tf.sub(parameter, descent), slots: {} };
      const velocity = tf.sub(tf.mul(slots.momentum!, momentum), descent);
      const move = nesterov ? tf.sub(tf.mul(velocity, momentum), descent) : velocity;
      return { parameter: tf.add(parameter, move), slots: { momentum: velocity } };
    },
  };
}
