import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { Metric, named, type NameOr, ratio } from './metric.js';
import { requireTensor, sameShape, toFloat } from './weights.js';

/** Options of metrics that count predictions above thresholds. */
export interface ThresholdOptions {
  /** One threshold or several in [0, 1]; a prediction is positive if it is greater. Default 0.5, with `topK` none. */
  thresholds?: number | readonly number[] | null;
}

/** Options of `Precision` and `Recall`. */
export interface PrecisionRecallOptions extends ThresholdOptions {
  /** Only the k highest predictions of an example can be positive. Default all. */
  topK?: number | null;
  /** Only this class counts. Default all. */
  classId?: number | null;
}

/** True and false positives and negatives at one threshold, weighted. */
export interface Counts {
  /** True positives. */
  tp: number;
  /** False positives. */
  fp: number;
  /** True negatives. */
  tn: number;
  /** False negatives. */
  fn: number;
}

/** Counts true and false positives at thresholds; what a subclass makes of the counts is its result. */
export abstract class ThresholdMetric extends Metric {
  private readonly thresholds: readonly number[];
  private readonly topK: number | null;
  private readonly classId: number | null;
  /** Per threshold: true and false positives. */
  private readonly counts: tf.Variable;
  /** Labels that are positive, and negative. */
  private readonly totals: tf.Variable;

  constructor(name: string, { thresholds, topK, classId }: PrecisionRecallOptions) {
    super(name);
    this.topK = topK ?? null;
    this.classId = classId ?? null;
    for (const [key, value, min] of [
      ['topK', topK, 1],
      ['classId', classId, 0],
    ] as const) {
      if (value !== null && value !== undefined && !(Number.isInteger(value) && value >= min))
        throw new UsageError(`${name}: ${key} must be a whole number of at least ${min}, but is ${value}.`);
    }
    this.thresholds =
      thresholds === null || thresholds === undefined
        ? [this.topK === null ? 0.5 : -Infinity]
        : typeof thresholds === 'number'
          ? [thresholds]
          : [...thresholds];
    const wrong =
      thresholds !== null && thresholds !== undefined && (this.thresholds.length === 0 || this.thresholds.some((t) => !(t >= 0 && t <= 1)));
    if (wrong) throw new UsageError(`${name}: thresholds must be in [0, 1], but are [${this.thresholds.join(', ')}].`);
    this.counts = this.addState('counts', [this.thresholds.length, 2]);
    this.totals = this.addState('totals', [2]);
  }

  /** What the counts at one threshold mean. */
  protected abstract from(counts: Counts): number;

  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      let [l, p] = sameShape(requireTensor(labels, 'labels', this.name), requireTensor(predictions, 'predictions', this.name), this.name);
      if (this.topK !== null) p = keepTopK(p, this.topK, this.name);
      if (this.classId !== null) [l, p] = [column(l, this.classId, this.name), column(p, this.classId, this.name)];
      const sides = positivesAndNegatives(l, sampleWeight, this.name);
      const above = tf.cast(tf.greater(tf.reshape(p, [1, -1]), tf.tensor2d([...this.thresholds], [this.thresholds.length, 1])), 'float32');
      this.accumulate(this.counts, tf.matMul(above, sides));
      this.accumulate(this.totals, tf.sum(sides, 0));
    });
  }

  /** The result. @throws UsageError if there are several thresholds; `results()` gives their results. */
  result(): number {
    if (this.thresholds.length === 1) return this.results()[0]!;
    throw new UsageError(
      `Metric "${this.name}" has ${this.thresholds.length} thresholds and as many results. Read them with results(), or use one metric per threshold in logs.`,
    );
  }

  /** The result at each threshold, in order. */
  results(): number[] {
    const counts = this.counts.dataSync();
    const [positives, negatives] = this.totals.dataSync() as unknown as [number, number];
    return this.thresholds.map((_, i) => {
      const [tp, fp] = [counts[2 * i]!, counts[2 * i + 1]!];
      return this.from({ tp, fp, tn: negatives - fp, fn: positives - tp });
    });
  }
}

/** tp / (tp + fp): how many of the predicted positives are right. 0 if there are none. */
export class Precision extends ThresholdMetric {
  /** @param options name in logs (default `precision`), thresholds, topK, classId. */
  constructor(options: NameOr<PrecisionRecallOptions> = {}) {
    const { name, options: rest } = named(options, 'precision');
    super(name, rest);
  }

  protected from({ tp, fp }: Counts): number {
    return ratio(tp, tp + fp);
  }
}

