import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { sameShape, toFloat } from './weights.js';

/*
 * Numbers per example for the mean-like metrics. Where labels and predictions have a last dimension it is averaged; vectors
 * `[batch]` are one value per example.
 */

const EPSILON = 1e-7;

/** The mean of (y − ŷ)² over the last dimension. */
export function meanSquaredError(labels: tf.Tensor, predictions: tf.Tensor): tf.Tensor {
  return perRow(tf.square(difference(labels, predictions, 'MeanSquaredError')));
}

/** (y − ŷ)², element by element. */
export function squaredDifference(labels: tf.Tensor, predictions: tf.Tensor): tf.Tensor {
  return tf.square(difference(labels, predictions, 'RootMeanSquaredError'));
}

/** The mean of |y − ŷ| over the last dimension. */
export function meanAbsoluteError(labels: tf.Tensor, predictions: tf.Tensor): tf.Tensor {
  return perRow(tf.abs(difference(labels, predictions, 'MeanAbsoluteError')));
}

/** The mean of 100·|y − ŷ| / max(|y|, 1e-7) over the last dimension. */
export function meanAbsolutePercentageError(labels: tf.Tensor, predictions: tf.Tensor): tf.Tensor {
  const error = tf.abs(difference(labels, predictions, 'MeanAbsolutePercentageError'));
  return perRow(tf.mul(tf.div(error, tf.maximum(tf.abs(toFloat(labels)), EPSILON)), 100));
}

/** The mean of ln cosh(ŷ − y) over the last dimension; |e| + softplus(−2|e|) − ln 2, which cannot overflow. */
export function logCosh(labels: tf.Tensor, predictions: tf.Tensor): tf.Tensor {
  const size = tf.abs(difference(labels, predictions, 'LogCoshError'));
  const tail = tf.log(tf.add(tf.exp(tf.mul(size, -2)), 1));
  return perRow(tf.sub(tf.add(size, tail), Math.LN2));
}

/** The mean of ½e² for |e| ≤ δ, else δ|e| − ½δ², over the last dimension. */
export function huber(labels: tf.Tensor, predictions: tf.Tensor, delta = 1): tf.Tensor {
  const size = tf.abs(difference(labels, predictions, 'Huber'));
  const near = tf.minimum(size, delta);
  return perRow(tf.mul(near, tf.sub(size, tf.mul(near, 0.5))));
}

/** Σ of the products of y and ŷ, each divided by its norm along `axis`; 0 for a zero vector. */
export function cosineSimilarity(labels: tf.Tensor, predictions: tf.Tensor, axis = -1): tf.Tensor {
  const [l, p] = sameShape(labels, predictions, 'CosineSimilarity');
  const unit = (x: tf.Tensor) => tf.div(x, tf.sqrt(tf.maximum(tf.sum(tf.square(x), axis, true), 1e-12)));
  return tf.sum(tf.mul(unit(l), unit(p)), axis);
}

/**
 * −ln of the predicted probability of the label, with a share s of the label spread over all classes. Labels: class numbers;
 * predictions: `[…, classes]`.
 */
export function sparseCategoricalCrossentropy(
  labels: tf.Tensor,
  predictions: tf.Tensor,
  fromLogits = false,
  labelSmoothing = 0,
): tf.Tensor {
  const p = toFloat(predictions);
  const classes = p.shape[p.rank - 1]!;
  let l = labels.rank === p.rank && labels.shape[labels.rank - 1] === 1 ? tf.squeeze(labels, [-1]) : labels;
  if (String(l.shape) !== String(p.shape.slice(0, -1))) {
    throw new UsageError(
      `SparseCategoricalCrossentropy: labels of shape [${labels.shape}] do not fit predictions of shape [${predictions.shape}]; expected class numbers of shape [${p.shape.slice(0, -1)}].`,
    );
  }
  l = l.dtype === 'int32' ? l : tf.cast(l, 'int32');
  const own = tf.cast(tf.equal(tf.expandDims(l, -1), tf.tensor1d(Int32Array.from({ length: classes }, (_, i) => i))), 'float32');
  // Probabilities are normalised, as in the reference: softmax of their logarithm.
  const logits = fromLogits ? p : tf.log(tf.clipByValue(p, EPSILON, 1 - EPSILON));
  const smooth = labelSmoothing === 0 ? own : tf.add(tf.mul(own, 1 - labelSmoothing), labelSmoothing / classes);
  return tf.neg(tf.sum(tf.mul(smooth, tf.logSoftmax(logits)), -1));
}

/** −Σ y·ln ŷ over the classes, with y smoothed to y·(1 − s) + s/classes. */
export function categoricalCrossentropy(labels: tf.Tensor, predictions: tf.Tensor, fromLogits = false, labelSmoothing = 0): tf.Tensor {
  const [l, p] = sameShape(labels, predictions, 'CategoricalCrossentropy');
  const classes = p.shape[p.rank - 1]!;
  const smooth = labelSmoothing === 0 ? l : tf.add(tf.mul(l, 1 - labelSmoothing), labelSmoothing / classes);
  const logs = fromLogits ? tf.logSoftmax(p) : tf.log(tf.clipByValue(tf.div(p, tf.sum(p, -1, true)), EPSILON, 1 - EPSILON));
  return tf.neg(tf.sum(tf.mul(smooth, logs), -1));
}

/** The mean of −(y·ln ŷ + (1 − y)·ln(1 − ŷ)) over the last dimension, with y smoothed to y·(1 − s) + s/2. */
export function binaryCrossentropy(labels: tf.Tensor, predictions: tf.Tensor, fromLogits = false, labelSmoothing = 0): tf.Tensor {
  const [l, p] = sameShape(labels, predictions, 'BinaryCrossentropy');
  const y = labelSmoothing === 0 ? l : tf.add(tf.mul(l, 1 - labelSmoothing), labelSmoothing / 2);
  if (fromLogits) {
    // max(x, 0) − x·y + ln(1 + e^−|x|), which cannot overflow.
    const tail = tf.log(tf.add(tf.exp(tf.neg(tf.abs(p))), 1));
    return perRow(tf.add(tf.sub(tf.relu(p), tf.mul(p, y)), tail));
  }
  const clipped = tf.clipByValue(p, EPSILON, 1 - EPSILON);
  const positive = tf.mul(y, tf.log(tf.add(clipped, EPSILON)));
  const negative = tf.mul(tf.sub(1, y), tf.log(tf.add(tf.sub(1, clipped), EPSILON)));
  return perRow(tf.neg(tf.add(positive, negative)));
}

function difference(labels: tf.Tensor, predictions: tf.Tensor, metric: string): tf.Tensor {
  const [l, p] = sameShape(labels, predictions, metric);
  return tf.sub(p, l);
}

function perRow(x: tf.Tensor): tf.Tensor {
  return x.rank > 1 ? tf.mean(x, -1) : x;
}
