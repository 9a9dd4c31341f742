import { UsageError } from '../../errors.js';
import { allocate } from '../ndarray.js';
import { pure } from '../purity.js';
import { hashKey, RandomStream } from '../random.js';
import { chain, forEachIndex, type ElementNumber, type Maybe } from '../stage.js';
import { describe, ownArrays, stackIn, type MakeBatchArray } from '../structure.js';
import { encode } from './codec.js';
import type { PlacedFunction, WorkerContext } from './named-function.js';
import type { ThreadError } from './messages.js';

/** A function of a job, loaded. */
export interface LoadedFunction extends PlacedFunction {
  readonly call: (element: unknown, context: WorkerContext) => unknown;
}

/** Says which element of a job failed. */
export class ElementFailure extends Error {
  /** `element` counts within the job; undefined where joining the results failed. */
  constructor(
    readonly element: number | undefined,
    override readonly cause: unknown,
  ) {
    super('a function failed');
  }
}

/** Imports the functions. Throws a {@link UsageError} where a module cannot be imported or has no such function. */
export async function loadFunctions(functions: readonly PlacedFunction[]): Promise<LoadedFunction[]> {
  return Promise.all(
    functions.map(async (placed) => {
      const { module, exportName } = placed;
      const exports = (await import(module).catch((error: unknown) => {
        const { code, message = String(error) } = error as NodeJS.ErrnoException;
        const hint = code === 'ERR_UNKNOWN_FILE_EXTENSION' ? ' Node runs JavaScript: compile the file first.' : '';
        throw new UsageError(`inWorker: the module ${module} cannot be imported: ${message}.${hint}`, { cause: error });
      })) as Record<string, unknown>;
      const found = exports[exportName];
      if (typeof found === 'function') return { ...placed, call: found as LoadedFunction['call'] };
      const names = Object.keys(exports).filter((name) => typeof exports[name] === 'function');
      throw new UsageError(
        `inWorker: ${module} exports no function ${exportName}; it exports ${names.length === 0 ? 'none' : names.join(', ')}.`,
      );
    }),
  );
}

/** What a job says besides its elements, and what it reports to. */
export interface JobContext {
  /** What the functions are told of every element. */
  readonly number: (element: number) => ElementNumber;
  /** Whether the results become one batch. */
  readonly join: boolean;
  /** Called before each element with its number within the job. */
  readonly begun?: (element: number) => void;
  /** Makes the arrays of the batch. */
  readonly make?: MakeBatchArray;
}

/**
 * Applies the functions to every element, in order. The result is a batch with `join`; a list of results; or, where the last
 * function keeps, drops or multiplies elements, a list of what became of each.
 */
export function runJob(functions: readonly LoadedFunction[], elements: readonly unknown[], job: JobContext): Maybe<unknown> {
  const results: unknown[] = [];
  const visit = (i: number): Maybe<void> => {
    job.begun?.(i);
    let value: unknown = elements[i];
    const step = (k: number): Maybe<void> => {
      const placed = functions[k]!;
      const made = guard(i, () => callOf(placed, k, job.number(i), value));
      if (typeof (made as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
        value = guard(i, () => outcome(placed, value, made));
        return;
      }
      return Promise.resolve(made).then(
        (settled) => void (value = guard(i, () => outcome(placed, value, settled))),
        (error: unknown) => {
          throw new ElementFailure(i, error);
        },
      );
    };
    return chain(forEachIndex(functions.length, step), () => void results.push(value));
  };
  return chain(forEachIndex(elements.length, visit), () => {
    if (!job.join) return results;
    return guard(undefined, () => stackIn(results.map(ownArrays), job.make ?? allocate));
  });
}

/** Calls the k-th function of a chain: its random numbers depend on that place, pass and element alone. */
function callOf({ call, kind, seed }: LoadedFunction, k: number, at: ElementNumber, value: unknown): unknown {
  const again = pure(kind, (element: unknown) => call(element, { rng: new RandomStream(hashKey(seed, at.pass, at.index, k)), ...at }));
  return again(value);
}

/** What becomes of an element. */
function outcome({ kind }: LoadedFunction, value: unknown, result: unknown): unknown {
  if (kind === 'map') return result;
  if (kind === 'filter') return result ? [value] : [];
  if (Array.isArray(result)) return result;
  throw new TypeError(`it returned ${describe(result)}, but the function given to ${kind} must return a list of elements`);
}

/** Says which element's result cannot be passed on, where `error` came of passing on the results of a job. */
export function blame(result: unknown, error: unknown): unknown {
  if (!Array.isArray(result)) return error; // a batch
  for (const [element, own] of result.entries()) {
    try {
      encode(own);
    } catch (cause) {
      return new ElementFailure(element, new TypeError((cause as Error).message, { cause }));
    }
  }
  return error;
}

function guard<T>(element: number | undefined, run: () => T): T {
  try {
    return run();
  } catch (error) {
    throw new ElementFailure(element, error);
  }
}

/** An error in a form that can be sent. */
export function sendable(error: unknown): ThreadError {
  if (!(error instanceof Error)) return { name: 'Error', message: String(error), stack: '' };
  return { name: error.name, message: error.message, stack: error.stack ?? '' };
}
