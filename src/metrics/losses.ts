/**
 * Losses for `buildLosses` and training steps: masks, sample weights, label smoothing, and how values become one number. Plain tfjs
 * ops, for `compile` and eager use. Labels come first, as everywhere in this package.
 */
import * as tf from '#tf';
import { UsageError } from '../errors.js';
import * as values from './values.js';
import { toFloat, weightPerValue } from './weights.js';

/**
 * How the values of examples become one number, with weights w and a mask m of 0 and 1:
 * - `mean`: Σ m·w·l / Σ m, Keras's `sum_over_batch_size`; weights do not change what is divided by.
 * - `weighted_mean`: Σ m·w·l / Σ m·w.
 * - `sum`: Σ m·w·l.
 * - `none`: m·w·l for each value; take this only to reduce it yourself.
 *
 * A mean of nothing (all masked) is 0.
 */
export type Reduction = 'mean' | 'weighted_mean' | 'sum' | 'none';

/** Options of every loss. */
export interface LossOptions {
  /** Weights of the examples, or of the values. Default 1. */
  sampleWeight?: tf.Tensor | null;
  /** Values that count: true or not 0. Of the shape of the values, or of their rows. Default all. */
  mask?: tf.Tensor | null;
  /** How the values become one number. Default `mean`. */
  reduction?: Reduction | null;
}

/** Options of the cross-entropies. */
export interface CrossentropyLossOptions extends LossOptions {
  /** Whether predictions are logits rather than probabilities. Default false, as in Keras. */
  fromLogits?: boolean | null;
  /** How much of each label is spread evenly over the classes, in [0, 1]. Default 0. */
  labelSmoothing?: number | null;
}

/** Options of the cross-entropy of class numbers. */
export interface SparseCrossentropyLossOptions extends CrossentropyLossOptions {
  /** Labels of this number are masked, such as −1 for padding. Default none. */
  ignoreClass?: number | null;
}

/** Options of `huber`. */
export interface HuberLossOptions extends LossOptions {
  /** Errors up to this size are squared, larger ones grow linearly. Default 1. */
  delta?: number | null;
}

/** Options of `cosineSimilarity`. */
export interface CosineLossOptions extends LossOptions {
  /** The axis of the vectors. Default −1, the last. */
  axis?: number | null;
}

/** (y − ŷ)², averaged over the last dimension. @returns a scalar unless `reduction` is `none` */
export function meanSquaredError(labels: tf.Tensor, predictions: tf.Tensor, options: LossOptions = {}): tf.Scalar {
  return reduced(() => values.meanSquaredError(labels, predictions), options, 'meanSquaredError');
}

/** |y − ŷ|, averaged over the last dimension. @returns a scalar unless `reduction` is `none` */
export function meanAbsoluteError(labels: tf.Tensor, predictions: tf.Tensor, options: LossOptions = {}): tf.Scalar {
  return reduced(() => values.meanAbsoluteError(labels, predictions), options, 'meanAbsoluteError');
}

/** ½e² for errors e up to `delta`, then δ|e| − ½δ², averaged over the last dimension. @returns a scalar unless `reduction` is `none` */
export function huber(labels: tf.Tensor, predictions: tf.Tensor, options: HuberLossOptions = {}): tf.Scalar {
  const delta = options.delta ?? 1;
  if (!(delta > 0)) throw new UsageError(`huber: delta must be positive, but is ${delta}.`);
  return reduced(() => values.huber(labels, predictions, delta), options, 'huber');
}

/** ln cosh(ŷ − y), averaged over the last dimension. @returns a scalar unless `reduction` is `none` */
export function logCosh(labels: tf.Tensor, predictions: tf.Tensor, options: LossOptions = {}): tf.Scalar {
  return reduced(() => values.logCosh(labels, predictions), options, 'logCosh');
}

/** −cos of the angle between labels and predictions, in [−1, 1]; −1 is best. @returns a scalar unless `reduction` is `none` */
export function cosineSimilarity(labels: tf.Tensor, predictions: tf.Tensor, options: CosineLossOptions = {}): tf.Scalar {
  return reduced(() => tf.neg(values.cosineSimilarity(labels, predictions, options.axis ?? -1)), options, 'cosineSimilarity');
}

/**
 * −ln of the probability of the label. Labels: class numbers `[…]`; predictions: `[…, classes]`. With label smoothing s the label
 * counts 1 − s + s/classes, every other class s/classes. @returns a scalar unless `reduction` is `none`
 */
