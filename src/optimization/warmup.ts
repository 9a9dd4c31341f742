import * as tf from '#tf';
import { type Given, readOptions, requireInteger, requireNumber } from './options.js';
import { float, int, type LearningRate, learningRateAt, type LearningRateSchedule, plus, power } from './schedule.js';

/** Options of `LinearWarmup`. */
export interface LinearWarmupOptions {
  /** Name in messages. */
  name: string;
  /** Learning rate at step 0. Default 0. */
  warmupLearningRate: number;
  /** Length W of the ramp in steps; 0 means no warm-up. Required, whole. */
  warmupSteps: number | null;
}

/** Options of `PolynomialWarmup`. */
export interface PolynomialWarmupOptions {
  /** Name in messages. */
  name: string;
  /** Exponent of the ramp. Default 1. */
  power: number;
  /** Length W of the ramp in steps; 0 means no warm-up. Required, whole. */
  warmupSteps: number | null;
}

/** A ramp that ends at the main schedule's value at step W; from W on the main schedule, whose clock is not shifted. */
abstract class Warmup implements LearningRateSchedule {
  /** A(W), the rate at which the ramp ends. */
  protected readonly target: number;

  constructor(
    readonly name: string,
    private readonly after: LearningRate,
    protected readonly steps: number,
  ) {
    this.target = learningRateAt(after, steps);
  }

  /** The ramp at a step before W: on the host, and in the graph. */
  protected abstract rampAt(step: number): number;
  protected abstract ramp(step: tf.Scalar): tf.Scalar;

  valueAt(step: number): number {
    return step < this.steps ? this.rampAt(step) : learningRateAt(this.after, step);
  }

  at(step: tf.Scalar): tf.Scalar {
    return tf.tidy(() => {
      const after = typeof this.after === 'number' ? tf.scalar(this.after) : this.after.at(step);
      if (this.steps <= 0) return after;
      return tf.where(tf.less(step, int(this.steps)), this.ramp(step), after) as tf.Scalar;
    });
  }
}

/** w₀ + (step/W)·(A(W) − w₀) before step W, then the main schedule A. */
export class LinearWarmup extends Warmup {
  private readonly start: number;

  /** @param after the main schedule, or a constant rate. */
  constructor(after: LearningRate, options: Given<LinearWarmupOptions>) {
    const o = readOptions<LinearWarmupOptions>(options, { name: 'linear', warmupLearningRate: 0, warmupSteps: null }, 'linear warmup');
    super(o.name, after, requireInteger(o.warmupSteps, 'warmup_steps', `${o.name} warmup`));
    this.start = requireNumber(o.warmupLearningRate, 'warmup_learning_rate', `${o.name} warmup`);
  }

  protected rampAt(step: number): number {
    return this.start + (step / this.steps) * (this.target - this.start);
  }

  protected ramp(step: tf.Scalar): tf.Scalar {
    return plus(tf.mul(float(step), (this.target - this.start) / this.steps), this.start);
  }
}

/** A(W)·(max(step, 1)/W)^power before step W, then the main schedule A. The value at step 0 is the one at step 1. */
export class PolynomialWarmup extends Warmup {
  private readonly exponent: number;

  /** @param after the main schedule, or a constant rate. */
  constructor(after: LearningRate, options: Given<PolynomialWarmupOptions>) {
    const o = readOptions<PolynomialWarmupOptions>(options, { name: 'polynomial', power: 1, warmupSteps: null }, 'polynomial warmup');
    super(o.name, after, requireInteger(o.warmupSteps, 'warmup_steps', `${o.name} warmup`));
    this.exponent = requireNumber(o.power, 'power', `${o.name} warmup`);
  }

  protected rampAt(step: number): number {
    return this.target * (Math.max(step, 1) / this.steps) ** this.exponent;
  }

  protected ramp(step: tf.Scalar): tf.Scalar {
    const fraction = tf.div(float(tf.maximum(step, int(1)) as tf.Scalar), this.steps) as tf.Scalar;
    return tf.mul(power(fraction, this.exponent), this.target);
  }
}
