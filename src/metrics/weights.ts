import * as tf from '#tf';
import { UsageError } from '../errors.js';

/** Values and weights whose shapes multiply, and how many values each weight stands for. */
export interface Aligned {
  readonly values: tf.Tensor;
  readonly weights: tf.Tensor;
  readonly valuesPerWeight: number;
}

/**
 * Brings values and weights into shapes that multiply: weights of lower rank weight rows, whose values are averaged; a last
 * dimension of 1 that the values lack is dropped; a single weight and dimensions of 1 are spread.
 *
 * @throws UsageError if the shapes do not fit.
 */
export function alignWeights(values: tf.Tensor, weights: tf.Tensor, metric: string): Aligned {
  let [v, w] = [values, toFloat(weights)];
  if (w.rank === v.rank + 1 && w.shape[w.rank - 1] === 1) w = tf.squeeze(w, [w.rank - 1]);
  if (w.rank > 0 && w.rank < v.rank) v = tf.mean(v, range(w.rank, v.rank));
  const fits = w.rank === 0 || (w.rank === v.rank && w.shape.every((size, i) => size === v.shape[i] || size === 1));
  if (!fits)
    throw new UsageError(
      `${metric}: sample weights of shape [${weights.shape}] do not fit values of shape [${values.shape}]. Expected one weight per example or per value.`,
    );
  return { values: v, weights: w, valuesPerWeight: v.size / w.size };
}

/** One weight per value, of the values' shape; weights of lower rank are those of rows, none are 1. @throws UsageError if the shapes do not fit. */
export function weightPerValue(values: tf.Tensor, weights: tf.Tensor | number | null | undefined, metric: string): tf.Tensor {
  if (weights === null || weights === undefined) return tf.ones(values.shape);
  let w = alignWeights(values, toFloat(weights), metric).weights;
  while (w.rank > 0 && w.rank < values.rank) w = tf.expandDims(w, -1);
  return tf.mul(tf.ones(values.shape), w);
}

/** A tensor, as float32. */
export function toFloat(x: tf.Tensor | number): tf.Tensor {
  if (typeof x === 'number') return tf.scalar(x);
  return x.dtype === 'float32' ? x : tf.cast(x, 'float32');
}

/** A tensor argument. @throws UsageError if it is missing. */
export function requireTensor(x: tf.Tensor | number | null | undefined, what: string, metric: string): tf.Tensor {
  if (x instanceof tf.Tensor) return x;
  if (typeof x === 'number') return tf.scalar(x);
  throw new UsageError(
    `${metric}.updateState needs ${what} as a tensor, but got ${String(x)}. Call updateState(labels, predictions, sampleWeight?).`,
  );
}

/** Labels and predictions as float32 of the same shape; a last dimension of 1 that only one has is dropped. */
export function sameShape(labels: tf.Tensor, predictions: tf.Tensor, metric: string): [tf.Tensor, tf.Tensor] {
  let [l, p] = [toFloat(labels), toFloat(predictions)];
  if (l.rank === p.rank + 1 && l.shape[l.rank - 1] === 1) l = tf.squeeze(l, [l.rank - 1]);
  if (p.rank === l.rank + 1 && p.shape[p.rank - 1] === 1) p = tf.squeeze(p, [p.rank - 1]);
  if (String(l.shape) === String(p.shape)) return [l, p];
  throw new UsageError(
    `${metric}: labels of shape [${labels.shape}] and predictions of shape [${predictions.shape}] must have the same shape.`,
  );
}

function range(start: number, end: number): number[] {
  return Array.from({ length: end - start }, (_, i) => start + i);
}
