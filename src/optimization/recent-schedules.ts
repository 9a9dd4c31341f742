import * as tf from '#tf';
import { ConfigError } from '../errors.js';
import { CheckedOptions, type Given, requireInteger } from './options.js';
import { float, int, type OffsetOptions, OffsetSchedule, plus } from './schedule.js';

/** Options of `OneCycle`. */
export interface OneCycleOptions extends OffsetOptions {
  /** L, the largest rate. Required. */
  maxLearningRate: number | null;
  /** T, length of the cycle in steps. Required, whole, at least 2. */
  totalSteps: number | null;
  /** Share of the steps in which the rate rises, in (0, 1). Default 0.3. */
  warmupFraction: number;
  /** The first rate is L divided by this. Default 25. */
  initialDivisor: number;
  /** The last rate is the first one divided by this. Default 10000. */
  finalDivisor: number;
}

/** Options of `InverseSqrt`. */
export interface InverseSqrtOptions extends OffsetOptions {
  /** L, the rate at the end of the rise. Required. */
  maxLearningRate: number | null;
  /** W, length of the rise in steps, from 0. Required, whole, at least 1. */
  warmupSteps: number | null;
}

/** Options of `WarmupStableDecay`. */
export interface WarmupStableDecayOptions extends OffsetOptions {
  /** L, the rate between rise and fall. Required. */
  maxLearningRate: number | null;
  /** W, length of the rise in steps, from 0. Default 0. */
  warmupSteps: number;
  /** S, number of steps at L after the rise. Required, whole. */
  stableSteps: number | null;
  /** D, length of the fall in steps. Required, whole, at least 1. */
  decaySteps: number | null;
  /** Rate at the end. Default 0. */
  endLearningRate: number;
  /** Form of the fall: `linear`, `cosine` or `sqrt` (1 − √ of the share done). Default `linear`. */
  decayShape: string;
}

/** A rise and a fall that meet at step `peak`; both are functions of whole numbers of steps, which float32 holds exactly enough. */
abstract class RiseAndFall extends OffsetSchedule {
  protected rateAt(clock: number): number {
    const s = Math.max(clock, 0);
    return s < this.peak ? this.riseAt(s) : this.fallAt(s);
  }

  protected rate(clock: tf.Scalar): tf.Scalar {
    const s = tf.maximum(clock, int(0)) as tf.Scalar;
    return tf.where(tf.less(s, int(this.peak)), this.rise(s), this.fall(s)) as tf.Scalar;
  }

  protected abstract readonly peak: number;
  /** The rate at s steps after the offset, before the peak and from it on: on the host, and in the graph. */
  protected abstract riseAt(s: number): number;
  protected abstract fallAt(s: number): number;
  protected abstract rise(s: tf.Scalar): tf.Scalar;
  protected abstract fall(s: tf.Scalar): tf.Scalar;
}

/** Steps that are left until `end`, at least 0, as float32. */
function left(s: tf.Scalar, end: number): tf.Scalar {
  return float(tf.maximum(tf.sub(int(end), s), int(0)) as tf.Scalar);
}

/**
 * One cycle (Smith and Topin, "Super-Convergence", 2018) of two half cosines: from L/initialDivisor up to L at step
 * P = round(warmupFraction·T), then down to L/(initialDivisor·finalDivisor) at step T, and so on from there.
 */
export class OneCycle extends RiseAndFall {
  protected readonly peak: number;
  private readonly max: number;
  private readonly total: number;
  private readonly first: number;
  private readonly last: number;

  constructor(options: Given<OneCycleOptions>) {
    const defaults = { maxLearningRate: null, totalSteps: null, warmupFraction: 0.3, initialDivisor: 25, finalDivisor: 1e4, offset: 0 };
    const o = new CheckedOptions<OneCycleOptions>(options, { name: 'OneCycle', ...defaults });
    super(o);
    this.max = o.number('maxLearningRate');
    this.total = o.integer('totalSteps', 2);
    const fraction = o.number('warmupFraction', 0, 1);
    this.peak = Math.min(Math.max(Math.round(fraction * this.total), 1), this.total - 1);
    this.first = this.max / o.number('initialDivisor', 1);
    this.last = this.first / o.number('finalDivisor', 1);
  }

  protected riseAt(s: number): number {
    return (this.max - this.first) * Math.sin((Math.PI / 2) * (s / this.peak)) ** 2 + this.first;
  }

  protected fallAt(s: number): number {
    const share = Math.max(this.total - s, 0) / (this.total - this.peak);
    return (this.max - this.last) * Math.sin((Math.PI / 2) * share) ** 2 + this.last;
  }

  protected rise(s: tf.Scalar): tf.Scalar {
    const wave = tf.square(tf.sin(tf.mul(float(s), Math.PI / 2 / this.peak)));
    return plus(tf.mul(wave, this.max - this.first), this.first);
  }

