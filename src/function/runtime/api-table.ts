/**
 * Which functions of ONNX Runtime's C API are used. `OrtApi` is an append-only table of function pointers, so a position fixed
 * by the header of one release holds in every later one.
 */

/** A function of the library. */
export type NativeFunction = (...args: unknown[]) => unknown;

/** The version of the `OrtApi` table we ask for: the oldest that holds every function used here. */
export const API_VERSION = 20;

/** Positions in the `OrtApi` table (onnxruntime_c_api.h) and signatures of the functions used. */
export const table = {
  getErrorMessage: [2, 'const char* F(void*)'],
  createSessionFromArray: [8, 'void* F(void*, void*, size_t, void*, _Out_ void**)'],
  createSessionOptions: [10, 'void* F(_Out_ void**)'],
  enableProfiling: [14, 'void* F(void*, const char*)'],
  disableMemPattern: [17, 'void* F(void*)'],
  setGraphOptimizationLevel: [23, 'void* F(void*, int)'],
  setIntraOpNumThreads: [24, 'void* F(void*, int)'],
  createTensorWithData: [49, 'void* F(void*, void*, size_t, int64_t*, size_t, int, _Out_ void**)'],
  createCpuMemoryInfo: [69, 'void* F(int, int, _Out_ void**)'],
  allocatorFree: [76, 'void* F(void*, void*)'],
  getAllocator: [78, 'void* F(_Out_ void**)'],
  releaseStatus: [93, 'void F(void*)'],
  releaseSession: [95, 'void F(void*)'],
  releaseValue: [96, 'void F(void*)'],
  releaseSessionOptions: [100, 'void F(void*)'],
  endProfiling: [110, 'void* F(void*, void*, _Out_ void**)'],
  createEnvWithGlobalThreadPools: [119, 'void* F(int, const char*, void*, _Out_ void**)'],
  disablePerSessionThreads: [120, 'void* F(void*)'],
  createThreadingOptions: [121, 'void* F(_Out_ void**)'],
  releaseThreadingOptions: [122, 'void F(void*)'],
  getAvailableProviders: [125, 'void* F(_Out_ void**, _Out_ int*)'],
  releaseAvailableProviders: [126, 'void* F(void*, int)'],
  addSessionConfigEntry: [130, 'void* F(void*, const char*, const char*)'],
  createAllocator: [131, 'void* F(void*, void*, _Out_ void**)'],
  releaseAllocator: [132, 'void F(void*)'],
  runWithBinding: [133, 'void* F(void*, void*, void*)'],
  createIoBinding: [134, 'void* F(void*, _Out_ void**)'],
  releaseIoBinding: [135, 'void F(void*)'],
  bindInput: [136, 'void* F(void*, const char*, void*)'],
  bindOutput: [137, 'void* F(void*, const char*, void*)'],
  setGlobalIntraOpNumThreads: [147, 'void* F(void*, int)'],
  setGlobalInterOpNumThreads: [148, 'void* F(void*, int)'],
  setGlobalSpinControl: [149, 'void* F(void*, int)'],
  registerCustomOpsLibrary: [228, process.platform === 'win32' ? 'void* F(void*, const char16_t*)' : 'void* F(void*, const char*)'],
} as const;

/** The functions used, by name. */
export type Api = Record<keyof typeof table, NativeFunction>;

/** The first version of the table with the functions below, which only reports use. */
export const STATISTICS_VERSION = 23;

/** What reports use where the library has it. */
export const statisticsTable = {
  getKeyValue: [297, 'const char* F(void*, const char*)'],
  releaseKeyValuePairs: [300, 'void F(void*)'],
  allocatorGetStats: [319, 'void* F(void*, _Out_ void**)'],
} as const;

/** The functions for reports, by name. */
export type Statistics = Record<keyof typeof statisticsTable, NativeFunction>;
