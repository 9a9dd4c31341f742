import { UsageError } from '../../errors.js';
import { optionsOf, whole } from '../arguments.js';
import type { Stage } from '../stage.js';
import { defaultWorkers, refuseClosure, workerOptionNames, type FunctionKind, type WorkerOptions } from '../workers/index.js';
import { workerStage } from './worker-map.js';

/** Seconds that a call in a worker may take by default. */
const TIMEOUT_SECONDS = 300;

/** Has workers apply a function to every element. Throws a {@link UsageError} for options that make no sense. */
export function inWorkers<B>(
  source: Stage<unknown>,
  { module, exportName }: { readonly module: string; readonly exportName: string },
  kind: FunctionKind,
  options: WorkerOptions | null | undefined,
  operator: string = kind,
): Stage<B> {
  const given = optionsOf(options, operator, workerOptionNames);
  const { workers, seed, heapMegabytes, timeoutSeconds } = {
    workers: given.workers ?? defaultWorkers,
    seed: given.seed ?? 0,
    heapMegabytes: given.heapMegabytes ?? undefined,
    timeoutSeconds: given.timeoutSeconds ?? TIMEOUT_SECONDS,
  };
  whole(workers, `${operator}: workers`, 0);
  whole(seed, `${operator}: seed`, -Number.MAX_SAFE_INTEGER);
  if (heapMegabytes !== undefined) whole(heapMegabytes, `${operator}: heapMegabytes`, 1);
  if (typeof timeoutSeconds !== 'number' || !(timeoutSeconds > 0))
    throw new UsageError(`${operator}: timeoutSeconds is ${String(timeoutSeconds)}, expected more than 0.`);
  return workerStage<B>(source, { functions: [{ module, exportName, kind, seed }], workers, heapMegabytes, timeoutSeconds });
}

/** Checks a function of this thread, and that nothing is asked of it which only one in workers can do. */
export function ownThread(fn: unknown, options: WorkerOptions | null | undefined, operator: string): void {
  if (typeof fn !== 'function') throw new UsageError(`${operator} needs a function, but ${typeof fn} was given.`);
  const { workers, seed, heapMegabytes, timeoutSeconds } = optionsOf(options, operator, workerOptionNames);
  if (workers !== undefined && workers !== null && whole(workers, `${operator}: workers`, 0) > 0) refuseClosure(operator, workers);
  for (const [option, value] of Object.entries({ seed, heapMegabytes, timeoutSeconds })) {
    if (value === undefined || value === null) continue;
    const why = option === 'seed' ? ', which are given random numbers' : '';
    throw new UsageError(
      `${operator}: ${option} is for functions in workers${why}; use inWorker${option === 'seed' ? ', with workers: 0 to stay in this thread' : ''}.`,
    );
  }
}
