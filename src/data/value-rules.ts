import { DataError, UsageError } from '../errors.js';
import { optionsOf } from './arguments.js';
import type { DType, TypedArray } from './ndarray.js';

/** What the numbers of a column, feature or array must be. A value that breaks a rule is bad input. */
export interface ValueRules {
  /** Smallest value allowed. */
  readonly min?: number;
  /** Largest value allowed: labels of ten classes have `min: 0, max: 9`. */
  readonly max?: number;
  /** Whether NaN and infinities are allowed; default false. */
  readonly allowNaN?: boolean;
}

const RULES = ['min', 'max', 'allowNaN'];

/**
 * Checks that rules can be kept at all. Throws a {@link UsageError} that names the column, also for a rule that there is not, where `also`
 * names what else may be said of a column.
 */
export function checkRules(column: string, rules: ValueRules, also: readonly string[] = []): void {
  const { min, max } = optionsOf(rules, `Column ${column}`, [...also, ...RULES], 'allowNaN');
  for (const [name, bound] of [['min', min], ['max', max]] as const) {
    if (bound !== undefined && (typeof bound !== 'number' || Number.isNaN(bound)))
      throw new UsageError(`Column ${column}: ${name} is ${JSON.stringify(bound)}; a number was expected.`);
  } // prettier-ignore
  if (min !== undefined && max !== undefined && min > max)
    throw new UsageError(`Column ${column}: min is ${min}, above max, which is ${max}: no value is allowed.`);
}

/** The same for the rules of several arrays, which must be among `names`. */
export function checkRulesByName(rules: Readonly<Record<string, ValueRules | undefined>>, names: readonly string[]): void {
  if (typeof rules !== 'object')
    throw new UsageError(`rules is ${JSON.stringify(rules)}; rules by name were expected: { y: { min: 0, max: 9 } }.`);
  for (const [name, own] of Object.entries(rules)) {
    if (!names.includes(name)) throw new UsageError(`rules names ${name}, which is not read; there are ${names.join(', ')}.`);
    if (own !== undefined) checkRules(name, own);
  }
}

/** Index of the first of the values `begin` up to `end` that breaks the rules; -1 where none does. */
export function firstBroken(values: TypedArray, dtype: DType, rules: ValueRules, begin = 0, end = values.length): number {
  const { min = -Infinity, max = Infinity, allowNaN = false } = rules;
  const floats = dtype === 'float32' || dtype === 'float64';
  if (min === -Infinity && max === Infinity) {
    if (!floats || allowNaN) return -1;
    // The sum of differences is 0 unless a value is not finite: one pass without a branch.
    let sum = 0;
    for (let i = begin; i < end; i++) sum += values[i]! - values[i]!;
    if (sum === 0) return -1;
  }
  for (let i = begin; i < end; i++) {
    const value = values[i]!;
    if (value - value === 0 ? value < min || value > max : !allowNaN) return i;
  }
  return -1;
}

/** What is wrong with a number that breaks the rules, in words. */
export function wrongNumber(value: number, { min, max }: ValueRules): string {
  if (!Number.isFinite(value)) return `is ${value}; a finite number was expected (allowNaN: true allows it)`;
  return `is ${value}; a number from ${min ?? '-∞'} to ${max ?? '∞'} was expected`;
}

/** Throws a {@link DataError} for the first value that breaks the rules; `place` says where the values come from. */
export function checkValues(place: () => string, values: TypedArray, dtype: DType, rules: ValueRules): void {
  const at = firstBroken(values, dtype, rules);
  if (at >= 0) throw new DataError(`${place()}: the value${values.length > 1 ? ` ${at}` : ''} ${wrongNumber(values[at]!, rules)}.`);
}
