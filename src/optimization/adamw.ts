import { adamDefaults, type AdamOptions, adamRule } from './adam.js';
import { composed } from './compose.js';
import { clipByGlobalNorm } from './gradients.js';
import { RuleOptimizer } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';
import { weightDecay } from './weight-decay.js';

/** Options of `AdamWeightDecay`. */
export interface AdamWeightDecayOptions extends AdamOptions {
  /** λ. Default 0. */
  weightDecayRate: number;
  /** Patterns of variables that decay although they are excluded; see `matcher` for what is searched. Default none. */
  includeInWeightDecay: readonly string[] | null;
  /** Patterns of variables that do not decay. Default none. */
  excludeFromWeightDecay: readonly string[] | null;
  /** Largest global norm of the gradients of one replica, before they are summed; 0 does not clip. Default 1. */
  gradientClipNorm: number;
}

/** Options of `AdamW`. */
export interface AdamWOptions extends AdamOptions {
  /** λ, for all variables. Default 0. */
  weightDecay: number;
}

/**
 * Adam with decoupled weight decay (Loshchilov and Hutter, 2017) by name patterns and clipping before the sum over replicas.
 *
 * g clipped to global norm `gradientClipNorm`;  θ ← θ − η·λ·θ where θ decays;  then as `Adam`, with the same slots.
 */
export class AdamWeightDecay extends RuleOptimizer {
  constructor(options: Given<AdamWeightDecayOptions> = {}) {
    const defaults = {
      ...adamDefaults('AdamWeightDecay'),
      weightDecayRate: 0,
      includeInWeightDecay: null,
      excludeFromWeightDecay: null,
      gradientClipNorm: 1,
    };
    const o = readOptions<AdamWeightDecayOptions>(options, defaults, 'AdamWeightDecay');
    const limit = requireNumber(o.gradientClipNorm, 'gradient_clip_norm', o.name);
    const rate = requireNumber(o.weightDecayRate, 'weight_decay_rate', o.name);
    super({
      ...composed(o, 'legacy'),
      rule: adamRule(o),
      // A caller that aggregates gradients itself clips them itself, too.
      beforeAggregation: limit > 0 && !o.gradientAggregator ? clipByGlobalNorm(limit) : undefined,
      weightDecay: weightDecay(rate, { include: o.includeInWeightDecay, exclude: o.excludeFromWeightDecay }, o.name),
    });
  }
}

/**
 * Adam with decoupled weight decay of all variables, from the new optimizer family: θ ← θ − η·λ·θ, then as `Adam`. Clips one
 * kind only. (A config's branch `adamw_experimental` clips to global norm 1 by default; the class does not clip by itself.)
 */
export class AdamW extends RuleOptimizer {
  constructor(options: Given<AdamWOptions> = {}) {
    const o = readOptions<AdamWOptions>(options, { ...adamDefaults('AdamWeightDecayExperimental'), weightDecay: 0 }, 'AdamW');
    const rate = requireNumber(o.weightDecay, 'weight_decay', o.name);
    super({ ...composed(o, 'new'), rule: adamRule(o), weightDecay: weightDecay(rate, {}, o.name) });
  }
}
