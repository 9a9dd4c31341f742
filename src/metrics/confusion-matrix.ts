import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { Metric, ratio } from './metric.js';
import { requireTensor, toFloat, weightPerValue } from './weights.js';

/** Options of metrics over a confusion matrix. */
export interface ConfusionMatrixOptions {
  /** Key of the result in logs. */
  name?: string | null;
  /** Number of classes, at least 2. Default 2. */
  numClasses?: number | null;
}

/** Counts, weighted, of the pairs of true and predicted class; what a subclass makes of the matrix is its result. */
export abstract class ConfusionMatrixMetric extends Metric {
  private readonly numClasses: number;
  private readonly confusion: tf.Variable;

  constructor(name: string, { numClasses = 2 }: ConfusionMatrixOptions) {
    super(name);
    if (!Number.isInteger(numClasses) || numClasses! < 2)
      throw new UsageError(`${name}: numClasses must be a whole number of at least 2, but is ${numClasses}.`);
    this.numClasses = numClasses!;
    this.confusion = this.addState('confusion', [this.numClasses, this.numClasses]);
  }

  /** The result of a matrix with true classes as rows and predicted ones as columns. */
  protected abstract from(matrix: readonly (readonly number[])[]): number;

  /**
   * Adds a batch.
   *
   * @param labels class numbers. Others than 0 … classes − 1 are left out.
   * @param predictions class numbers of the labels' shape; or, with one dimension more, scores of the classes, of which the
   *   greatest counts.
   * @param sampleWeight weights of the labels, or of their rows. Default 1.
   */
  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const l = requireTensor(labels, 'labels', this.name);
      const p = requireTensor(predictions, 'predictions', this.name);
      const areScores = String(p.shape) === String([...l.shape, this.numClasses]);
      if (!areScores && String(p.shape) !== String(l.shape)) {
        throw new UsageError(
          `${this.name}: predictions of shape [${p.shape}] do not fit labels of shape [${l.shape}]; expected class numbers of that shape, or scores of shape [${[...l.shape, this.numClasses]}].`,
        );
      }
      const classes = tf.tensor1d(Array.from({ length: this.numClasses }, (_, i) => i));
      const oneHot = (x: tf.Tensor) => tf.cast(tf.equal(tf.reshape(toFloat(x), [-1, 1]), classes), 'float32') as tf.Tensor2D;
      let rows = oneHot(l);
      if (sampleWeight !== null && sampleWeight !== undefined) {
        rows = tf.mul(rows, tf.reshape(weightPerValue(toFloat(l), sampleWeight, this.name), [-1, 1]));
      }
      this.accumulate(this.confusion, tf.matMul(rows, oneHot(areScores ? tf.argMax(p, -1) : p), true, false));
    });
  }

  result(): number {
    return this.from(this.matrix());
  }

  /** The weighted counts: true classes as rows, predicted ones as columns. */
  matrix(): number[][] {
    const [n, data] = [this.numClasses, this.confusion.dataSync()];
    return Array.from({ length: n }, (_, i) => Array.from(data.subarray(i * n, (i + 1) * n)));
  }
}

/** The confusion matrix itself, by `matrix()`; its number in logs is the share of right predictions. */
export class ConfusionMatrix extends ConfusionMatrixMetric {
  /** @param options name in logs (default `confusion_matrix`), numClasses. */
  constructor({ name, ...options }: ConfusionMatrixOptions = {}) {
    super(name ?? 'confusion_matrix', options);
  }

  protected from(matrix: readonly (readonly number[])[]): number {
    const { all, right } = sums(matrix);
    return ratio(right, all);
  }
}

/** Sums that both coefficients use: all, right, per true class, per predicted class. */
function sums(matrix: readonly (readonly number[])[]) {
  const sum = (x: readonly number[]) => x.reduce((a, b) => a + b, 0);
  const truths = matrix.map(sum);
  const guesses = matrix.map((_, j) => sum(matrix.map((row) => row[j]!)));
  const dot = (a: readonly number[], b: readonly number[]) => sum(a.map((x, i) => x * b[i]!));
  return { all: sum(truths), right: sum(matrix.map((row, i) => row[i]!)), truths, guesses, dot };
}

/**
 * Matthews correlation coefficient, of two or more classes (Gorodkin, 2004), in [−1, 1]: with s weights in all, c of them right,
 * t true and p predicted per class, (c·s − t·p)/√((s² − p·p)(s² − t·t)). 0 where a root is 0.
 */
export class MatthewsCorrelation extends ConfusionMatrixMetric {
  /** @param options name in logs (default `matthews_correlation`), numClasses. */
  constructor({ name, ...options }: ConfusionMatrixOptions = {}) {
    super(name ?? 'matthews_correlation', options);
  }

  protected from(matrix: readonly (readonly number[])[]): number {
    const { all, right, truths, guesses, dot } = sums(matrix);
    const spread = (x: readonly number[]) => Math.max(all * all - dot(x, x), 0);
    return ratio(right * all - dot(truths, guesses), Math.sqrt(spread(guesses)) * Math.sqrt(spread(truths)));
  }
}

/**
 * Cohen's kappa (1960), in [−1, 1]: (pₒ − pₑ)/(1 − pₑ), with the share pₒ of right predictions and the share pₑ of those that would
 * be right by chance. 0 where 1 − pₑ is 0.
 */
export class CohenKappa extends ConfusionMatrixMetric {
  /** @param options name in logs (default `cohen_kappa`), numClasses. */
  constructor({ name, ...options }: ConfusionMatrixOptions = {}) {
    super(name ?? 'cohen_kappa', options);
  }

  protected from(matrix: readonly (readonly number[])[]): number {
    const { all, right, truths, guesses, dot } = sums(matrix);
    const chance = dot(truths, guesses);
    return ratio(right * all - chance, all * all - chance);
  }
}
