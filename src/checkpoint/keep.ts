/** Which checkpoints to keep: small policies over the list of those that are there, to be combined with {@link keepAny}. */
import { UsageError } from '../errors.js';
import { checkpointNumber, type ManagedCheckpoint } from './state-file.js';

/** Says which checkpoints stay. The newest one stays always. */
export interface RetentionPolicy {
  /** The checkpoints to keep, of `checkpoints` (oldest first). Depends on the list alone. */
  keeps(checkpoints: readonly ManagedCheckpoint[]): Iterable<ManagedCheckpoint>;
}

/** Keeps the newest `count`. */
export function keepLast(count: number): RetentionPolicy {
  requirePositive(count, 'keepLast: the number of checkpoints', true);
  return { keeps: (checkpoints) => checkpoints.slice(-count) };
}

/** Keeps those whose step is a multiple of `steps`. */
export function keepEveryNSteps(steps: number): RetentionPolicy {
  requirePositive(steps, 'keepEveryNSteps: the number of steps', true);
  return { keeps: (checkpoints) => checkpoints.filter((c) => (checkpointNumber(c.path) ?? 1) % steps === 0) };
}

/** Keeps the oldest one, and then each that is `hours` or more younger than the one kept before it. */
export function keepEveryNHours(hours: number): RetentionPolicy {
  requirePositive(hours, 'keepEveryNHours: the number of hours', false);
  return {
    keeps(checkpoints) {
      const kept: ManagedCheckpoint[] = [];
      for (const checkpoint of checkpoints) {
        const last = kept.at(-1);
        if (last === undefined || checkpoint.timestampSeconds >= last.timestampSeconds + 3600 * hours) kept.push(checkpoint);
      }
      return kept;
    },
  };
}

/**
 * Keeps the `count` with the best value of a metric, as `noteMetrics` of the manager recorded it; those without a value, or with
 * NaN, are not among them. Of equal values the older one is better.
 * @param comparison which values are better
 */
export function keepBest(count: number, metric: string, comparison: 'higher' | 'lower'): RetentionPolicy {
  requirePositive(count, 'keepBest: the number of checkpoints', true);
  if (comparison !== 'higher' && comparison !== 'lower')
    throw new UsageError(`keepBest: the comparison must be "higher" or "lower", not "${String(comparison)}".`);
  const sign = comparison === 'higher' ? -1 : 1;
  return {
    keeps: (checkpoints) =>
      checkpoints
        .map((checkpoint) => ({ checkpoint, value: checkpoint.metrics?.[metric] ?? NaN }))
        .filter(({ value }) => !Number.isNaN(value))
        .sort((a, b) => sign * (a.value - b.value) || 0)
        .slice(0, count)
        .map(({ checkpoint }) => checkpoint),
  };
}

/** Keeps what at least one of the policies keeps. */
export function keepAny(...policies: readonly RetentionPolicy[]): RetentionPolicy {
  return { keeps: (checkpoints) => new Set(policies.flatMap((p) => [...p.keeps(checkpoints)])) };
}

function requirePositive(value: number, what: string, whole: boolean): void {
  if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return;
  throw new UsageError(`${what} must be ${whole ? 'a whole number' : 'a number'} above 0; found ${value}.`);
}
