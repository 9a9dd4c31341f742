import type * as tf from '#tf';
import { UsageError } from '../errors.js';
import type { LearningRate } from './schedule.js';
import type { Slots, Updated } from './update-rule.js';

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null;

/** A learning rate that can be used. @throws UsageError if it is neither a finite number nor a schedule */
export function checkRate(rate: LearningRate, name: string): LearningRate {
  const isSchedule = typeof rate === 'object' && rate !== null && typeof rate.at === 'function' && typeof rate.valueAt === 'function';
  if (isSchedule || (typeof rate === 'number' && Number.isFinite(rate))) return rate;
  throw new UsageError(
    `${name}: the learning rate must be a finite number or a schedule with valueAt(step) and at(step), but is ${isObject(rate) ? `an object with ${Object.keys(rate).join(', ') || 'neither'}` : String(rate)}.`,
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

/** What a rule made of a variable. @throws UsageError if it is not the variable's next value and those of its slots */
export function checkUpdated(updated: Updated, variable: tf.Tensor, slots: Slots, where: string): Updated {
  const { parameter, slots: next } = (updated as Partial<Updated> | undefined) ?? {};
  if (!parameter || !next) throw new UsageError(`${where}: update should return { parameter, slots }.`);
  const names = Object.keys(slots);
  for (const name of Object.keys(next))
    if (!(name in slots))
      throw new UsageError(
        `${where}: update returned a slot "${name}" that the rule's slots() does not name (${names.join(', ') || 'it names none'}).`,
      );
  for (const [what, value, held] of [
    ['parameter', parameter, variable] as const,
    ...Object.entries(next).map(([n, v]) => [n, v, slots[n]!] as const),
  ])
    if (value.shape.length !== held.shape.length || value.shape.some((size, i) => size !== held.shape[i]))
      throw new UsageError(`${where}: update returned ${what} of shape [${value.shape}], but it has the shape [${held.shape}].`);
  return updated;
}
