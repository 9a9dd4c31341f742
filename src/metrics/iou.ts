import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { Metric, named } from './metric.js';
import { requireTensor, toFloat } from './weights.js';

/** Options of `MeanIoU`. */
export interface MeanIoUOptions {
  /** Number of classes. Required. */
  numClasses: number;
  /** Labels of this class are left out. Default none. */
  ignoreClass?: number | null;
}

/** Options of `IoU`. */
export interface IoUOptions extends MeanIoUOptions {
  /** Classes whose values are averaged. Required. */
  targetClassIds: readonly number[];
}

/**
 * Intersection over union, tp / (tp + fp + fn) per class, averaged over the target classes that occur in labels or
 * predictions. Labels and predictions: class numbers of any shape.
 */
export class IoU extends Metric {
  private readonly numClasses: number;
  private readonly targets: readonly number[];
  private readonly ignoreClass: number | null;
  /** Weight of the elements with label (row) and prediction (column). */
  private readonly confusion: tf.Variable;

  /** @param options name in logs (default `io_u`), numClasses, targetClassIds, ignoreClass. */
  constructor(options: IoUOptions & { name?: string | null }, fallbackName = 'io_u') {
    const {
      name,
      options: { numClasses, targetClassIds = [], ignoreClass = null },
    } = named<IoUOptions>(options, fallbackName);
    super(name);
    if (!Number.isInteger(numClasses) || numClasses! < 2)
      throw new UsageError(`${name}: numClasses must be a whole number of at least 2, but is ${numClasses}.`);
    this.numClasses = numClasses!;
    if (targetClassIds.length === 0 || targetClassIds.some((c) => !(Number.isInteger(c) && c >= 0 && c < this.numClasses))) {
      throw new UsageError(
        `${name}: targetClassIds must name classes from 0 to ${this.numClasses - 1}, but are [${targetClassIds.join(', ')}].`,
      );
    }
    this.targets = targetClassIds;
    this.ignoreClass = ignoreClass;
    this.confusion = this.addState('confusion', [this.numClasses, this.numClasses]);
  }

  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const l = toFloat(requireTensor(labels, 'labels', this.name));
      const p = toFloat(requireTensor(predictions, 'predictions', this.name));
      if (l.size !== p.size)
        throw new UsageError(`${this.name}: labels of shape [${l.shape}] and predictions of shape [${p.shape}] must have the same shape.`);
      const classes = tf.tensor1d(Array.from({ length: this.numClasses }, (_, i) => i));
      const oneHot = (x: tf.Tensor) => tf.cast(tf.equal(tf.reshape(x, [-1, 1]), classes), 'float32') as tf.Tensor2D;
      let rows = oneHot(l);
      if (sampleWeight !== null && sampleWeight !== undefined) {
        const weights = toFloat(sampleWeight);
        if (weights.size !== 1 && weights.size !== l.size)
          throw new UsageError(`${this.name}: sample weights of shape [${weights.shape}] do not fit labels of shape [${l.shape}].`);
        rows = tf.mul(rows, tf.reshape(weights, [-1, 1]));
      }
      if (this.ignoreClass !== null) rows = tf.mul(rows, tf.cast(tf.notEqual(tf.reshape(l, [-1, 1]), this.ignoreClass), 'float32'));
      this.accumulate(this.confusion, tf.matMul(rows, oneHot(p), true, false));
    });
  }

  result(): number {
    const n = this.numClasses;
    const data = this.confusion.dataSync();
    const values: number[] = [];
    for (const c of this.targets) {
      let [row, col] = [0, 0];
      for (let i = 0; i < n; i++) {
        row += data[c * n + i]!;
        col += data[i * n + c]!;
      }
      const both = data[c * n + c]!;
      const union = row + col - both;
      if (union > 0) values.push(both / union);
    }
    return values.length === 0 ? 0 : values.reduce((a, b) => a + b, 0) / values.length;
  }
}

/** Intersection over union, averaged over all classes that occur in labels or predictions. */
export class MeanIoU extends IoU {
  /** @param options name in logs (default `mean_io_u`), numClasses, ignoreClass. */
  constructor(options: MeanIoUOptions & { name?: string | null }) {
    super({ ...options, targetClassIds: Array.from({ length: Number(options?.numClasses) || 0 }, (_, i) => i) }, 'mean_io_u');
  }
}
