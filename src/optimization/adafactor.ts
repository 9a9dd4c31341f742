import * as tf from '#tf';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireNumber } from './options.js';
import type { SlotSpec } from './state.js';

/** Options of `Adafactor`. */
export interface AdafactorOptions extends OptimizerOptions {
  /** Exponent c of β₂ₜ = 1 − tᶜ; negative. Default −0.8. */
  beta2Decay: number;
  /** ε₁, added to squared gradients. Default 1e-30. */
  epsilon1: number;
  /** ε₂, the least root mean square of a variable that scales its step. Default 1e-3. */
  epsilon2: number;
  /** Root mean square at which an update is clipped. Default 1. */
  clipThreshold: number;
  /** Accepted as in the original, without effect: the rate is always limited to 1/√t. */
  relativeStep: boolean;
}

/** The scalars of one update. */
interface AdafactorStep {
  /** min(η, 1/√t). */
  rate: tf.Scalar;
  /** 1 − β₂ₜ = tᶜ. */
  renewal: tf.Scalar;
}

/**
 * Adafactor (Shazeer and Stern, 2018), in the form of Keras: the second moment of a matrix is kept as one number per row and
 * one per column.
 *
 * ρₜ = min(η, 1/√t), αₜ = max(ε₂, RMS(θ))·ρₜ, q = g² + ε₁. Two or more dimensions: r and c are averages, with β₂ₜ, of q's means
 * over the last and the second-last dimension, v = (r/mean(r)) ⊗ c; otherwise v is the average of q. u = g/√v;
 * θ ← θ − αₜ·u/max(1, RMS(u)/clipThreshold). Slots: `row` and `column`, or `v`.
 */
export class Adafactor extends RuleOptimizer<AdafactorStep> {
  constructor(options: Given<AdafactorOptions> = {}) {
    const defaults = { beta2Decay: -0.8, epsilon1: 1e-30, epsilon2: 1e-3, clipThreshold: 1, relativeStep: true };
    const o = readOptions<AdafactorOptions>(options, { ...commonDefaults('Adafactor'), ...defaults }, 'Adafactor');
    super({ ...composed(o, 'new'), rule: adafactorRule(o) });
  }
}

/** The update rule of `Adafactor`. */
export function adafactorRule(o: AdafactorOptions): UpdateRule<AdafactorStep> {
  const decay = requireNumber(o.beta2Decay, 'beta_2_decay', o.name, -Infinity, 0);
  const epsilon1 = requireNumber(o.epsilon1, 'epsilon_1', o.name, 0);
  const epsilon2 = requireNumber(o.epsilon2, 'epsilon_2', o.name, 0);
  const threshold = requireNumber(o.clipThreshold, 'clip_threshold', o.name, Number.MIN_VALUE);
  return {
    slots(shape): Record<string, SlotSpec> {
      if (shape.length < 2) return { v: { fill: 0 } };
      return { row: { fill: 0, shape: shape.slice(0, -1) }, column: { fill: 0, shape: [...shape.slice(0, -2), shape[shape.length - 1]!] } };
    },
    step(learningRate, iterations) {
      const t = tf.add(tf.cast(iterations, 'float32'), 1);
      return { rate: tf.minimum(learningRate, tf.div(1, tf.sqrt(t))), renewal: tf.pow(t, decay) };
    },
    update(parameter, gradient, slots, { rate, renewal }): Updated {
      const square = tf.add(tf.mul(gradient, gradient), epsilon1);
      const renewed = (old: tf.Tensor, value: tf.Tensor) => tf.add(old, tf.mul(tf.sub(value, old), renewal));
      const next: Record<string, tf.Tensor> = {};
      let v: tf.Tensor;
      if (parameter.rank < 2) {
        v = next.v = renewed(slots.v!, square);
      } else {
        const row = (next.row = renewed(slots.row!, tf.mean(square, -1)));
        const column = (next.column = renewed(slots.column!, tf.mean(square, -2)));
        v = tf.mul(tf.expandDims(tf.div(row, tf.mean(row, -1, true)), -1), tf.expandDims(column, -2));
      }
      const u = tf.div(gradient, tf.sqrt(v));
      const excess = tf.maximum(tf.div(rootMeanSquare(u), threshold), 1);
      const size = tf.div(tf.mul(tf.maximum(rootMeanSquare(parameter), epsilon2), rate), excess);
      return { parameter: tf.sub(parameter, tf.mul(u, size)), slots: next };
    },
  };
}

/** √mean(x²). */
export function rootMeanSquare(x: tf.Tensor): tf.Scalar {
  return tf.sqrt(tf.mean(tf.square(x)));
}
