import * as tf from '#tf';
import { CheckedOptions, type Given } from './options.js';
import { type DecayOptions, float, int, type LearningRateSchedule, type OffsetOptions, OffsetSchedule, power } from './schedule.js';

/** Options of `DirectPowerDecay`. */
export interface DirectPowerDecayOptions extends Omit<DecayOptions, 'offset'> {
  /** Learning rate at step 1. Required. */
  initialLearningRate: number | null;
  /** Exponent of the step. Default 1 (a config's default is −0.5). */
  power: number;
}

/** Options of `PowerAndLinearDecay`. */
export interface PowerAndLinearDecayOptions extends DirectPowerDecayOptions, OffsetOptions {
  /** Step, after `offset`, at which the linear part reaches 0. Required, whole, positive. */
  totalDecaySteps: number | null;
  /** Fraction of `totalDecaySteps` at the end in which a linear decay to 0 is multiplied in. Default 0.1. */
  linearDecayFraction: number;
}

/** Options of `PowerDecayWithOffset`. */
export interface PowerDecayWithOffsetOptions extends DirectPowerDecayOptions {
  /** Up to and including this step the rate is `preOffsetLearningRate`. Default 0. */
  offset: number;
  /** Rate before the offset and upper limit after it. Default 1e6. */
  preOffsetLearningRate: number;
}

/** L · max(step, 1)^power. */
export class DirectPowerDecay implements LearningRateSchedule {
  readonly name: string;
  private readonly initial: number;
  private readonly exponent: number;

  constructor(options: Given<DirectPowerDecayOptions>) {
    const o = new CheckedOptions<DirectPowerDecayOptions>(options, { name: 'DirectPowerDecay', initialLearningRate: null, power: 1 });
    this.name = o.name;
    this.initial = o.number('initialLearningRate');
    this.exponent = o.number('power');
  }

  valueAt(step: number): number {
    return this.initial * Math.max(step, 1) ** this.exponent;
  }

  at(step: tf.Scalar): tf.Scalar {
    return tf.tidy(() => powerOf(step, this.initial, this.exponent));
  }
}

/** L · max(s, 1)^power · clamp((T − s)/(T·f), 0, 1) with s = step − offset, T = totalDecaySteps, f = linearDecayFraction (0: no linear part). */
export class PowerAndLinearDecay extends OffsetSchedule {
  private readonly initial: number;
  private readonly exponent: number;
  private readonly total: number;
  private readonly linearSteps: number;

  constructor(options: Given<PowerAndLinearDecayOptions>) {
    const o = new CheckedOptions<PowerAndLinearDecayOptions>(options, {
      name: 'PowerAndLinearDecay',
      initialLearningRate: null,
      power: 1,
      totalDecaySteps: null,
      linearDecayFraction: 0.1,
      offset: 0,
    });
    super(o);
    this.initial = o.number('initialLearningRate');
    this.exponent = o.number('power');
    this.total = o.integer('totalDecaySteps', 1);
    this.linearSteps = this.total * o.number('linearDecayFraction');
  }

  protected rateAt(s: number): number {
    const rate = this.initial * Math.max(s, 1) ** this.exponent;
    if (this.linearSteps <= 0) return rate;
    return rate * Math.min(1, Math.max(0, this.total - s) / this.linearSteps);
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    const rate = powerOf(s, this.initial, this.exponent);
    if (this.linearSteps <= 0) return rate;
    const left = float(tf.maximum(tf.sub(int(this.total), s), int(0)) as tf.Scalar);
    return tf.mul(rate, tf.minimum(tf.div(left, this.linearSteps), 1)) as tf.Scalar;
  }
}

/** P while step ≤ offset; then min(P, L · (step − offset)^power), with P = preOffsetLearningRate. */
export class PowerDecayWithOffset extends OffsetSchedule {
  private readonly initial: number;
  private readonly exponent: number;
  private readonly before: number;

  constructor(options: Given<PowerDecayWithOffsetOptions>) {
    const o = new CheckedOptions<PowerDecayWithOffsetOptions>(options, {
      name: 'PowerDecayWithOffset',
      initialLearningRate: null,
      power: 1,
      offset: 0,
      preOffsetLearningRate: 1e6,
    });
    super(o);
    this.initial = o.number('initialLearningRate');
    this.exponent = o.number('power');
    this.before = o.number('preOffsetLearningRate');
  }

  protected rateAt(s: number): number {
    return s <= 0 ? this.before : Math.min(this.before, this.initial * Math.max(s, 1) ** this.exponent);
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    const after = tf.minimum(powerOf(s, this.initial, this.exponent), this.before);
    return tf.where(tf.lessEqual(s, int(0)), tf.scalar(this.before), after) as tf.Scalar;
  }
}

/** initial · max(s, 1)^exponent for an int32 scalar. */
function powerOf(s: tf.Scalar, initial: number, exponent: number): tf.Scalar {
  return tf.mul(power(float(tf.maximum(s, int(1)) as tf.Scalar), exponent), initial);
}
