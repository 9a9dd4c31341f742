import { initScope as leaveStep } from '#tf';

/**
 * Runs `f` eagerly on tfjs's cpu backend, also while a step is being traced, and outside any gradient tape. Variables that
 * belong to the step (layer weights, optimizer slots, metric totals) are made in it, so that their first values are
 * computed at once instead of becoming part of the traced graph.
 *
 * @returns what `f` returns. `f` must be synchronous and must not read tensors that only exist in the trace.
 */
export function initScope<T>(f: () => T): T {
  return leaveStep(f);
}
