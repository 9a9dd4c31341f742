import * as tf from '#tf';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';
import { trustRatio } from './trust-ratio.js';
import { decayFilter, matcher } from './weight-decay.js';

/** Options of `LARS`. */
export interface LARSOptions extends OptimizerOptions {
  /** μ. Default 0.9. */
  momentum: number;
  /** κ: factor of the trust ratio. Default 0.001. */
  eeta: number;
  /** λ, added to the gradient as λ·θ. Default 0. */
  weightDecayRate: number;
  /** Whether to look ahead along the momentum. Default false. */
  nesterov: boolean;
  /** Whether the learning rate and the ratio enter the momentum (true) or scale it (false). Default true. */
  classicMomentum: boolean;
  /** Patterns of variables that do not decay; `matcher` says what is searched. Default none. */
  excludeFromWeightDecay: readonly string[] | null;
  /** Patterns of variables whose step is not scaled by the trust ratio. Default, also for an empty list: those that do not decay. */
  excludeFromLayerAdaptation: readonly string[] | null;
}

/**
 * LARS (You, Gitman and Ginsburg, 2017): momentum with a step per layer in proportion to the layer's norm.
 *
 * g ← g + λ·θ where θ decays. Classic: q = κ‖θ‖/‖g‖, v ← μ·v + η·q·g, θ ← θ − v (Nesterov: θ ← θ − (μ·v + η·q·g)).
 * Otherwise: v ← μ·v + g, Δ = v (Nesterov: μ·v + g), q = κ‖θ‖/‖Δ‖, θ ← θ − q·η·Δ. q is 1 where a norm is 0 or the variable is not
 * adapted. Slot `momentum` holds v.
 */
export class LARS extends RuleOptimizer {
  constructor(options: Given<LARSOptions> = {}) {
    const defaults = {
      momentum: 0.9,
      eeta: 0.001,
      weightDecayRate: 0,
      nesterov: false,
      classicMomentum: true,
      excludeFromWeightDecay: null,
      excludeFromLayerAdaptation: null,
    };
    const o = readOptions<LARSOptions>(options, { ...commonDefaults('LARS', 0.01), ...defaults }, 'LARS');
    super({ ...composed(o, 'legacy'), rule: larsRule(o) });
  }
}

/** The update rule of `LARS`. */
export function larsRule(o: LARSOptions): UpdateRule {
  const { name, nesterov, classicMomentum, excludeFromWeightDecay: exclude, excludeFromLayerAdaptation: fixed } = o;
  const momentum = requireNumber(o.momentum, 'momentum', name, 0);
  const factor = requireNumber(o.eeta, 'eeta', name, 0);
  const rate = requireNumber(o.weightDecayRate, 'weight_decay_rate', name, 0);
  const decays = decayFilter({ exclude }, name);
  const isFixed = matcher(fixed?.length ? fixed : exclude, 'exclude_from_layer_adaptation', name);
  return {
    slots: () => ({ momentum: { fill: 0 } }),
    step: (learningRate) => learningRate,
    update(parameter, gradient, slots, learningRate, path): Updated {
      const adapted = (x: tf.Tensor) => (isFixed(path) ? learningRate : tf.mul(learningRate, trustRatio(parameter, x, factor)));
      const g = rate !== 0 && decays(path) ? tf.add(gradient, tf.mul(parameter, rate)) : gradient;
      const added = classicMomentum ? tf.mul(g, adapted(g)) : g;
      const velocity = tf.add(tf.mul(slots.momentum!, momentum), added);
      const ahead = nesterov ? tf.add(tf.mul(velocity, momentum), added) : velocity;
      const move = classicMomentum ? ahead : tf.mul(ahead, adapted(ahead));
      return { parameter: tf.sub(parameter, move), slots: { momentum: velocity } };
    },
  };
}
