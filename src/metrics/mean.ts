import * as tf from '#tf';
import { Metric, named, type NameOr, ratio, read } from './metric.js';
import { alignWeights, requireTensor, toFloat } from './weights.js';

/** Totals of a weighted mean, Σ w·x and Σ w. */
abstract class WeightedMean extends Metric {
  private readonly total = this.addState('total');
  private readonly count = this.addState('count');

  /** Adds values of any shape and weights of the values or of their rows. Call inside `tf.tidy`. */
  protected add(values: tf.Tensor, weights: tf.Tensor | number | null | undefined): void {
    const x = toFloat(values);
    if (weights === null || weights === undefined) {
      this.accumulate(this.total, x.rank === 0 ? x : tf.sum(x));
      this.accumulate(this.count, x.size);
      return;
    }
    const aligned = alignWeights(x, toFloat(weights), this.name);
    this.accumulate(this.total, tf.sum(tf.mul(aligned.values, aligned.weights)));
    const count = tf.sum(aligned.weights);
    this.accumulate(this.count, aligned.valuesPerWeight === 1 ? count : tf.mul(count, aligned.valuesPerWeight));
  }

  result(): number {
    return ratio(read(this.total), read(this.count));
  }
}

/** Σ w·x / Σ w over all values; 0 when Σ w is 0. */
export class Mean extends WeightedMean {
  /** @param name key in logs; default `mean`. */
  constructor(name: NameOr<object> = 'mean') {
    super(named(name, 'mean').name);
  }

  /**
   * @param values numbers of any shape; a tensor or a number.
   * @param sampleWeight weights of the values, or of their rows. Default 1.
   */
  updateState(values: tf.Tensor | number, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => this.add(toFloat(values), sampleWeight));
  }
}

/** Σ w·x over all values. */
export class Sum extends Metric {
  private readonly total = this.addState('total');

  /** @param name key in logs; default `sum`. */
  constructor(name: NameOr<object> = 'sum') {
    super(named(name, 'sum').name);
  }

  /**
   * @param values numbers of any shape; a tensor or a number.
   * @param sampleWeight weights of the values, or of their rows. Default 1.
   */
  updateState(values: tf.Tensor | number, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      let x = toFloat(values);
      if (sampleWeight !== null && sampleWeight !== undefined) {
        const aligned = alignWeights(x, toFloat(sampleWeight), this.name);
        x = tf.mul(aligned.values, aligned.weights);
      }
      this.accumulate(this.total, tf.sum(x));
    });
  }

  result(): number {
    return read(this.total);
  }
}

/** A function of labels and predictions that gives one number per example, or per value. Traceable: plain tfjs ops. */
export type ValueFunction = (labels: tf.Tensor, predictions: tf.Tensor) => tf.Tensor;

/** The weighted mean of a function of labels and predictions. */
export class MeanMetricWrapper extends WeightedMean {
  private readonly fn: ValueFunction;

  /**
   * @param fn gives the values to average.
   * @param name key in logs.
   */
  constructor(fn: ValueFunction, name: string) {
    super(name);
    this.fn = fn;
  }

  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const values = this.fn(requireTensor(labels, 'labels', this.name), requireTensor(predictions, 'predictions', this.name));
      this.add(values, sampleWeight);
    });
  }
}
