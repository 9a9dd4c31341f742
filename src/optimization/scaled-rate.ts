/** A learning rate times a factor that may change while training runs. */
import * as tf from '#tf';
import { initScope } from '../function/index.js';
import { learningRateAt, type LearningRate, type LearningRateSchedule } from './schedule.js';
import { createVariable } from './state.js';

/** rate(step) · factor. Compiled steps read the factor, so that a change needs no new trace. */
export class ScaledRate implements LearningRateSchedule {
  readonly name: string;
  private readonly variable: tf.Variable;
  private value = 1;

  /** @param rate the rate before scaling */
  constructor(readonly rate: LearningRate) {
    this.name = typeof rate === 'number' ? 'Constant' : rate.name;
    this.variable = initScope(() => createVariable('learning_rate_factor', tf.scalar(1)));
  }

  /** The factor; 1 at first. */
  get factor(): number {
    return this.value;
  }

  set factor(factor: number) {
    this.value = factor;
    initScope(() => tf.tidy(() => this.variable.assign(tf.scalar(factor))));
  }

  valueAt(step: number): number {
    return learningRateAt(this.rate, step) * this.value;
  }

  at(step: tf.Scalar): tf.Scalar {
    return tf.mul(this.variable, typeof this.rate === 'number' ? this.rate : this.rate.at(step)) as unknown as tf.Scalar;
  }
}
