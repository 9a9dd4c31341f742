import { UsageError } from '../../errors.js';
import { pure } from '../purity.js';
import { hashKey, RandomStream } from '../random.js';
import { chain, forEachIndex, type Maybe } from '../stage.js';
import { ownArrays, stack } from '../structure.js';
import type { WorkerContext } from './named-function.js';
import type { ThreadError } from './messages.js';

/** The functions of a job, loaded. */
export type LoadedFunction = (element: unknown, context: WorkerContext) => unknown;

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
export async function loadFunctions(
  functions: readonly { readonly module: string; readonly exportName: string }[],
): Promise<LoadedFunction[]> {
  return Promise.all(
    functions.map(async ({ module, exportName }) => {
      const exports = (await import(module).catch((error: unknown) => {
        const { code, message = String(error) } = error as NodeJS.ErrnoException;
        const hint = code === 'ERR_UNKNOWN_FILE_EXTENSION' ? ' Node runs JavaScript: compile the file first.' : '';
        throw new UsageError(`inWorker: the module ${module} cannot be imported: ${message}.${hint}`, { cause: error });
      })) as Record<string, unknown>;
      const found = exports[exportName];
      if (typeof found === 'function') return found as LoadedFunction;
      const names = Object.keys(exports).filter((name) => typeof exports[name] === 'function');
      throw new UsageError(
        `inWorker: ${module} exports no function ${exportName}; it exports ${names.length === 0 ? 'none' : names.join(', ')}.`,
      );
    }),
  );
}

/** Applies the functions to every element, in order; with `join`, makes a batch of the results. */
export function runJob(
  functions: readonly LoadedFunction[],
  elements: readonly unknown[],
  job: { readonly seed: number; readonly pass: number; readonly first: number; readonly join: boolean },
): Maybe<unknown> {
  const results: unknown[] = [];
  const visit = (i: number): Maybe<void> => {
    const index = job.first + i;
    let result: unknown = elements[i];
    return chain(
      forEachIndex(functions.length, (k) => {
        const call = pure('map', (element: unknown) => {
          const rng = new RandomStream(hashKey(job.seed, job.pass, index, k));
          return functions[k]!(element, { rng, pass: job.pass, index });
        });
        const made = guard(i, () => call(result));
        if (typeof (made as PromiseLike<unknown> | null | undefined)?.then !== 'function') {
          result = made;
          return;
        }
        return Promise.resolve(made).then(
          (settled) => void (result = settled),
          (error: unknown) => {
            throw new ElementFailure(i, error);
          },
        );
      }),
      () => void results.push(result),
    );
  };
  return chain(forEachIndex(elements.length, visit), () => (job.join ? guard(undefined, () => stack(results.map(ownArrays))) : results));
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
