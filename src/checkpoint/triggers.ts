/** When to save: small conditions, to be combined with {@link anyTrigger}. */
import { UsageError } from '../errors.js';

/** The moment at which a trigger is asked. */
export interface SaveMoment {
  /** Steps made. */
  readonly step: number;
  /** Monotonic time in seconds. */
  readonly seconds: number;
}

/** Decides whether a checkpoint is due. */
export interface SaveTrigger {
  /**
   * Whether to save now.
   * @param last when the last save was made, or when the trigger was first asked or the run restored
   */
  isDue(now: SaveMoment, last: SaveMoment): boolean;
}

/** Due when `steps` or more were made since the last save. */
export function everySteps(steps: number): SaveTrigger {
  requireAbove0(steps, 'everySteps', true);
  return { isDue: (now, last) => now.step >= last.step + steps };
}

/** Due when `seconds` or more have passed since the last save. A clock that is set does not matter: it is the monotonic one. */
export function everySeconds(seconds: number): SaveTrigger {
  requireAbove0(seconds, 'everySeconds', false);
  return { isDue: (now, last) => now.seconds >= last.seconds + seconds };
}

/** Due when a multiple of `epochs` epochs has ended since the last save. */
export function everyEpochs(epochs: number, stepsPerEpoch: number): SaveTrigger {
  requireAbove0(epochs, 'everyEpochs', true);
  requireAbove0(stepsPerEpoch, 'everyEpochs: the steps per epoch', true);
  const count = ({ step }: SaveMoment): number => Math.floor(step / (epochs * stepsPerEpoch));
  return { isDue: (now, last) => count(now) > count(last) };
}

/** Due when one of the triggers is. */
export function anyTrigger(...triggers: readonly SaveTrigger[]): SaveTrigger {
  return { isDue: (now, last) => triggers.some((t) => t.isDue(now, last)) };
}

function requireAbove0(value: number, what: string, whole: boolean): void {
  if (value > 0 && Number.isFinite(value) && (!whole || Number.isInteger(value))) return;
  throw new UsageError(`${what} needs ${whole ? 'a whole number' : 'a number'} above 0; found ${value}.`);
}
