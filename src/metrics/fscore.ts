import * as tf from '#tf';
import type { StateDict, StateTensor } from '../checkpoint/index.js';
import { UsageError } from '../errors.js';
import { elementWeights } from './confusion.js';
import { Metric, named, type NameOr, ratio } from './metric.js';
import { requireTensor, sameShape, toFloat } from './weights.js';

/** Options of `F1Score`. */
export interface F1ScoreOptions {
  /** null: one score per class, read by `results()`. `micro`: from counts over all classes; `macro`: mean; `weighted`: by labels per class. Default null. */
  average?: 'micro' | 'macro' | 'weighted' | null;
  /** A prediction is positive if it is greater. Default null: the highest of the example is. */
  threshold?: number | null;
}

/** (1 + β²)·p·r/(β²·p + r) of precision p and recall r, per class or averaged. Labels and predictions: `[batch, classes]`. */
export class FBetaScore extends Metric {
  private readonly average: 'micro' | 'macro' | 'weighted' | null;
  private readonly threshold: number | null;
  private readonly betaSquared: number;
  /** Rows: true positives, predicted positives, positive labels, per class. Made at the first batch. */
  private counts: tf.Variable | undefined;

  constructor(options: NameOr<F1ScoreOptions & { beta?: number }> = {}, fallbackName = 'fbeta_score') {
    const {
      name,
      options: { average = null, threshold = null, beta = 1 },
    } = named(options, fallbackName);
    super(name);
    if (average !== null && !['micro', 'macro', 'weighted'].includes(average))
      throw new UsageError(`${name}: average must be micro, macro, weighted or null, but is "${average}".`);
    if (!(beta > 0)) throw new UsageError(`${name}: beta must be positive, but is ${beta}.`);
    if (threshold !== null && !(threshold > 0 && threshold <= 1))
      throw new UsageError(`${name}: threshold must be in (0, 1], but is ${threshold}.`);
    this.average = average;
    this.threshold = threshold;
    this.betaSquared = beta ** 2;
  }

  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const [l, p] = sameShape(requireTensor(labels, 'labels', this.name), requireTensor(predictions, 'predictions', this.name), this.name);
      if (p.rank !== 2)
        throw new UsageError(
          `${this.name}: labels and predictions must have shape [batch, classes], but have [${predictions ? p.shape : ''}].`,
        );
      const chosen =
        this.threshold === null
          ? tf.logicalAnd(tf.greaterEqual(p, tf.max(p, -1, true)), tf.greater(tf.abs(p), 1e-9))
          : tf.greater(p, this.threshold);
      const positive = tf.cast(chosen, 'float32');
      const parts = [tf.mul(l, positive), positive, l];
      const weights = sampleWeight === null || sampleWeight === undefined ? null : elementWeights(l, toFloat(sampleWeight), this.name);
      const sums = parts.map((x) => tf.sum(weights ? tf.mul(x, weights) : x, 0, true));
      this.accumulate(this.build(p.shape[1]!), tf.concat(sums, 0));
    });
  }

  /** The averaged score. @throws UsageError without `average` for several classes; `results()` gives theirs. */
  result(): number {
    const results = this.results();
    if (results.length <= 1) return results[0] ?? 0;
    throw new UsageError(
      `Metric "${this.name}" has one result per class. Read them with results(), or choose an average (micro, macro, weighted).`,
    );
  }

  /** The score of each class, or the averaged score alone. Empty before the first batch. */
  results(): number[] {
    if (!this.counts) return [];
    const classes = this.counts.shape[1]!;
    const data = this.counts.dataSync();
    const perClass = Array.from({ length: classes }, (_, c) => [data[c]!, data[classes + c]!, data[2 * classes + c]!] as const);
    const scores = perClass.map((counts) => this.score(...counts));
    if (this.average === null) return scores;
    if (this.average === 'macro') return [scores.reduce((a, b) => a + b, 0) / classes];
    const sum = (row: 0 | 1 | 2) => perClass.reduce((total, counts) => total + counts[row], 0);
    if (this.average === 'micro') return [this.score(sum(0), sum(1), sum(2))];
    return [
      ratio(
        scores.reduce((total, score, c) => total + score * perClass[c]![2], 0),
        sum(2),
      ),
    ];
  }

  override loadStateDict(state: StateDict): void {
    const classes = (state.counts as Partial<StateTensor> | undefined)?.shape?.[1];
    if (classes !== undefined) this.build(classes);
    super.loadStateDict(state);
  }

  private score(tp: number, predicted: number, actual: number): number {
    const [precision, recall] = [ratio(tp, predicted), ratio(tp, actual)];
    return ratio((1 + this.betaSquared) * precision * recall, this.betaSquared * precision + recall);
  }

  private build(classes: number): tf.Variable {
    if (this.counts && this.counts.shape[1] !== classes)
      throw new UsageError(`${this.name} counts ${this.counts.shape[1]} classes, but a batch has ${classes}.`);
    return (this.counts ??= this.addState('counts', [3, classes]));
  }
}

/** 2·p·r/(p + r) of precision p and recall r, per class or averaged. Labels and predictions: `[batch, classes]`. */
export class F1Score extends FBetaScore {
  /** @param options name in logs (default `f1_score`), average, threshold. */
  constructor(options: NameOr<F1ScoreOptions> = {}) {
    super(options, 'f1_score');
  }
}
