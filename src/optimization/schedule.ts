import * as tf from '#tf';
import type { CheckedOptions } from './options.js';

/**
 * A learning rate as a function of the step. Both forms give the same number to 1e-6 relative, at any step up to 2³¹−1:
 * differences of steps are taken in int32 (float32 cannot tell steps apart above 2²⁴), and forms are chosen that do not cancel.
 */
export interface LearningRateSchedule {
  /** Name from the config branch, for messages. */
  readonly name: string;
  /** The learning rate at `step` (the number of updates done before) in float64, on the host. */
  valueAt(step: number): number;
  /** The learning rate at `step`, an int32 scalar, as a float32 scalar. Plain tfjs ops: works eagerly and inside `compile`. */
  at(step: tf.Scalar): tf.Scalar;
}

/** Options of every schedule that begins at an offset. */
export interface OffsetOptions {
  /** Name in messages. */
  name: string;
  /** Step at which the schedule's clock shows 0. Default 0. */
  offset: number;
}

/** Options of schedules that begin at a given rate. */
export interface DecayOptions extends OffsetOptions {
  /** Learning rate at `offset`. Required. */
  initialLearningRate: number | null;
}

/** A schedule whose clock s = step − offset shows 0 at the offset. */
export abstract class OffsetSchedule implements LearningRateSchedule {
  /** Name from the config branch, for messages. */
  readonly name: string;
  private readonly offset: number;

  /** @throws ConfigError for an offset that is no whole number */
  constructor(options: CheckedOptions<OffsetOptions>) {
    this.name = options.name;
    this.offset = options.integer('offset');
  }

  /** The learning rate at `step`, on the host. */
  valueAt(step: number): number {
    return this.rateAt(step - this.offset);
  }

  /** The learning rate at `step`, an int32 scalar, in the graph. */
  at(step: tf.Scalar): tf.Scalar {
    return tf.tidy(() => this.rate(shifted(step, this.offset)));
  }

  /** The rate when the clock shows s: on the host, and in the graph from an int32 scalar. */
  protected abstract rateAt(s: number): number;
  protected abstract rate(s: tf.Scalar): tf.Scalar;
}

/** A learning rate: a constant or a schedule. */
export type LearningRate = number | LearningRateSchedule;

/** The value of a learning rate at `step`, on the host. */
export function learningRateAt(rate: LearningRate, step: number): number {
  return typeof rate === 'number' ? rate : rate.valueAt(step);
}

/** An int32 constant. */
export function int(value: number): tf.Scalar {
  return tf.scalar(value, 'int32');
}

/** An int32 scalar as float32. */
export function float(value: tf.Scalar): tf.Scalar {
  return tf.cast(value, 'float32');
}

/** `step − offset` in int32; no op when there is no offset. */
function shifted(step: tf.Scalar, offset: number): tf.Scalar {
  return offset === 0 ? step : tf.sub(step, int(offset));
}

/** `x + constant`; no op for 0. */
export function plus(x: tf.Scalar, constant: number): tf.Scalar {
  return constant === 0 ? x : tf.add(x, constant);
}

/** `base^exponent` for a float scalar; cheap for the exponents 1 and 2. */
export function power(base: tf.Scalar, exponent: number): tf.Scalar {
  if (exponent === 1) return base;
  return exponent === 2 ? tf.square(base) : tf.pow(base, exponent);
}
