import * as tf from '#tf';
import { UsageError } from '../errors.js';
import { Metric } from './metric.js';
import { requireTensor, toFloat, weightPerValue } from './weights.js';

/** Options of `ExpectedCalibrationError`. */
export interface ExpectedCalibrationErrorOptions {
  /** Key of the result in logs. Default `expected_calibration_error`. */
  name?: string | null;
  /** Number of equally wide bins of confidence. Default 15. */
  numBins?: number | null;
  /** Whether predictions are logits rather than probabilities. Default false. */
  fromLogits?: boolean | null;
}

/**
 * Expected calibration error (Naeini et al., 2015; Guo et al., 2017): Σ over bins (k/n, (k+1)/n] of confidence of
 * |Σ w·correct − Σ w·confidence| / Σ w. Confidence is the greatest probability of the classes.
 */
export class ExpectedCalibrationError extends Metric {
  private readonly numBins: number;
  private readonly fromLogits: boolean;
  /** Per bin: Σ w·(correct − confidence). */
  private readonly gaps: tf.Variable;
  private readonly weight: tf.Variable;

  /** @param options name in logs, numBins, fromLogits. */
  constructor(options: ExpectedCalibrationErrorOptions = {}) {
    super(options.name ?? 'expected_calibration_error');
    this.numBins = options.numBins ?? 15;
    if (!Number.isInteger(this.numBins) || this.numBins < 1)
      throw new UsageError(`${this.name}: numBins must be a whole number of at least 1, but is ${this.numBins}.`);
    this.fromLogits = options.fromLogits ?? false;
    this.gaps = this.addState('gaps', [this.numBins]);
    this.weight = this.addState('weight');
  }

  /**
   * Adds a batch.
   *
   * @param labels class numbers of shape `[…]`.
   * @param predictions probabilities, or logits, of shape `[…, classes]`; two or more classes.
   * @param sampleWeight weights of the labels, or of their rows. Default 1.
   */
  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const l = requireTensor(labels, 'labels', this.name);
      const given = toFloat(requireTensor(predictions, 'predictions', this.name));
      if (given.rank === 0 || String(given.shape.slice(0, -1)) !== String(l.shape) || given.shape[given.rank - 1]! < 2) {
        throw new UsageError(
          `${this.name}: predictions of shape [${given.shape}] do not fit labels of shape [${l.shape}]; expected class numbers of shape […] and probabilities of shape […, classes], with two or more classes.`,
        );
      }
      const p = this.fromLogits ? tf.softmax(given) : given;
      const confidence = tf.max(p, -1);
      const correct = tf.cast(tf.equal(toFloat(tf.argMax(p, -1)), toFloat(l)), 'float32');
      const w = weightPerValue(confidence, sampleWeight, this.name);
      const bin = tf.clipByValue(tf.sub(tf.ceil(tf.mul(confidence, this.numBins)), 1), 0, this.numBins - 1);
      const bins = tf.tensor1d(Array.from({ length: this.numBins }, (_, i) => i));
      const member = tf.cast(tf.equal(tf.reshape(bin, [-1, 1]), bins), 'float32') as tf.Tensor2D;
      const gap = tf.reshape(tf.mul(tf.sub(correct, confidence), w), [1, -1]) as tf.Tensor2D;
      this.accumulate(this.gaps, tf.reshape(tf.matMul(gap, member), [this.numBins]));
      this.accumulate(this.weight, tf.sum(w));
    });
  }

  result(): number {
    const total = this.weight.dataSync()[0]!;
    return total === 0 ? 0 : Array.from(this.gaps.dataSync() as Float32Array).reduce((sum, gap) => sum + Math.abs(gap), 0) / total;
  }
}