/** tp / (tp + fn): how many of the positives are found. 0 if there are none. */
export class Recall extends ThresholdMetric {
  /** @param options name in logs (default `recall`), thresholds, topK, classId. */
  constructor(options: NameOr<PrecisionRecallOptions> = {}) {
    const { name, options: rest } = named(options, 'recall');
    super(name, rest);
  }

  protected from({ tp, fn }: Counts): number {
    return ratio(tp, tp + fn);
  }
}

/** Weighted number of true positives. */
export class TruePositives extends ThresholdMetric {
  /** @param options name in logs (default `true_positives`) and thresholds. */
  constructor(options: NameOr<ThresholdOptions> = {}) {
    const { name, options: rest } = named(options, 'true_positives');
    super(name, rest);
  }

  protected from({ tp }: Counts): number {
    return tp;
  }
}

/** Weighted number of false positives. */
export class FalsePositives extends ThresholdMetric {
  /** @param options name in logs (default `false_positives`) and thresholds. */
  constructor(options: NameOr<ThresholdOptions> = {}) {
    const { name, options: rest } = named(options, 'false_positives');
    super(name, rest);
  }

  protected from({ fp }: Counts): number {
    return fp;
  }
}

/** Weighted number of true negatives. */
export class TrueNegatives extends ThresholdMetric {
  /** @param options name in logs (default `true_negatives`) and thresholds. */
  constructor(options: NameOr<ThresholdOptions> = {}) {
    const { name, options: rest } = named(options, 'true_negatives');
    super(name, rest);
  }

  protected from({ tn }: Counts): number {
    return tn;
  }
}

/** Weighted number of false negatives. */
export class FalseNegatives extends ThresholdMetric {
  /** @param options name in logs (default `false_negatives`) and thresholds. */
  constructor(options: NameOr<ThresholdOptions> = {}) {
    const { name, options: rest } = named(options, 'false_negatives');
    super(name, rest);
  }

  protected from({ fn }: Counts): number {
    return fn;
  }
}

/** Columns [weight where the label is positive, weight where it is negative], one row per element. */
export function positivesAndNegatives(labels: tf.Tensor, sampleWeight: tf.Tensor | number | null | undefined, metric: string): tf.Tensor2D {
  let [positive, negative] = [labels, tf.sub(1, labels)];
  if (sampleWeight !== null && sampleWeight !== undefined) {
    const weights = elementWeights(labels, toFloat(sampleWeight), metric);
    [positive, negative] = [tf.mul(positive, weights), tf.mul(negative, weights)];
  }
  return tf.concat([tf.reshape(positive, [-1, 1]), tf.reshape(negative, [-1, 1])], 1) as tf.Tensor2D;
}

/** Weights in a shape that multiplies element by element: weights of lower rank weight rows. */
export function elementWeights(values: tf.Tensor, weights: tf.Tensor, metric: string): tf.Tensor {
  let w = weights;
  if (w.rank === values.rank + 1 && w.shape[w.rank - 1] === 1) w = tf.squeeze(w, [w.rank - 1]);
  if (w.rank > 0 && w.rank < values.rank) w = tf.reshape(w, [...w.shape, ...Array<number>(values.rank - w.rank).fill(1)]);
  if (w.rank === 0 || (w.rank === values.rank && w.shape.every((size, i) => size === values.shape[i] || size === 1))) return w;
  throw new UsageError(
    `${metric}: sample weights of shape [${weights.shape}] do not fit values of shape [${values.shape}]. Expected one weight per example or per value.`,
  );
}

/** Predictions that are not among the k highest of their example become −∞. */
function keepTopK(predictions: tf.Tensor, k: number, metric: string): tf.Tensor {
  const classes = predictions.shape[predictions.rank - 1] ?? 0;
  if (k > classes)
    throw new UsageError(`${metric}: topK is ${k}, but predictions of shape [${predictions.shape}] have ${classes} classes.`);
  const { indices } = tf.topk(predictions, k);
  const numbers = tf.tensor1d(Int32Array.from({ length: classes }, (_, i) => i));
  const kept = tf.any(tf.equal(tf.expandDims(indices, -1), numbers), -2);
  return tf.where(kept, predictions, tf.scalar(-Infinity));
}

function column(x: tf.Tensor, classId: number, metric: string): tf.Tensor {
  const classes = x.shape[x.rank - 1] ?? 0;
  if (classId >= classes) throw new UsageError(`${metric}: classId is ${classId}, but there are ${classes} classes (shape [${x.shape}]).`);
  const begin = x.shape.map((_, i) => (i === x.rank - 1 ? classId : 0));
  const size = x.shape.map((s, i) => (i === x.rank - 1 ? 1 : s));
  return tf.slice(x, begin, size);
}
