/** The settings of `runtime` that hold for all compiled steps of the process. */
import { setCompileDefaults, setNumThreads, setRandomSeed } from '../function/index.js';
import type { RuntimeConfig } from './config.js';

/**
 * Applies seed, threads, graph optimisation level and the use of native kernels of a config.
 *
 * @throws UsageError when compiled steps already run in this process with another number of threads.
 */
export function applyRuntime(runtime: RuntimeConfig): void {
  if (runtime.num_threads > 0) setNumThreads(runtime.num_threads);
  setCompileDefaults({
    graphOptimizationLevel: runtime.graph_optimization_level ?? undefined,
    nativeKernels: runtime.native_kernels ? undefined : false,
  });
  setRandomSeed(runtime.seed);
}
