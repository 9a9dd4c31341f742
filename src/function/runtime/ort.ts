/**
 * ONNX Runtime's C API, called through koffi: the only file that knows either. `OrtApi` is an append-only table of function
 * pointers, so a position fixed by the header of one release holds in every later one.
 */
import koffi, { type LibraryHandle } from 'koffi';
import { availableParallelism } from 'node:os';
import { OrbitError, UsageError } from '../../errors.js';
import { findOnnxRuntime } from './library.js';

/** An opaque native handle. */
export type Handle = unknown;
type NativeFunction = (...args: unknown[]) => unknown;

/** The version of the `OrtApi` table we ask for: the oldest that holds every function used here. */
const API_VERSION = 20;

/** Positions in the `OrtApi` table (onnxruntime_c_api.h) and signatures of the functions used. */
const table = {
  getErrorMessage: [2, 'const char* F(void*)'],
  createSessionFromArray: [8, 'void* F(void*, void*, size_t, void*, _Out_ void**)'],
  createSessionOptions: [10, 'void* F(_Out_ void**)'],
  enableProfiling: [14, 'void* F(void*, const char*)'],
  disableMemPattern: [17, 'void* F(void*)'],
  setGraphOptimizationLevel: [23, 'void* F(void*, int)'],
  createTensorWithData: [49, 'void* F(void*, void*, size_t, int64_t*, size_t, int, _Out_ void**)'],
  createCpuMemoryInfo: [69, 'void* F(int, int, _Out_ void**)'],
  getAllocator: [78, 'void* F(_Out_ void**)'],
  releaseStatus: [93, 'void F(void*)'],
  releaseSession: [95, 'void F(void*)'],
  releaseValue: [96, 'void F(void*)'],
  releaseSessionOptions: [100, 'void F(void*)'],
  endProfiling: [110, 'void* F(void*, void*, _Out_ void**)'],
  createEnvWithGlobalThreadPools: [119, 'void* F(int, const char*, void*, _Out_ void**)'],
  disablePerSessionThreads: [120, 'void* F(void*)'],
  createThreadingOptions: [121, 'void* F(_Out_ void**)'],
  addSessionConfigEntry: [130, 'void* F(void*, const char*, const char*)'],
  runWithBinding: [133, 'void* F(void*, void*, void*)'],
  createIoBinding: [134, 'void* F(void*, _Out_ void**)'],
  releaseIoBinding: [135, 'void F(void*)'],
  bindInput: [136, 'void* F(void*, const char*, void*)'],
  bindOutput: [137, 'void* F(void*, const char*, void*)'],
  setGlobalIntraOpNumThreads: [147, 'void* F(void*, int)'],
  setGlobalInterOpNumThreads: [148, 'void* F(void*, int)'],
  setGlobalSpinControl: [149, 'void* F(void*, int)'],
} as const;

type Api = Record<keyof typeof table, NativeFunction>;

/** ONNX Runtime as this process holds it: loaded once, one environment, one thread pool for all sessions. */
export interface Ort {
  /** Version text of the library, such as `1.30.0`. */
  readonly version: string;
  /** Path of the shared library. */
  readonly library: string;
  /** Threads of the pool that every session shares. */
  readonly numThreads: number;
  readonly api: Api;
  readonly env: Handle;
  readonly memoryInfo: Handle;
  /** Throws an OrbitError with ONNX Runtime's own message when `status` is not null. */
  check(status: unknown): void;
  /** Calls a function whose last parameter is an out-pointer and returns what it wrote. */
  make(call: (out: [Handle]) => unknown): Handle;
  /** Reads a zero-terminated text at a native address. */
  readText(pointer: Handle): string;
  /** `RunWithBinding` in the background: calls back with the status to pass to `check`. */
  runAsync(session: Handle, binding: Handle, done: (error: unknown, status: unknown) => void): void;
}

let loaded: Ort | undefined;
let requestedThreads = 0;

