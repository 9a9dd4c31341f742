import { didYouMean, nearestName } from '../config/index.js';
import { ConfigError } from '../errors.js';
import { snakeKey } from './config-keys.js';

/** Options as a caller or a config branch gives them. `null` and `undefined` both mean "not given". */
export type Given<T> = { readonly [K in keyof T]?: T[K] | null | undefined };

/**
 * Completes `given` from `defaults` and refuses keys that the defaults do not know.
 *
 * @param where what the options belong to, for error messages: `Adam`, `CosineDecay`.
 * @throws ConfigError for an unknown key, naming the nearest known one.
 */
export function readOptions<T extends object>(given: Given<T>, defaults: T, where: string): T {
  const known = Object.keys(defaults);
  const result = { ...defaults } as Record<string, unknown>;
  for (const [key, value] of Object.entries(given)) {
    if (!known.includes(key)) {
      throw new ConfigError(`${where} has no option "${key}".${didYouMean(nearestName(key, known))} Known options: ${known.join(', ')}.`, {
        path: key,
      });
    }
    if (value !== null && value !== undefined) result[key] = value;
  }
  return result as T;
}

/** Returns `value` if it is a finite number inside [min, max]; otherwise throws a ConfigError that says what was expected. */
export function requireNumber(value: unknown, name: string, where: string, min = -Infinity, max = Infinity): number {
  if (typeof value === 'number' && Number.isFinite(value) && value >= min && value <= max) return value;
  const range = min === -Infinity && max === Infinity ? 'a finite number' : `a number in [${min}, ${max}]`;
  throw new ConfigError(`${where}: ${name} must be ${range}, but is ${describe(value)}.`, { path: name });
}

/** As `requireNumber`, for whole numbers that fit in 32 bits (steps, offsets, boundaries). */
export function requireInteger(value: unknown, name: string, where: string, min = -(2 ** 31)): number {
  const number = requireNumber(value, name, where, min, 2 ** 31 - 1);
  if (Number.isInteger(number)) return number;
  throw new ConfigError(`${where}: ${name} counts steps and must be a whole number, but is ${number}.`, { path: name });
}

/** Options that were read, and their checks under the names that a config gives them. */
export class CheckedOptions<T extends { name: string }> {
  /** The options, completed from the defaults. */
  readonly all: T;
  /** What they belong to, for messages. */
  readonly name: string;

  /** @throws ConfigError for an unknown key, as `readOptions`. */
  constructor(given: Given<T>, defaults: T) {
    this.all = readOptions(given, defaults, defaults.name);
    this.name = this.all.name;
  }

  /** A finite number of [min, max]. @throws ConfigError if it is none */
  number(key: keyof T & string, min?: number, max?: number): number {
    return requireNumber(this.all[key], snakeKey(key), this.name, min, max);
  }

  /** A whole number of at least `min`. @throws ConfigError if it is none */
  integer(key: keyof T & string, min?: number): number {
    return requireInteger(this.all[key], snakeKey(key), this.name, min);
  }
}

function describe(value: unknown): string {
  if (value === null || value === undefined) return 'missing';
  return typeof value === 'string' ? `the text "${value}"` : Array.isArray(value) ? `a list of ${value.length}` : String(value);
}
