import * as tf from '#tf';
import type { StateDict, StateTensor } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import { elementWeights } from './confusion.js';
import { Metric, named, type NameOr, ratio } from './metric.js';
import { requireTensor, sameShape, toFloat } from './weights.js';

/** Options of `AUC`. */
export interface AUCOptions {
  /** Number of evenly spaced thresholds. Default 200. */
  numThresholds?: number;
  /** Which curve: receiver operating characteristic or precision against recall. Default `ROC`. */
  curve?: 'ROC' | 'PR';
  /** `interpolation` (trapezoids; for PR the interpolation of Davis and Goadrich), `minoring` or `majoring`. Default `interpolation`. */
  summationMethod?: 'interpolation' | 'minoring' | 'majoring';
  /** Own thresholds in [0, 1] instead of evenly spaced ones; the two ends are added. */
  thresholds?: readonly number[] | null;
  /** Whether the last dimension holds independent labels, whose areas are averaged. Default false. */
  multiLabel?: boolean;
  /** Number of labels; otherwise taken from the first batch. */
  numLabels?: number | null;
  /** Weight of each label: in the average with `multiLabel`, otherwise of its elements. Default 1. */
  labelWeights?: readonly number[] | null;
  /** Whether predictions are logits. Default false: probabilities. */
  fromLogits?: boolean;
}

/** Area under the ROC or precision-recall curve, from counts at thresholds. */
export class AUC extends Metric {
  private readonly options: AUCOptions;
  private readonly thresholds: readonly number[];
  /** True and false positives per threshold and label. */
  private counts: { tp: tf.Variable; fp: tf.Variable; positives: tf.Variable; negatives: tf.Variable } | undefined;

  constructor(options: NameOr<AUCOptions> = {}) {
    const { name, options: rest } = named(options, 'auc');
    super(name);
    this.options = rest;
    this.thresholds = thresholdsOf(rest, name);
    oneOf(rest.curve, ['ROC', 'PR'], 'curve', name);
    oneOf(rest.summationMethod, ['interpolation', 'minoring', 'majoring'], 'summationMethod', name);
    if (!rest.multiLabel) this.build(1);
    else if (rest.numLabels) this.build(rest.numLabels);
  }

  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const [l, given] = sameShape(
        requireTensor(labels, 'labels', this.name),
        requireTensor(predictions, 'predictions', this.name),
        this.name,
      );
      const p = this.options.fromLogits ? tf.sigmoid(given) : given;
      const numLabels = this.options.multiLabel ? l.shape[l.rank - 1]! : 1;
      const counts = this.build(numLabels);
      let [positive, negative] = [l, tf.sub(1, l)];
      const weights = this.weights(l, sampleWeight);
      if (weights) [positive, negative] = [tf.mul(positive, weights), tf.mul(negative, weights)];
      const [pos, neg] = [tf.reshape(positive, [-1, numLabels]), tf.reshape(negative, [-1, numLabels])];
      const above = tf.cast(
        tf.greater(tf.reshape(p, [1, -1, numLabels]), tf.tensor([...this.thresholds], [this.thresholds.length, 1, 1])),
        'float32',
      );
      this.accumulate(counts.tp, tf.sum(tf.mul(above, pos), 1));
      this.accumulate(counts.fp, tf.sum(tf.mul(above, neg), 1));
      this.accumulate(counts.positives, tf.sum(pos, 0));
      this.accumulate(counts.negatives, tf.sum(neg, 0));
    });
  }

  result(): number {
    if (!this.counts) return 0;
    const { tp, fp, positives, negatives } = this.counts;
    const numLabels = positives.size;
    const [allTp, allFp, allPositives, allNegatives] = [tp.dataSync(), fp.dataSync(), positives.dataSync(), negatives.dataSync()];
    let [total, weightSum] = [0, 0];
    for (let label = 0; label < numLabels; label++) {
      const weight = this.options.multiLabel ? (this.options.labelWeights?.[label] ?? 1) : 1;
      const of = (all: ArrayLike<number>) => this.thresholds.map((_, i) => all[i * numLabels + label]!);
      total += weight * area(of(allTp), of(allFp), allPositives[label]!, allNegatives[label]!, this.options);
      weightSum += weight;
    }
    return ratio(total, weightSum);
  }

  override loadStateDict(state: StateDict): void {
    const numLabels = (state.positives as Partial<StateTensor> | undefined)?.shape?.[0];
    if (numLabels !== undefined && this.options.multiLabel) this.build(numLabels);
    super.loadStateDict(state);
  }

  private build(numLabels: number) {
    if (this.counts && this.counts.positives.size !== numLabels) {
      throw new UsageError(`AUC "${this.name}" counts ${this.counts.positives.size} labels, but a batch has ${numLabels}.`);
    }
    const { labelWeights, multiLabel } = this.options;
    if (multiLabel && labelWeights && labelWeights.length !== numLabels)
      throw new UsageError(`AUC "${this.name}": ${labelWeights.length} labelWeights for ${numLabels} labels.`);
    const shape = [this.thresholds.length, numLabels];
    return (this.counts ??= {
      tp: this.addState('true_positives', shape),
      fp: this.addState('false_positives', shape),
      positives: this.addState('positives', [numLabels]),
      negatives: this.addState('negatives', [numLabels]),
    });
  }

  private weights(labels: tf.Tensor, sampleWeight: tf.Tensor | number | null | undefined): tf.Tensor | null {
    const { multiLabel, labelWeights } = this.options;
    const own = sampleWeight === null || sampleWeight === undefined ? null : elementWeights(labels, toFloat(sampleWeight), this.name);
    if (multiLabel || !labelWeights) return own;
    return own ? tf.mul(own, tf.tensor1d([...labelWeights])) : tf.tensor1d([...labelWeights]);
  }
}

