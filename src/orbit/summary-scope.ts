/**
 * Where summaries go that code inside an inner loop records: the controller sets writer and condition around each loop,
 * the code inside needs to know neither. Scopes follow the asynchronous flow, so two runs in one process do not mix.
 */
import { AsyncLocalStorage } from 'node:async_hooks';
import type { SummaryWriter } from './summary-writer.js';
import type { GlobalStep } from './types.js';

/** Where summaries go and whether they are due. */
export interface SummaryScope {
  /** Writer of everything recorded in the scope. */
  readonly writer: SummaryWriter;
  /** Asked at each record: false drops it. */
  readonly shouldRecord: () => boolean;
  /** Counter that gives the step of what is recorded without one. */
  readonly step: Pick<GlobalStep, 'value'>;
}

const scopes = new AsyncLocalStorage<SummaryScope>();
let defaultStep: Pick<GlobalStep, 'value'> | null = null;

/** A writer that drops everything. */
export const silentSummaryWriter: SummaryWriter = {
  scalar() {},
  histogram() {},
  flush() {},
  close() {},
};

/** Runs `body` with `scope` as the place where summaries go, also in what it awaits. */
export function withSummaryScope<T>(scope: SummaryScope, body: () => T): T {
  return scopes.run(scope, body);
}

/** Runs `body` with recording off. */
export function withoutSummaries<T>(body: () => T): T {
  return scopes.run({ writer: silentSummaryWriter, shouldRecord: () => false, step: { value: 0 } }, body);
}

/** Whether a summary recorded now would be written. */
export function summariesDue(): boolean {
  return scopes.getStore()?.shouldRecord() ?? false;
}

/** Sets the counter of summary managers that are made without one, for the whole process. */
export function setDefaultSummaryStep(step: Pick<GlobalStep, 'value'> | null): void {
  defaultStep = step;
}

/** The counter set by {@link setDefaultSummaryStep}, or null. */
export function defaultSummaryStep(): Pick<GlobalStep, 'value'> | null {
  return defaultStep;
}

/**
 * Records a number in the scope that is active, if recording is due there.
 * @param step global step; default the scope's counter
 */
export function recordScalar(tag: string, value: number, step?: number): void {
  const scope = scopes.getStore();
  if (scope?.shouldRecord()) scope.writer.scalar(tag, value, step ?? scope.step.value);
}

/** Records a distribution in the scope that is active, if recording is due there and the writer can. */
export function recordHistogram(tag: string, values: ArrayLike<number>, step?: number): void {
  const scope = scopes.getStore();
  if (scope?.shouldRecord()) scope.writer.histogram?.(tag, values, step ?? scope.step.value);
}