export function sparseCategoricalCrossentropy(
  labels: tf.Tensor,
  predictions: tf.Tensor,
  options: SparseCrossentropyLossOptions = {},
): tf.Scalar {
  const { fromLogits, ignoreClass } = options;
  const smoothing = smoothingOf(options, 'sparseCategoricalCrossentropy');
  const crossentropy = () => values.sparseCategoricalCrossentropy(labels, predictions, fromLogits ?? false, smoothing);
  return reduced(crossentropy, options, 'sparseCategoricalCrossentropy', (like) => {
    if (ignoreClass === null || ignoreClass === undefined) return null;
    return tf.reshape(tf.notEqual(toFloat(labels), ignoreClass), like.shape);
  });
}

/** −Σ y·ln ŷ over the classes. Labels (one-hot or probabilities) and predictions: `[…, classes]`. @returns a scalar unless `reduction` is `none` */
export function categoricalCrossentropy(labels: tf.Tensor, predictions: tf.Tensor, options: CrossentropyLossOptions = {}): tf.Scalar {
  const smoothing = smoothingOf(options, 'categoricalCrossentropy');
  const crossentropy = () => values.categoricalCrossentropy(labels, predictions, options.fromLogits ?? false, smoothing);
  return reduced(crossentropy, options, 'categoricalCrossentropy');
}

/**
 * −y·ln ŷ − (1 − y)·ln(1 − ŷ), averaged over the last dimension; label smoothing s moves y to y·(1 − s) + s/2.
 * @returns a scalar unless `reduction` is `none`
 */
export function binaryCrossentropy(labels: tf.Tensor, predictions: tf.Tensor, options: CrossentropyLossOptions = {}): tf.Scalar {
  const smoothing = smoothingOf(options, 'binaryCrossentropy');
  const crossentropy = () => values.binaryCrossentropy(labels, predictions, options.fromLogits ?? false, smoothing);
  return reduced(crossentropy, options, 'binaryCrossentropy');
}

function smoothingOf({ labelSmoothing }: CrossentropyLossOptions, where: string): number {
  const smoothing = labelSmoothing ?? 0;
  if (smoothing >= 0 && smoothing <= 1) return smoothing;
  throw new UsageError(`${where}: labelSmoothing must be in [0, 1], but is ${smoothing}.`);
}

/** One number of the values, by the options. `ownMask` gives a loss's own mask for the values. */
function reduced(
  compute: () => tf.Tensor,
  options: LossOptions,
  where: string,
  ownMask: (like: tf.Tensor) => tf.Tensor | null = () => null,
): tf.Scalar {
  const { sampleWeight, mask, reduction } = options;
  const kind = reduction ?? 'mean';
  if (!['mean', 'weighted_mean', 'sum', 'none'].includes(kind))
    throw new UsageError(`${where}: reduction must be mean, weighted_mean, sum or none, but is "${kind}".`);
  return tf.tidy(() => {
    const losses = compute();
    const masks = [mask && weightPerValue(losses, tf.notEqual(toFloat(mask), 0), `${where}, mask`), ownMask(losses)].flatMap((m) =>
      m ? [toFloat(m)] : [],
    );
    const counted = masks.length > 0 ? masks.reduce((a, b) => tf.mul(a, b)) : null;
    const weights = sampleWeight === null || sampleWeight === undefined ? null : weightPerValue(losses, sampleWeight, where);
    const factors = [...(counted ? [counted] : []), ...(weights ? [weights] : [])];
    const factor = factors.length > 0 ? factors.reduce((a, b) => tf.mul(a, b)) : null;
    // A masked value that is not a number stays out of the sum: 0 · NaN would not.
    const kept = counted ? tf.where(tf.greater(counted, 0), losses, tf.zerosLike(losses)) : losses;
    const weighted = factor ? tf.mul(kept, factor) : kept;
    if (kind === 'none') return weighted as tf.Scalar;
    const sum = tf.sum(weighted) as tf.Scalar;
    if (kind === 'sum') return sum;
    const divisor = kind === 'mean' ? counted : factor;
    if (!divisor) return tf.div(sum, Math.max(losses.size, 1)) as tf.Scalar;
    const total = tf.sum(divisor);
    return tf.div(sum, tf.where(tf.notEqual(total, 0), total, tf.onesLike(total))) as tf.Scalar; // divNoNan has no gradient
  });
}
