/** Options of `compile`, and the check that a call gives only what exists. */
import { UsageError } from '../errors.js';
import type { Collective } from './collective.js';
import { passes, type PassName } from './graph/passes/index.js';
import { graphOptimizationLevels, type GraphOptimizationLevel } from './runtime/session.js';

/** Options of `compile`. */
export interface CompileOptions {
  /** Name of the function in messages, graphs and profiles. Default: the function's own name. */
  readonly name?: string;
  /** True runs the function on tfjs's own backend instead, with the same random numbers: for debugging. Default false. */
  readonly eager?: boolean;
  /** Where the step runs. Only `cpu` is available. */
  readonly device?: 'cpu';
  /**
   * Threads of this function alone, in a pool of its own: a function of few small operations may be faster with 1. Default:
   * the pool that all compiled functions share; `setNumThreads` or the environment variable `ORBIT_NUM_THREADS` set its size.
   */
  readonly threads?: number;
  /**
   * How much ONNX Runtime rewrites the graph after this compiler's own passes: `disabled`, `basic`, `extended` or `all`. Less
   * starts faster and runs slower. Default: the environment variable `ORBIT_GRAPH_OPTIMIZATION_LEVEL` if set, else `extended`.
   */
  readonly graphOptimizationLevel?: GraphOptimizationLevel;
  /**
   * False runs on ONNX Runtime's own operators alone. Default true: native kernels compute what they are faster at, where their
   * package is installed and the environment variable `ORBIT_NATIVE_KERNELS` is not 0. Results differ by rounding.
   */
  readonly nativeKernels?: boolean | undefined;
  /** Traces kept; the least recently used one is dropped beyond. Default 32. */
  readonly cacheSize?: number;
  /** Graph passes to leave out, for debugging. */
  readonly disabledPasses?: readonly PassName[];
  /** The replicas that `allReduceSum` sums over. Default: one replica, no sums. */
  readonly collective?: Collective | undefined;
}

/** Options that functions have where they give none. */
interface CompileDefaults {
  readonly nativeKernels?: boolean | undefined;
  readonly graphOptimizationLevel?: GraphOptimizationLevel | undefined;
}

let defaults: CompileDefaults = {};

/** Sets defaults for functions compiled from now on, before those of the environment; undefined takes one back. */
export function setCompileDefaults(options: CompileDefaults): void {
  const { graphOptimizationLevel, nativeKernels } = options;
  if (graphOptimizationLevel !== undefined) checkOptions({ graphOptimizationLevel }, 'defaults');
  checkOptions({ nativeKernels }, 'defaults');
  defaults = { graphOptimizationLevel, nativeKernels };
}

const DEVICES = ['cpu'];
const OPTIONS = new Set([
  'name',
  'eager',
  'device',
  'threads',
  'graphOptimizationLevel',
  'nativeKernels',
  'cacheSize',
  'disabledPasses',
  'collective',
]);

/**
 * The options with what the environment sets filled in.
 *
 * @throws UsageError for an unknown option, or a value that an option does not take.
 */
export function checkOptions(options: CompileOptions, name: string): CompileOptions {
  const refuse = (message: string): never => {
    throw new UsageError(`compile("${name}"): ${message}`);
  };
  for (const key of Object.keys(options)) {
    if (!OPTIONS.has(key)) refuse(`there is no option "${key}"; there are ${[...OPTIONS].join(', ')}.`);
  }
  const { device, threads, cacheSize, disabledPasses } = options;
  const nativeKernels = options.nativeKernels ?? defaults.nativeKernels;
  if (nativeKernels !== undefined && typeof nativeKernels !== 'boolean') {
    refuse(`nativeKernels must be true or false, but is ${String(nativeKernels)}.`);
  }
  if (device !== undefined && !DEVICES.includes(device)) {
    refuse(`the device "${String(device)}" is not available; only "cpu" is. GPUs cannot be used yet: leave the option out.`);
  }
  for (const [key, value] of Object.entries({ threads, cacheSize })) {
    if (value !== undefined && !(Number.isInteger(value) && value > 0)) {
      refuse(`${key} must be a whole number of at least 1, but is ${String(value)}.`);
    }
  }
  const unknown = disabledPasses?.filter((pass) => !Object.hasOwn(passes, pass)) ?? [];
  if (unknown.length > 0) refuse(`there is no pass "${unknown.join('", "')}"; there are ${Object.keys(passes).join(', ')}.`);
  const given = process.env['ORBIT_GRAPH_OPTIMIZATION_LEVEL'] || undefined;
  const level = options.graphOptimizationLevel ?? defaults.graphOptimizationLevel ?? given;
  if (level !== undefined && !Object.hasOwn(graphOptimizationLevels, level)) {
    const where = options.graphOptimizationLevel === undefined ? 'ORBIT_GRAPH_OPTIMIZATION_LEVEL' : 'graphOptimizationLevel';
    refuse(`${where} is "${level}"; it can be ${Object.keys(graphOptimizationLevels).join(', ')}.`);
  }
  return { ...options, nativeKernels, ...(level === undefined ? {} : { graphOptimizationLevel: level as GraphOptimizationLevel }) };
}
