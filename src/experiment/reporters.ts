/** Letting several listeners hear what a controller does. */
import type { ControllerReporter } from '../orbit/index.js';

const events = [
  'trainStart',
  'trainLoopEnd',
  'evaluationStart',
  'evaluationEnd',
  'restoreStart',
  'restored',
  'resumed',
  'checkpointSaving',
  'checkpointSaved',
  'stopped',
  'checkpointSync',
  'warning',
] as const satisfies readonly (keyof ControllerReporter)[];

/** A reporter that passes every event on, in the order of its arguments. */
export function combineReporters(...reporters: readonly ControllerReporter[]): ControllerReporter {
  const combined: Record<string, (event: never) => void> = {};
  for (const event of events) {
    combined[event] = (payload) => {
      for (const reporter of reporters) (reporter[event] as ((payload: never) => void) | undefined)?.call(reporter, payload);
    };
  }
  return combined;
}
