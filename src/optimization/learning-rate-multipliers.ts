import { ConfigError } from '../errors.js';
import { requireNumber } from './options.js';
import { matcher } from './weight-decay.js';

/** The learning rate of some variables as a multiple of the schedule's. */
export interface LearningRateMultiplier {
  /** A regular expression, searched anywhere in the object path: `embedding`, `^backbone/`. */
  readonly pattern: string;
  /** What the learning rate is multiplied by, not negative; 0 leaves the variables as they are. */
  readonly multiplier: number;
}

/** The multiplier of each variable. */
export interface Multipliers {
  /** The multiplier of the variable with this object path: that of the first pattern that is found in it, else 1. */
  of(path: string): number;
  /** Checks that every pattern is found in one of the paths. @throws ConfigError naming one that is not. */
  check(paths: readonly string[]): void;
}

/** Reads multipliers; undefined for none. @throws ConfigError for a wrong pattern or number. */
export function readMultipliers(list: readonly LearningRateMultiplier[] | null | undefined, where: string): Multipliers | undefined {
  if (list === null || list === undefined || list.length === 0) return undefined;
  const option = 'learning_rate_multipliers';
  if (!Array.isArray(list)) throw new ConfigError(`${where}: ${option} must be a list of { pattern, multiplier }.`, { path: option });
  const entries = (list as readonly LearningRateMultiplier[]).map(({ pattern, multiplier }, i) => {
    if (typeof pattern !== 'string' || pattern === '')
      throw new ConfigError(`${where}: ${option}[${i}].pattern must be a text to search in names of variables, such as "embedding".`, {
        path: option,
      });
    requireNumber(multiplier, `${option}[${i}].multiplier`, where, 0);
    return { pattern, multiplier, matches: matcher([pattern], option, where) };
  });
  return {
    of: (path) => entries.find(({ matches }) => matches(path))?.multiplier ?? 1,
    check(paths) {
      const lost = entries.find(({ matches }) => !paths.some(matches));
      if (lost === undefined || paths.length === 0) return;
      const shown = paths.slice(0, 8).join(', ') + (paths.length > 8 ? ` and ${paths.length - 8} more` : '');
      throw new ConfigError(`${where}: the pattern "${lost.pattern}" of ${option} is found in no variable. Variables: ${shown}.`, {
        path: option,
      });
    },
  };
}
