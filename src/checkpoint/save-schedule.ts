/** When the last save was made, and whether the next one is due. */
import type { CheckpointManagerOptions } from './manager-options.js';
import type { SaveMoment } from './triggers.js';

/** The saves of one manager in time. Without an interval and a trigger every save is due. */
export class SaveSchedule {
  private readonly options: Pick<CheckpointManagerOptions, 'stepCounter' | 'checkpointInterval' | 'trigger'>;
  private lastStep: number | null;
  private lastMoment: SaveMoment | null = null;

  constructor(options: CheckpointManagerOptions) {
    this.options = options;
    this.lastStep = options.lastCheckpointStep ?? null;
  }

  /** Whether to save now. With `checkInterval` false only a step that is saved already is not due. */
  isDue(checkInterval: boolean): boolean {
    const { checkpointInterval: interval, trigger } = this.options;
    const { counter, lastStep: last } = this;
    if (counter === null) return true;
    const step = counter.value;
    if (step === last) return false;
    if (!checkInterval || (interval && (last === null || step >= last + interval))) return true;
    const now = { step, seconds: performance.now() / 1000 };
    return trigger?.isDue(now, (this.lastMoment ??= now)) ?? false;
  }

  /** A save, or a restore, was made now. Returns how to take that back. */
  saved(): () => void {
    const { counter, lastStep, lastMoment } = this;
    if (counter === null) return () => {};
    this.lastStep = counter.value;
    this.lastMoment = { step: counter.value, seconds: performance.now() / 1000 };
    return () => {
      this.lastStep = lastStep;
      this.lastMoment = lastMoment;
    };
  }

  /** The step counter, where an interval or a trigger uses it. */
  private get counter(): { readonly value: number } | null {
    const { stepCounter, checkpointInterval, trigger } = this.options;
    return checkpointInterval || trigger ? (stepCounter ?? null) : null;
  }
}