/** The area of one label's curve from counts at rising thresholds. */
function area(tp: number[], fp: number[], positives: number, negatives: number, options: AUCOptions): number {
  const { curve = 'ROC', summationMethod = 'interpolation' } = options;
  if (curve === 'PR' && summationMethod === 'interpolation') return interpolatedPrecisionRecall(tp, fp, positives);
  const recall = tp.map((x) => ratio(x, positives));
  const [xs, ys] = curve === 'ROC' ? [fp.map((x) => ratio(x, negatives)), recall] : [recall, tp.map((x, i) => ratio(x, x + fp[i]!))];
  const height = { interpolation: (a: number, b: number) => (a + b) / 2, minoring: Math.min, majoring: Math.max }[summationMethod];
  return xs.slice(1).reduce((sum, x, i) => sum + (xs[i]! - x) * height(ys[i]!, ys[i + 1]!), 0);
}

/**
 * Between two thresholds true positives grow linearly with predicted positives, tp = a + s·n (Davis and Goadrich, 2006), so
 * precision is s + a/n, and its integral over recall is s·(Δtp + a·ln(n₁/n₂)) / positives.
 */
function interpolatedPrecisionRecall(tp: number[], fp: number[], positives: number): number {
  const n = tp.map((x, i) => x + fp[i]!);
  let sum = 0;
  for (let i = 0; i + 1 < tp.length; i++) {
    const gained = tp[i]! - tp[i + 1]!;
    const slope = ratio(gained, Math.max(n[i]! - n[i + 1]!, 0));
    const intercept = tp[i + 1]! - slope * n[i + 1]!;
    const growth = n[i]! > 0 && n[i + 1]! > 0 ? Math.log(n[i]! / n[i + 1]!) : 0;
    sum += slope * (gained + intercept * growth);
  }
  return ratio(sum, positives);
}

function thresholdsOf({ thresholds, numThresholds = 200 }: AUCOptions, name: string): number[] {
  let inner: number[];
  if (thresholds) {
    if (thresholds.some((t) => !(t >= 0 && t <= 1)))
      throw new UsageError(`AUC "${name}": thresholds must be in [0, 1], but are [${thresholds.join(', ')}].`);
    inner = [...thresholds].sort((a, b) => a - b);
  } else {
    if (!Number.isInteger(numThresholds) || numThresholds < 2)
      throw new UsageError(`AUC "${name}": numThresholds must be a whole number above 1, but is ${numThresholds}.`);
    inner = Array.from({ length: numThresholds - 2 }, (_, i) => (i + 1) / (numThresholds - 1));
  }
  // The ends lie just outside, so that the first counts every prediction and the last none.
  return [-1e-7, ...inner, 1 + 1e-7];
}

function oneOf(value: string | undefined, known: readonly string[], option: string, name: string): void {
  if (value !== undefined && !known.includes(value))
    throw new UsageError(`AUC "${name}": ${option} must be one of ${known.join(', ')}, but is "${value}".`);
}
