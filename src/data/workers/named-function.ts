import { UsageError } from '../../errors.js';
import type { RandomStream } from '../random.js';

/** What a function in a worker is told besides the element. */
export interface WorkerContext {
  /** Random numbers of this element: the same in every run with the same seed, whatever the number of workers. */
  readonly rng: RandomStream;
  /** Number of the pass over the data. */
  readonly pass: number;
  /**
   * Number of the element within the pass, counted where the function stands in the pipeline. After `shard` elements have the numbers
   * that they would have without, or at least numbers of their own on every shard.
   */
  readonly index: number;
}

/** A function of an element that a module exports. */
export type WorkerFunction = (element: never, context: WorkerContext) => unknown;

/** A function that runs in worker threads; made by {@link inWorker}. */
export class InWorker<A, B> {
  /** Types of the element that it takes and gives; there is no such value. */
  declare readonly types?: (element: A) => B;

  /** Use {@link inWorker}. */
  constructor(
    /** Address of the module. */
    readonly module: string,
    /** Name under which the module exports the function. */
    readonly exportName: string,
  ) {}
}

/** How a function in workers is run. */
export interface WorkerOptions {
  /** Threads; default: the processors but one, 8 at most. 0: run it in this thread, with the same results. */
  readonly workers?: number;
  /** Megabytes that the heap of each worker may take (arrays lie outside); default: as Node chooses. */
  readonly heapMegabytes?: number;
  /** Seed of the random numbers that the function is given; default 0. */
  readonly seed?: number;
  /**
   * Seconds that one call of the function may take; after that the data end with an error, so that an endless loop is no hang.
   * Default 300; `Infinity`: no limit. Without effect in this thread (`workers: 0`), which cannot be interrupted.
   */
  readonly timeoutSeconds?: number;
}

/** Names of the {@link WorkerOptions}. */
export const workerOptionNames: readonly (keyof WorkerOptions)[] = ['workers', 'heapMegabytes', 'seed', 'timeoutSeconds'];

/**
 * What becomes of an element: its result, itself if the result is true, or each item of the list that is the result; with
 * `interleave` that list as a whole.
 */
export type FunctionKind = 'map' | 'filter' | 'flatMap' | 'interleave';

/** A function with its part in the work. */
export interface PlacedFunction {
  /** Address of the module. */
  readonly module: string;
  /** Name under which the module exports it. */
  readonly exportName: string;
  readonly kind: FunctionKind;
  /** Seed of its random numbers. */
  readonly seed: number;
}

/** A function in words, for errors. */
export function functionInWords({ kind, module, exportName }: PlacedFunction): string {
  return `${kind} (${exportName} of ${module}, in a worker)`;
}

/**
 * Names a function that shall run in worker threads: `inWorker(import.meta.resolve('./augment.js'), 'parse')`. It gets the
 * element (a copy) and `{ rng, pass, index }`, and answers with numbers, texts, typed arrays, `{ data, shape, dtype }`, or lists
 * and records of them; it may be asynchronous. With `inWorker<typeof parse>(…)` types flow on. Throws a {@link UsageError} where
 * `module` is a relative path, which would mean something else in every file.
 */
export function inWorker<F extends WorkerFunction = (element: unknown, context: WorkerContext) => unknown>(
  module: string,
  exportName = 'default',
): InWorker<Parameters<F>[0], Awaited<ReturnType<F>>> {
  if (typeof module !== 'string' || module === '' || module.startsWith('.')) {
    throw new UsageError(
      `inWorker needs the address of a module, not ${JSON.stringify(module)}; write inWorker(import.meta.resolve('./augment.js'), 'parse').`,
    );
  }
  return new InWorker(module, exportName);
}

/** Refuses a function that cannot be sent to workers. */
export function refuseClosure(operator: string, workers: number): never {
  throw new UsageError(
    `${operator} was given a function together with workers: ${workers}, but a function with what it refers to cannot be sent to another thread. ` +
      `Export it from a module of its own and name it: ${operator === 'map' ? 'map(' : `${operator}: `}inWorker(import.meta.resolve('./augment.js'), 'parse')` +
      `${operator === 'map' ? `, { workers: ${workers} })` : ''}. Or leave workers out to run it in this thread.`,
  );
}
