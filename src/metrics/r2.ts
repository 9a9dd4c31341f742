import * as tf from '#tf';
import { Metric, named, type NameOr, read } from './metric.js';
import { requireTensor, sameShape, weightPerValue } from './weights.js';

/**
 * R², the coefficient of determination, 1 − Σw(y − ŷ)²/Σw(y − ȳ)², over all elements; 1 for perfect predictions, 0 for the mean.
 * Labels that do not vary: 1 if all predictions are right, else 0. Means and squares are merged batch by batch (Chan et al., 1979),
 * so that labels far from 0 lose no precision.
 */
export class R2Score extends Metric {
  private readonly weight = this.addState('weight');
  private readonly mean = this.addState('mean');
  private readonly spread = this.addState('spread');
  private readonly residual = this.addState('residual');

  /** @param name key in logs; default `r2_score`. */
  constructor(name: NameOr<object> = {}) {
    super(named(name, 'r2_score').name);
  }

  /**
   * Adds a batch.
   *
   * @param labels numbers of any shape.
   * @param predictions numbers of the same shape.
   * @param sampleWeight weights of the rows or elements. Default 1.
   */
  updateState(labels: tf.Tensor | number, predictions?: tf.Tensor | number | null, sampleWeight?: tf.Tensor | number | null): void {
    tf.tidy(() => {
      const [y, p] = sameShape(requireTensor(labels, 'labels', this.name), requireTensor(predictions, 'predictions', this.name), this.name);
      const w = weightPerValue(y, sampleWeight, this.name);
      const added = tf.sum(w);
      const mean = tf.divNoNan(tf.sum(tf.mul(w, y)), added);
      const spread = tf.sum(tf.mul(w, tf.square(tf.sub(y, mean))));
      const total = tf.add(this.weight, added);
      const share = tf.divNoNan(added, total);
      const shift = tf.sub(mean, this.mean);
      const between = tf.mul(tf.mul(tf.square(shift), this.weight), share);
      const residual = tf.sum(tf.mul(w, tf.square(tf.sub(y, p))));
      this.accumulate(this.spread, tf.add(spread, between));
      this.accumulate(this.residual, residual);
      this.accumulate(this.mean, tf.mul(shift, share));
      this.weight.assign(total);
    });
  }

  result(): number {
    const [spread, residual] = [read(this.spread), read(this.residual)];
    if (read(this.weight) === 0) return 0;
    return spread === 0 ? (residual === 0 ? 1 : 0) : 1 - residual / spread;
  }
}
