/** What a manager knows of its directory: the managed checkpoints and the newest one, as in the state file. */
import { readdir } from 'node:fs/promises';
import path from 'node:path';
import type { CheckpointLogger } from './logger.js';
import { isComplete } from './manifest.js';
import type { Sweep } from './retention.js';
import { checkpointNumber, readStateFile, writeStateFile, type ManagedCheckpoint } from './state-file.js';

/** The state of one directory in memory. */
export class DirectoryIndex {
  private constructor(
    private readonly directory: string,
    /** Newest checkpoint, or null. */
    public latest: string | null,
    /** Managed checkpoints, oldest first. */
    public managed: readonly ManagedCheckpoint[],
    /** When the last checkpoint kept for good was saved, in seconds since 1970. */
    public lastPreservedSeconds: number,
    private readonly damaged: boolean,
  ) {}

  /** Reads the state file. Times in the future (a clock that jumped) count as now. */
  static load(directory: string, logger: CheckpointLogger): DirectoryIndex {
    const now = Date.now() / 1000;
    const stored = readStateFile(directory, (message) => logger.warn(message));
    if (stored === null || stored === 'damaged') return new DirectoryIndex(directory, null, [], now - 1, stored === 'damaged');
    let last = stored.lastPreservedSeconds ?? now - 1;
    if (last > now) {
      logger.warn(`The last checkpoint kept in "${directory}" is dated in the future; taking it as now. Check the clock.`);
      last = now;
    }
    // Without its time a checkpoint counts as kept for good: it is not managed, hence never deleted.
    const managed = stored.paths
      .map((p, i) => {
        const timestampSeconds = Math.min(stored.timestampsSeconds[i] ?? last, now);
        const metrics = stored.metrics[i];
        return metrics ? { path: p, timestampSeconds, metrics } : { path: p, timestampSeconds };
      })
      .filter((c) => c.timestampSeconds > last);
    return new DirectoryIndex(directory, stored.latest, managed, last, false);
  }

  /**
   * Checkpoints to try, best first: the newest, the other managed ones from new to old, then complete ones of that name that
   * were kept for good, from high to low numbers. None if the directory has no state file, as for a fresh start.
   */
  async candidates(name: string): Promise<string[]> {
    if (this.latest === null && !this.damaged) return [];
    const listed = this.managed.map((c) => c.path).reverse();
    const found: [number, string][] = [];
    for (const entry of await readdir(this.directory).catch(() => [])) {
      const number = entry.startsWith(`${name}-`) ? /^\d+$/.exec(entry.slice(name.length + 1))?.[0] : undefined;
      if (number !== undefined && (await isComplete(path.join(this.directory, entry))))
        found.push([Number(number), path.join(this.directory, entry)]);
    }
    found.sort((a, b) => b[0] - a[0]);
    return [...new Set([...(this.latest === null ? [] : [this.latest]), ...listed, ...found.map(([, p]) => p)])];
  }

  /** Notes a new checkpoint as the newest. */
  saved(checkpoint: string, timestampSeconds: number): void {
    this.managed = [...this.managed.filter((c) => c.path !== checkpoint), { path: checkpoint, timestampSeconds }];
    this.latest = checkpoint;
  }

  /** Notes the results of the checkpoint with a number; false if it is not managed. */
  evaluated(number: number, metrics: Readonly<Record<string, number>>): boolean {
    const found = this.managed.find((c) => checkpointNumber(c.path) === number);
    if (found) this.managed = this.managed.map((c) => (c === found ? { ...c, metrics } : c));
    return found !== undefined;
  }

  /** Notes which checkpoint was restored. Damaged ones are not managed any more, and hence never deleted. */
  restored(checkpoint: string, damaged: readonly string[]): void {
    this.managed = this.managed.filter((c) => !damaged.includes(c.path));
    this.latest = checkpoint;
  }

  /** Takes over the result of a sweep. */
  swept(result: Sweep): void {
    this.managed = result.managed;
    this.lastPreservedSeconds = result.lastPreservedSeconds;
  }

  /** Writes the state file. */
  async write(): Promise<void> {
    if (this.latest === null) return;
    await writeStateFile(this.directory, { latest: this.latest, managed: this.managed, lastPreservedSeconds: this.lastPreservedSeconds });
  }
}
