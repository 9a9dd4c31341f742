import * as tf from '#tf';
import { rootMeanSquare } from './adafactor.js';
import { commonDefaults, type OptimizerOptions } from './common-options.js';
import { composed } from './compose.js';
import { RuleOptimizer, type Updated, type UpdateRule } from './optimizer.js';
import { type Given, readOptions, requireInteger, requireNumber } from './options.js';
import type { SlotSpec } from './state.js';
import { matcher } from './weight-decay.js';

/** Options of `PaperAdafactor`. */
export interface PaperAdafactorOptions extends OptimizerOptions {
  /** Whether to keep second moments of matrices as row and column means. Default true. */
  factored: boolean;
  /** Whether steps are in proportion to the root mean square of the variable. Default true. */
  multiplyByParameterScale: boolean;
  /** β₁ in [0, 1), decay of the running mean of updates; null keeps none. Default null. */
  beta1: number | null;
  /** Exponent c > 0 of β₂ₜ = 1 − t⁻ᶜ. Default 0.8. */
  decayRate: number;
  /** Number of updates that β₂'s clock is behind. Default 0. */
  stepOffset: number;
  /** d, root mean square at which an update is clipped. Default 1. */
  clippingThreshold: number;
  /** Second moments are factored where the last two dimensions are at least so large. Default 128. */
  minDimSizeToFactor: number;
  /** ε₁, added to squared gradients. Default 1e-30. */
  epsilon1: number;
  /** ε₂, the least root mean square of a variable that scales its step. Default 1e-3. */
  epsilon2: number;
  /** λ, share of a variable that an update takes off, whatever the learning rate is; null or 0: none. Default null. */
  weightDecay: number | null;
  /** Only variables whose object path has this pattern decay; null: all. Default null. */
  includeInWeightDecay: string | null;
}

/** The scalars of one update: η and 1 − β₂ₜ. */
interface Step {
  learningRate: tf.Scalar;
  renewal: tf.Scalar;
}

/**
 * Adafactor (Shazeer and Stern, "Adafactor: Adaptive Learning Rates with Sublinear Memory Cost", 2018), as the paper has it.
 *
 * q = g² + ε₁, β₂ₜ = 1 − max(t − stepOffset, 1)⁻ᶜ. Factored: r and c are averages, with β₂ₜ, of q's means over the last and the
 * second-last dimension, v = (r/mean(r)) ⊗ c; otherwise v is the average of q. u = g/√v, û = u/max(1, RMS(u)/d);
 * α = η·max(ε₂, RMS(θ)), or η without `multiplyByParameterScale`; m ← β₁·m + (1−β₁)·α·û, or m = α·û without β₁;
 * θ ← θ − m − λ·θ. Slots: `row` and `column`, or `v`; `m` with β₁.
 */
export class PaperAdafactor extends RuleOptimizer<Step> {
  constructor(options: Given<PaperAdafactorOptions> = {}) {
    const defaults: PaperAdafactorOptions = {
      ...commonDefaults('Adafactor'),
      factored: true,
      multiplyByParameterScale: true,
      beta1: null,
      decayRate: 0.8,
      stepOffset: 0,
      clippingThreshold: 1,
      minDimSizeToFactor: 128,
      epsilon1: 1e-30,
      epsilon2: 1e-3,
      weightDecay: null,
      includeInWeightDecay: null,
    };
    const o = readOptions(options, defaults, 'Adafactor');
    super({ ...composed(o, 'legacy'), rule: paperAdafactorRule(o) });
  }
}

/** The update rule of `PaperAdafactor`. */
export function paperAdafactorRule(o: PaperAdafactorOptions): UpdateRule<Step> {
  const { name, beta1 } = o;
  if (beta1 !== null) requireNumber(beta1, 'beta1', name, 0, 1 - 2 ** -24);
  const exponent = -requireNumber(o.decayRate, 'decay_rate', name, Number.MIN_VALUE);
  const offset = requireInteger(o.stepOffset, 'step_offset', name);
  const threshold = requireNumber(o.clippingThreshold, 'clipping_threshold', name, Number.MIN_VALUE);
  const leastDimension = requireNumber(o.minDimSizeToFactor, 'min_dim_size_to_factor', name, 1);
  const epsilon1 = requireNumber(o.epsilon1, 'epsilon1', name, 0);
  const epsilon2 = requireNumber(o.epsilon2, 'epsilon2', name, 0);
  const decay = requireNumber(o.weightDecay ?? 0, 'weight_decay', name);
  const decays = o.includeInWeightDecay === null ? () => true : matcher([o.includeInWeightDecay], 'include_in_weight_decay', name);
  const isFactored = (shape: readonly number[]) => o.factored && shape.length >= 2 && shape.slice(-2).every((n) => n >= leastDimension);
  return {
    slots(shape): Record<string, SlotSpec> {
      const mean: Record<string, SlotSpec> = beta1 === null ? {} : { m: { fill: 0 } };
      if (!isFactored(shape)) return { v: { fill: 0 }, ...mean };
      const column = [...shape.slice(0, -2), shape[shape.length - 1]!];
      return { row: { fill: 0, shape: shape.slice(0, -1) }, column: { fill: 0, shape: column }, ...mean };
    },
    step(learningRate, iterations) {
      const t = tf.cast(tf.maximum(tf.sub(iterations, tf.scalar(offset - 1, 'int32')), tf.scalar(1, 'int32')), 'float32');
      return { learningRate, renewal: tf.pow(t, exponent) as tf.Scalar };
    },
    update(parameter, gradient, slots, { learningRate, renewal }, path): Updated {
      const square = tf.add(tf.square(gradient), epsilon1);
      const renewed = (old: tf.Tensor, value: tf.Tensor) => tf.add(old, tf.mul(tf.sub(value, old), renewal));
      const next: Record<string, tf.Tensor> = {};
      let v: tf.Tensor;
      if (isFactored(parameter.shape)) {
        const row = (next.row = renewed(slots.row!, tf.mean(square, -1)));
        const column = (next.column = renewed(slots.column!, tf.mean(square, -2)));
        v = tf.mul(tf.expandDims(tf.div(row, tf.mean(row, -1, true)), -1), tf.expandDims(column, -2));
      } else v = next.v = renewed(slots.v!, square);
      const u = tf.div(gradient, tf.sqrt(v));
      const scale = o.multiplyByParameterScale ? tf.mul(learningRate, tf.maximum(rootMeanSquare(parameter), epsilon2)) : learningRate;
      let move = tf.mul(u, tf.div(scale, tf.maximum(tf.div(rootMeanSquare(u), threshold), 1)));
      if (beta1 !== null) move = next.m = tf.add(slots.m!, tf.mul(tf.sub(move, slots.m!), 1 - beta1));
      const start = decay !== 0 && decays(path) ? tf.mul(parameter, 1 - decay) : parameter;
      return { parameter: tf.sub(start, move), slots: next };
    },
  };
}