/**
 * Sets how many threads compiled steps may use together. Takes effect only before the first step is compiled.
 *
 * @param threads 0 = `ORBIT_NUM_THREADS` if set, else one per available processor.
 * @throws UsageError when ONNX Runtime already runs with another number.
 */
export function setNumThreads(threads: number): void {
  if (!Number.isInteger(threads) || threads < 0) {
    throw new UsageError(`The number of threads must be a whole number of at least 0 (0 = automatic), but is ${threads}.`);
  }
  requestedThreads = threads;
  if (loaded !== undefined && resolveThreads() !== loaded.numThreads) {
    throw new UsageError(
      `ONNX Runtime already runs with ${loaded.numThreads} threads; ${threads} cannot be set any more. Set the number before the first compiled step.`,
    );
  }
}

function resolveThreads(): number {
  if (requestedThreads > 0) return requestedThreads;
  const given = Number(process.env['ORBIT_NUM_THREADS'] ?? 0);
  return Number.isInteger(given) && given > 0 ? given : availableParallelism();
}

/** Loads ONNX Runtime at the first call and returns it. */
export function ort(): Ort {
  loaded ??= load();
  return loaded;
}

function load(): Ort {
  const library = findOnnxRuntime();
  let lib: LibraryHandle;
  try {
    lib = koffi.load(library);
  } catch (cause) {
    throw new OrbitError(`The ONNX Runtime library ${library} cannot be loaded: ${String((cause as Error).message)}`, { cause });
  }
  keepLoaded.push(lib);
  const base = lib.func('void* OrtGetApiBase()')();
  const [getApi, getVersion] = koffi.decode(base, 'void*', 2) as [unknown, unknown];
  const version = String(koffi.call(getVersion, koffi.proto('const char* OrbitOrtVersion()')));
  const apiPointer = koffi.call(getApi, koffi.proto('void* OrbitOrtGetApi(uint32_t)'), API_VERSION);
  if (apiPointer === null) {
    throw new OrbitError(`ONNX Runtime ${version} (${library}) is too old: version 1.20 or later is needed.`);
  }
  const size = Math.max(...Object.values(table).map(([position]) => position)) + 1;
  const pointers = koffi.decode(apiPointer, 'void*', size) as unknown[];
  const api = {} as Api;
  for (const [name, [position, signature]] of Object.entries(table)) {
    const prototype = koffi.proto(signature.replace('F(', `Orbit_${name}(`));
    // A decoded function object costs less per call than koffi.call and has an asynchronous form.
    api[name as keyof Api] = koffi.decode(pointers[position], prototype) as NativeFunction;
  }
  const check = (status: unknown): void => {
    if (status === null || status === undefined) return;
    const message = String(api.getErrorMessage(status));
    api.releaseStatus(status);
    throw new OrbitError(`ONNX Runtime: ${message}`);
  };
  const make = (call: (out: [Handle]) => unknown): Handle => {
    const out: [Handle] = [null];
    check(call(out));
    return out[0];
  };
  const numThreads = resolveThreads();
  const threading = make((out) => api.createThreadingOptions(out));
  check(api.setGlobalIntraOpNumThreads(threading, numThreads));
  check(api.setGlobalInterOpNumThreads(threading, 1));
  check(api.setGlobalSpinControl(threading, 1));
  const fatal = 4; // its log speaks of graphs that users never see; errors come back as statuses
  const env = make((out) => api.createEnvWithGlobalThreadPools(fatal, 'orbit', threading, out));
  const arena = 1;
  const memoryInfo = make((out) => api.createCpuMemoryInfo(arena, 0, out));
  const run = api.runWithBinding as NativeFunction & { async: NativeFunction };
  return {
    version,
    library,
    numThreads,
    api,
    env,
    memoryInfo,
    check,
    make,
    readText: (pointer) => koffi.decode(pointer, 'char', -1) as string,
    runAsync: (session, binding, done) => run.async(session, null, binding, done),
  };
}

/** koffi unloads a library when its handle is garbage-collected, while we still hold pointers into it. */
const keepLoaded: LibraryHandle[] = [];
