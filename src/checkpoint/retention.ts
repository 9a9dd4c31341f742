/** Which checkpoints to keep: small policies, and the sweep that applies them after a save. */
import { UsageError } from '../errors.js';
import type { RetentionPolicy } from './keep.js';
import { checkpointNumber, type ManagedCheckpoint } from './state-file.js';

/** Decides whether a checkpoint that would be deleted now is kept for good. */
export interface PreservationPolicy {
  /**
   * Whether a checkpoint is kept for good.
   * @param checkpoint the oldest managed one, about to be deleted
   * @param lastPreservedSeconds when the last checkpoint kept for good was saved
   */
  preserves(checkpoint: ManagedCheckpoint, lastPreservedSeconds: number): boolean;
}

/** Keeps a checkpoint for good if it was saved `hours` or more after the last one so kept. */
export function everyNHours(hours: number): PreservationPolicy {
  if (!(hours > 0)) throw new UsageError(`Checkpoints can be kept every so many hours above 0, not every ${hours}.`);
  return { preserves: (checkpoint, last) => checkpoint.timestampSeconds - 3600 * hours >= last };
}

/** Keeps a checkpoint for good whose number is a multiple of `steps`. */
export function everyNSteps(steps: number): PreservationPolicy {
  if (!(Number.isInteger(steps) && steps > 0))
    throw new UsageError(`Checkpoints can be kept every so many whole steps above 0, not every ${steps}.`);
  return {
    preserves: ({ path }) => (checkpointNumber(path) ?? 1) % steps === 0,
  };
}

/** Keeps what at least one of the policies keeps. */
export function anyOf(...policies: readonly PreservationPolicy[]): PreservationPolicy {
  return { preserves: (checkpoint, last) => policies.some((p) => p.preserves(checkpoint, last)) };
}

/** What a sweep decided. */
export interface Sweep {
  /** Still managed, oldest first. */
  readonly managed: readonly ManagedCheckpoint[];
  /** To be deleted. */
  readonly removed: readonly string[];
  /** When the last checkpoint kept for good was saved, in seconds since 1970. */
  readonly lastPreservedSeconds: number;
}

/** The sweep of a {@link RetentionPolicy}: what it does not keep goes, except for the newest. */
export function sweepBy(policy: RetentionPolicy, managed: readonly ManagedCheckpoint[], lastPreservedSeconds: number): Sweep {
  const kept = new Set([...policy.keeps(managed), ...managed.slice(-1)]);
  const removed = managed.filter((c) => !kept.has(c)).map((c) => c.path);
  return { managed: managed.filter((c) => kept.has(c)), removed, lastPreservedSeconds };
}

/**
 * Takes the oldest checkpoints out of management until at most `maxToKeep` are left.
 * @param managed oldest first
 * @param maxToKeep null keeps all
 */
export function sweep(
  managed: readonly ManagedCheckpoint[],
  maxToKeep: number | null,
  preserve: PreservationPolicy,
  lastPreservedSeconds: number,
): Sweep {
  const removed: string[] = [];
  const surplus = maxToKeep === null ? 0 : Math.max(0, managed.length - maxToKeep);
  for (const checkpoint of managed.slice(0, surplus)) {
    if (preserve.preserves(checkpoint, lastPreservedSeconds)) lastPreservedSeconds = checkpoint.timestampSeconds;
    else removed.push(checkpoint.path);
  }
  return { managed: managed.slice(surplus), removed, lastPreservedSeconds };
}
