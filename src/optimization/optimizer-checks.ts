import type * as tf from '#tf';
import { UsageError } from '../errors.js';
import type { LearningRate } from './schedule.js';

/** A learning rate that can be used. @throws UsageError if it is neither a finite number nor a schedule */
export function checkRate(rate: LearningRate, name: string): LearningRate {
  const isSchedule = typeof rate === 'object' && rate !== null && typeof rate.at === 'function' && typeof rate.valueAt === 'function';
  if (isSchedule || (typeof rate === 'number' && Number.isFinite(rate))) return rate;
  throw new UsageError(
    `${name}: the learning rate must be a finite number or a schedule with valueAt(step) and at(step), but is ${String(rate)}.`,
  );
}

/** A gradient that fits its variable. @throws UsageError if it does not, or if the variable cannot be trained */
export function checkGradient(gradient: tf.Tensor, variable: tf.Variable, path: string): tf.Tensor {
  if (variable.dtype !== 'float32') {
    throw new UsageError(
      `Variable "${path}" has dtype ${variable.dtype}; only float32 variables can be trained. Make it with trainable = false.`,
    );
  }
  if (gradient.shape.length === variable.shape.length && gradient.shape.every((size, i) => size === variable.shape[i])) return gradient;
  throw new UsageError(`The gradient of "${path}" has shape [${gradient.shape}], but the variable has [${variable.shape}].`);
}
