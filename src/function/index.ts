/** The compiler: `compile` turns a tfjs function into a natively executed step. */
export { allReduceSum, type Collective } from './collective.js';
export { compile, LONG_STEP_MS } from './compile.js';
export { setCompileDefaults, type CompileOptions } from './compile-options.js';
export type { CompiledFunction, CompiledMemory, Feeds } from './compiled-function.js';
export type { DType, TensorSpec } from './dtype.js';
export type { PassName } from './graph/passes/index.js';
export type { PrintOptions } from './graph/print.js';
export type { NonFiniteSource, NonFiniteValue } from './find-non-finite.js';
export { initScope } from './init-scope.js';
export { kernelDefinitions, unsupportedKernels, type KernelDefinition } from './kernels/index.js';
export type { Profile, ProfileLayer, ProfileRow } from './profile.js';
export { randomState, setRandomSeed } from './random-state.js';
export { variableHolder, type HeldVariables } from './runtime/hold.js';
export { setNumThreads } from './runtime/ort.js';
export type { GraphOptimizationLevel } from './runtime/session.js';
export type { ArrayInput, Feed } from './structure.js';
export { setSummaryRecorder, summary, type SummaryRecorder } from './summary.js';
export { nameScope, type NameScopeOptions } from './trace/scope.js';