  protected fall(s: tf.Scalar): tf.Scalar {
    const wave = tf.square(tf.sin(tf.mul(left(s, this.total), Math.PI / 2 / (this.total - this.peak))));
    return plus(tf.mul(wave, this.max - this.last), this.last);
  }
}

/** L·s/W up to step W, then L·√(W/s) (Vaswani et al., "Attention Is All You Need", 2017, with the rate at the top as parameter). */
export class InverseSqrt extends RiseAndFall {
  protected readonly peak: number;
  private readonly max: number;

  constructor(options: Given<InverseSqrtOptions>) {
    const defaults = { name: 'InverseSqrt', maxLearningRate: null, warmupSteps: null, offset: 0 };
    const o = new CheckedOptions<InverseSqrtOptions>(options, defaults);
    super(o);
    this.max = o.number('maxLearningRate');
    this.peak = o.integer('warmupSteps', 1);
  }

  protected riseAt(s: number): number {
    return this.max * (s / this.peak);
  }

  protected fallAt(s: number): number {
    return this.max * Math.sqrt(this.peak / s);
  }

  protected rise(s: tf.Scalar): tf.Scalar {
    return tf.mul(float(s), this.max / this.peak);
  }

  protected fall(s: tf.Scalar): tf.Scalar {
    // At least 1: the graph computes both sides, and the one that is not taken must be a number.
    return tf.div(this.max * Math.sqrt(this.peak), tf.sqrt(float(tf.maximum(s, int(1)) as tf.Scalar)));
  }
}

/**
 * Warm-up, plateau, fall (Hu et al., "MiniCPM", 2024; `sqrt`: Hägele et al., "Scaling Laws Beyond Fixed Training Durations", 2024):
 * L·s/W up to step W; L up to step W + S; then E + (L − E)·f(x), where x is the share of the D steps of the fall that is left:
 * linear x, cosine sin²(πx/2), sqrt 1 − √(1 − x). E from there on.
 */
export class WarmupStableDecay extends RiseAndFall {
  protected readonly peak: number;
  private readonly max: number;
  private readonly end: number;
  private readonly total: number;
  private readonly decaySteps: number;
  private readonly shape: string;

  constructor(options: Given<WarmupStableDecayOptions>) {
    const o = new CheckedOptions<WarmupStableDecayOptions>(options, {
      name: 'WarmupStableDecay',
      maxLearningRate: null,
      warmupSteps: 0,
      stableSteps: null,
      decaySteps: null,
      endLearningRate: 0,
      decayShape: 'linear',
      offset: 0,
    });
    super(o);
    this.max = o.number('maxLearningRate');
    this.end = o.number('endLearningRate');
    this.peak = o.integer('warmupSteps', 0);
    this.decaySteps = o.integer('decaySteps', 1);
    this.total = requireInteger(
      this.peak + o.integer('stableSteps', 0) + this.decaySteps,
      'warmup_steps + stable_steps + decay_steps',
      o.name,
    );
    if (!['linear', 'cosine', 'sqrt'].includes(o.all.decayShape))
      throw new ConfigError(`${o.name}: decay_shape must be linear, cosine or sqrt, but is "${o.all.decayShape}".`, {
        path: 'decay_shape',
      });
    this.shape = o.all.decayShape;
  }

  protected riseAt(s: number): number {
    return this.max * (s / this.peak);
  }

  protected fallAt(s: number): number {
    const x = Math.min(Math.max(this.total - s, 0) / this.decaySteps, 1);
    const kept = this.shape === 'linear' ? x : this.shape === 'cosine' ? Math.sin((Math.PI / 2) * x) ** 2 : x / (1 + Math.sqrt(1 - x));
    return this.end + (this.max - this.end) * kept;
  }

  protected rise(s: tf.Scalar): tf.Scalar {
    return tf.mul(float(s), this.max / Math.max(this.peak, 1));
  }

  protected fall(s: tf.Scalar): tf.Scalar {
    const remaining = tf.minimum(tf.maximum(tf.sub(int(this.total), s), int(0)), int(this.decaySteps)) as tf.Scalar;
    const x = tf.mul(float(remaining), 1 / this.decaySteps) as tf.Scalar;
    let kept = x;
    if (this.shape === 'cosine') kept = tf.square(tf.sin(tf.mul(x, Math.PI / 2)));
    // x/(1 + √(1 − x)) is 1 − √(1 − x) without cancellation; the steps done are counted in int32 for the same reason.
    else if (this.shape === 'sqrt') {
      const done = tf.mul(float(tf.sub(int(this.decaySteps), remaining)), 1 / this.decaySteps);
      kept = tf.div(x, tf.add(tf.sqrt(done), 1));
    }
    return plus(tf.mul(kept, this.max - this.end), this.end);
  }
}
