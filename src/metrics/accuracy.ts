import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { MeanMetricWrapper } from './mean.js';
import { named, type NameOr } from './metric.js';
import { sameShape, toFloat } from './weights.js';

/** How often a prediction equals its label. */
export class Accuracy extends MeanMetricWrapper {
  /** Labels and predictions of the same shape, such as class numbers. @param name key in logs; default `accuracy`. */
  constructor(name: NameOr<object> = 'accuracy') {
    super((labels, predictions) => tf.equal(...sameShape(labels, predictions, 'Accuracy')), named(name, 'accuracy').name);
  }
}

/** How often the class with the highest prediction is the label. Of equal predictions the first counts. */
export class SparseCategoricalAccuracy extends MeanMetricWrapper {
  /** Labels: class numbers `[…]` or `[…, 1]`; predictions: scores `[…, classes]`. @param name key in logs; default `sparse_categorical_accuracy`. */
  constructor(name: NameOr<object> = 'sparse_categorical_accuracy') {
    super(
      (labels, predictions) => tf.equal(classNumbers(labels, predictions), tf.argMax(predictions, -1)),
      named(name, 'sparse_categorical_accuracy').name,
    );
  }
}

/** As `SparseCategoricalAccuracy`, for one-hot labels. */
export class CategoricalAccuracy extends MeanMetricWrapper {
  /** Labels and predictions: `[…, classes]`. @param name key in logs; default `categorical_accuracy`. */
  constructor(name: NameOr<object> = 'categorical_accuracy') {
    super((labels, predictions) => {
      const [l, p] = sameShape(labels, predictions, 'CategoricalAccuracy');
      return tf.equal(tf.argMax(l, -1), tf.argMax(p, -1));
    }, named(name, 'categorical_accuracy').name);
  }
}

/** How often a prediction is on the label's side of a threshold: prediction > threshold against labels 0 and 1. */
export class BinaryAccuracy extends MeanMetricWrapper {
  /** Labels and predictions of the same shape. @param options name in logs (default `binary_accuracy`) and threshold (default 0.5). */
  constructor(options: NameOr<{ threshold?: number }> = {}) {
    const {
      name,
      options: { threshold = 0.5 },
    } = named(options, 'binary_accuracy');
    if (!(threshold >= 0 && threshold <= 1)) throw new UsageError(`BinaryAccuracy: threshold must be in [0, 1], but is ${threshold}.`);
    super((labels, predictions) => {
      const [l, p] = sameShape(labels, predictions, 'BinaryAccuracy');
      return tf.equal(l, tf.cast(tf.greater(p, threshold), 'float32'));
    }, name);
  }
}

/** How often the label is among the k classes with the highest predictions. A label that ties with the k-th prediction counts. */
export class SparseTopKCategoricalAccuracy extends MeanMetricWrapper {
  /** Labels: class numbers `[…]` or `[…, 1]`; predictions: scores `[…, classes]`. @param options name in logs (default `sparse_top_k_categorical_accuracy`) and k (default 5). */
  constructor(options: NameOr<{ k?: number }> = {}) {
    const {
      name,
      options: { k = 5 },
    } = named(options, 'sparse_top_k_categorical_accuracy');
    requirePositive(k);
    super((labels, predictions) => inTopK(classNumbers(labels, predictions), toFloat(predictions), k), name);
  }
}

/** As `SparseTopKCategoricalAccuracy`, for one-hot labels. */
export class TopKCategoricalAccuracy extends MeanMetricWrapper {
  /** Labels and predictions: `[…, classes]`. @param options name in logs (default `top_k_categorical_accuracy`) and k (default 5). */
  constructor(options: NameOr<{ k?: number }> = {}) {
    const {
      name,
      options: { k = 5 },
    } = named(options, 'top_k_categorical_accuracy');
    requirePositive(k);
    super((labels, predictions) => {
      const [l, p] = sameShape(labels, predictions, 'TopKCategoricalAccuracy');
      return inTopK(tf.argMax(l, -1), p, k);
    }, name);
  }
}

/**
 * Whether each label is among the k highest scores: at least classes − k scores, besides its own, are not higher. Written so
 * that a label out of range or a score that is not a number is a miss.
 */
function inTopK(labels: tf.Tensor, scores: tf.Tensor, k: number): tf.Tensor {
  const classes = scores.shape[scores.rank - 1]!;
  const own = tf.equal(tf.expandDims(labels, -1), tf.tensor1d(Int32Array.from({ length: classes }, (_, i) => i)));
  const score = tf.max(tf.where(own, scores, tf.scalar(-Infinity)), -1, true);
  const notHigher = tf.sum(tf.cast(tf.lessEqual(scores, score), 'float32'), -1);
  const isFinite = tf.greater(tf.squeeze(score, [-1]), -Infinity);
  return tf.logicalAnd(tf.greaterEqual(notHigher, Math.max(classes - k + 1, 1)), isFinite);
}

/** Labels as int32 of the predictions' shape without the class dimension. */
function classNumbers(labels: tf.Tensor, predictions: tf.Tensor): tf.Tensor {
  let l = labels;
  if (l.rank === predictions.rank && l.shape[l.rank - 1] === 1) l = tf.squeeze(l, [l.rank - 1]);
  if (predictions.rank === 0 || String(l.shape) !== String(predictions.shape.slice(0, -1))) {
    throw new UsageError(
      `Labels of shape [${labels.shape}] do not fit predictions of shape [${predictions.shape}]: expected class numbers of shape [${predictions.shape.slice(0, -1)}]. ` +
        'For one-hot labels use the metric without "Sparse".',
    );
  }
  return l.dtype === 'int32' ? l : tf.cast(l, 'int32');
}

function requirePositive(k: number): void {
  if (!Number.isInteger(k) || k < 1) throw new UsageError(`Top-k accuracy: k must be a whole number of at least 1, but is ${k}.`);
}
