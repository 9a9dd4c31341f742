import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { CheckedOptions, type Given } from './options.js';
import { type DecayOptions, float, int, OffsetSchedule, plus, power } from './schedule.js';

/** Options of `ExponentialDecay`. */
export interface ExponentialDecayOptions extends DecayOptions {
  /** Steps in which the rate falls by the factor `decayRate`. Required, whole, positive. */
  decaySteps: number | null;
  /** Factor per `decaySteps`. Required, positive. */
  decayRate: number | null;
  /** Whether the rate falls in steps rather than continuously. Default false. */
  staircase: boolean;
}

/** Options of `PolynomialDecay`. */
export interface PolynomialDecayOptions extends DecayOptions {
  /** Steps from the initial to the end rate. Required, whole, positive. */
  decaySteps: number | null;
  /** Rate that is reached. Default 0.0001. */
  endLearningRate: number;
  /** Exponent of the fraction that is left. Default 1 (linear). */
  power: number;
  /** Whether to start again, with a longer and longer decay, instead of staying at the end rate. Default false. */
  cycle: boolean;
}

/** Options of `CosineDecay`. */
export interface CosineDecayOptions extends DecayOptions {
  /** Steps from the initial to the last rate. Required, whole, positive. */
  decaySteps: number | null;
  /** Last rate as a fraction of the initial one. Default 0. */
  alpha: number;
}

/** L · rate^(s / D), with s = step − offset; the exponent rounded down when `staircase`. */
export class ExponentialDecay extends OffsetSchedule {
  private readonly initial: number;
  private readonly steps: number;
  private readonly logRate: number;
  private readonly staircase: boolean;

  constructor(options: Given<ExponentialDecayOptions>) {
    const o = new CheckedOptions<ExponentialDecayOptions>(options, {
      name: 'ExponentialDecay',
      initialLearningRate: null,
      decaySteps: null,
      decayRate: null,
      staircase: false,
      offset: 0,
    });
    super(o);
    this.initial = o.number('initialLearningRate');
    this.steps = o.integer('decaySteps', 1);
    const rate = o.number('decayRate', 0);
    if (rate === 0) throw new ConfigError(`${o.name}: decay_rate must be positive, but is 0.`, { path: 'decay_rate' });
    this.logRate = Math.log(rate);
    this.staircase = o.all.staircase;
  }

  protected rateAt(s: number): number {
    const periods = s / this.steps;
    return this.initial * Math.exp(this.logRate * (this.staircase ? Math.floor(periods) : periods));
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    // exp(x) is as exact as x is absolutely. The part of ln(rate) with 11 bits times whole periods is exact in float32;
    // what remains is small.
    const high = leadingBits(this.logRate);
    const periods = tf.floorDiv(s, int(this.steps)) as tf.Scalar;
    const whole = float(periods);
    const decayed = tf.mul(tf.exp(tf.mul(whole, high)), this.initial);
    let rest = tf.mul(whole, this.logRate - high);
    if (!this.staircase) {
      const remainder = float(tf.sub(s, tf.mul(periods, int(this.steps))));
      rest = tf.add(rest, tf.mul(remainder, this.logRate / this.steps));
    }
    return tf.mul(decayed, tf.exp(rest)) as tf.Scalar;
  }
}

/** `value` rounded to 11 significant bits. */
function leadingBits(value: number): number {
  if (value === 0) return 0;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(value))) - 10);
  return Math.round(value / unit) * unit;
}

/**
 * (L − E)·(1 − u/D)^power + E with u = min(s, D), s = step − offset. With `cycle`, D is replaced by D·⌈s/D⌉ (at least D) and
 * s is not limited.
 */
export class PolynomialDecay extends OffsetSchedule {
  private readonly initial: number;
  private readonly end: number;
  private readonly steps: number;
  private readonly exponent: number;
  private readonly cycle: boolean;

  constructor(options: Given<PolynomialDecayOptions>) {
    const o = new CheckedOptions<PolynomialDecayOptions>(options, {
      name: 'PolynomialDecay',
      initialLearningRate: null,
      decaySteps: null,
      endLearningRate: 0.0001,
      power: 1,
      cycle: false,
      offset: 0,
    });
    super(o);
    this.initial = o.number('initialLearningRate');
    this.end = o.number('endLearningRate');
    this.steps = o.integer('decaySteps', 1);
    this.exponent = o.number('power');
    this.cycle = o.all.cycle;
  }

  protected rateAt(s: number): number {
    const total = this.cycle ? this.steps * Math.max(1, Math.ceil(s / this.steps)) : this.steps;
    return (this.initial - this.end) * (Math.max(total - s, 0) / total) ** this.exponent + this.end;
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    let left: tf.Tensor;
    if (this.cycle) {
      const cycles = tf.maximum(tf.floorDiv(tf.add(s, int(this.steps - 1)), int(this.steps)), int(1));
      const total = tf.mul(cycles, int(this.steps));
      left = tf.div(tf.cast(tf.sub(total, s), 'float32'), tf.cast(total, 'float32'));
    } else {
      left = tf.div(tf.cast(tf.maximum(tf.sub(int(this.steps), s), int(0)), 'float32'), this.steps);
    }
    return plus(tf.mul(power(left as tf.Scalar, this.exponent), this.initial - this.end), this.end);
  }
}

/**
 * L·[(1 − α)·½(1 + cos(π u/D)) + α] with u = min(s, D), s = step − offset. Computed as sin²(π/2 · (D − u)/D), which equals
 * ½(1 + cos(π u/D)) and stays exact near the end.
 */
export class CosineDecay extends OffsetSchedule {
  private readonly initial: number;
  private readonly steps: number;
  private readonly alpha: number;

  constructor(options: Given<CosineDecayOptions>) {
    const o = new CheckedOptions<CosineDecayOptions>(options, {
      name: 'CosineDecay',
      initialLearningRate: null,
      decaySteps: null,
      alpha: 0,
      offset: 0,
    });
    super(o);
    this.initial = o.number('initialLearningRate');
    this.steps = o.integer('decaySteps', 1);
    this.alpha = o.number('alpha');
  }

  protected rateAt(s: number): number {
    const left = Math.max(this.steps - s, 0) / this.steps;
    return this.initial * ((1 - this.alpha) * Math.sin((Math.PI / 2) * left) ** 2 + this.alpha);
  }

  protected rate(s: tf.Scalar): tf.Scalar {
    const left = float(tf.maximum(tf.sub(int(this.steps), s), int(0)) as tf.Scalar);
    const wave = tf.square(tf.sin(tf.mul(left, Math.PI / 2 / this.steps)));
    return plus(tf.mul(wave, this.initial * (1 - this.alpha)), this.initial * this.alpha);
  }
}
