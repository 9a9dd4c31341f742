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

type Api = Record<keyof typeof table, NativeFunction>;

/** The first version of the table with the functions below, which only reports use. */
const STATISTICS_VERSION = 23;

/** What reports use where the library has it. */
const statisticsTable = {
  getKeyValue: [297, 'const char* F(void*, const char*)'],
  releaseKeyValuePairs: [300, 'void F(void*)'],
  allocatorGetStats: [319, 'void* F(void*, _Out_ void**)'],
} as const;

type Statistics = Record<keyof typeof statisticsTable, NativeFunction>;

/** ONNX Runtime as this process holds it: loaded once, one environment, one thread pool for all sessions. */
export interface Ort {
  /** Version text of the library, such as `1.30.0`. */
  readonly version: string;
  /** Path of the shared library. */
  readonly library: string;
  /** Threads of the pool that every session shares. */
  readonly numThreads: number;
  readonly api: Api;
  /** Functions that older libraries lack. */
  readonly statistics: Statistics | undefined;
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
  const given = process.env['ORBIT_NUM_THREADS'] ?? '';
  if (!/^\d*$/.test(given.trim())) {
    throw new UsageError(
      `ORBIT_NUM_THREADS is "${given}", but must be a whole number of at least 0 (0 = automatic). Set it so, or unset it.`,
    );
  }
  return Number(given) || availableParallelism();
}

let poolPerSession = false;

/** Threads of the pool that a session must make for itself; undefined: it uses the pool of all sessions. */
export function threadsPerSession(): number | undefined {
  return poolPerSession ? ort().numThreads : undefined;
}

/** From now on sessions make pools of their own, because there is none for all. */
export function usePoolPerSession(): void {
  poolPerSession = true;
}

/** Loads ONNX Runtime at the first call and returns it. */
export function ort(): Ort {
  loaded ??= load();
  return loaded;
}

/** A loaded library and its table of functions. */
interface Library {
  readonly version: string;
  readonly api: Api;
  readonly statistics: Statistics | undefined;
}

/**
 * Loads a shared library and reads its table of functions.
 *
 * @param apiVersion the version of the table to ask for.
 * @throws OrbitError when the file is no library for this machine, no ONNX Runtime, or too old a one.
 */
export function openLibrary(file: string, apiVersion = API_VERSION): Library {
  let base: unknown;
  try {
    const lib = koffi.load(file);
    keepLoaded.push(lib);
    base = lib.func('void* OrtGetApiBase()')();
  } catch (cause) {
    throw new OrbitError(
      `The ONNX Runtime library ${file} cannot be loaded: ${(cause as Error).message}. It must be ONNX Runtime's shared library for ` +
        `${process.platform}-${process.arch}; reinstall the engine package, or set ORBIT_ORT_LIBRARY to another file.`,
      { cause },
    );
  }
  const [getApi, getVersion] = koffi.decode(base, 'void*', 2) as [unknown, unknown];
  const version = String(koffi.call(getVersion, prototype('const char* F()')));
  const getTable = prototype('void* F(uint32_t)');
  const pointer = koffi.call(getApi, getTable, apiVersion) as unknown;
  if (pointer === null) {
    throw new OrbitError(
      `ONNX Runtime ${version} (${file}) is too old: version 1.${apiVersion} or later is needed. Install a newer engine package, or set ` +
        'ORBIT_ORT_LIBRARY to a newer library.',
    );
  }
  const isRecent = Number(version.split('.')[1]) >= STATISTICS_VERSION || Number(version.split('.')[0]) > 1; // asking an older one prints a warning
  const extra = isRecent ? (koffi.call(getApi, getTable, STATISTICS_VERSION) as unknown) : null;
  return { version, api: functions(pointer, table), statistics: extra === null ? undefined : functions(extra, statisticsTable) };
}

/** Functions of a table of pointers by their positions. */
function functions<K extends string>(pointer: unknown, positions: Record<K, readonly [number, string]>): Record<K, NativeFunction> {
  const entries = Object.entries<readonly [number, string]>(positions);
  const pointers = koffi.decode(pointer, 'void*', Math.max(...entries.map(([, [position]]) => position)) + 1) as unknown[];
  // A decoded function object costs less per call than koffi.call and has an asynchronous form.
  const decoded = entries.map(([name, [position, signature]]) => {
    return [name, koffi.decode(pointers[position], prototype(signature))] as const;
  });
  return Object.fromEntries(decoded) as Record<K, NativeFunction>;
}

type Prototype = ReturnType<typeof koffi.proto>;

const prototypes = new Map<string, Prototype>();

/** Without a name: koffi keeps names for the whole process, where another copy of this package may have taken them. */
function prototype(signature: string): Prototype {
  let known = prototypes.get(signature);
  if (known === undefined) prototypes.set(signature, (known = koffi.proto(signature.replace('F(', '('))));
  return known;
}

function load(): Ort {
  const library = findOnnxRuntime();
  const numThreads = resolveThreads();
  const { version, api, statistics } = openLibrary(library);
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
  const threading = make((out) => api.createThreadingOptions(out));
  check(api.setGlobalIntraOpNumThreads(threading, numThreads));
  check(api.setGlobalInterOpNumThreads(threading, 1));
  check(api.setGlobalSpinControl(threading, 1));
  const fatal = 4; // its log speaks of graphs that users never see; errors come back as statuses
  const env = make((out) => api.createEnvWithGlobalThreadPools(fatal, 'orbit', threading, out));
  api.releaseThreadingOptions(threading);
  const arena = 1;
  const memoryInfo = make((out) => api.createCpuMemoryInfo(arena, 0, out));
  const run = api.runWithBinding as NativeFunction & { async: NativeFunction };
  return {
    version,
    library,
    numThreads,
    api,
    statistics,
    env,
    memoryInfo,
    check,
    make,
    readText: (pointer) => koffi.decode(pointer, 'char', -1) as string,
    runAsync: (session, binding, done) => run.async(session, null, binding, done),
  };
}

/**
 * Loads the library of native kernels and tells it how many threads ONNX Runtime's pool has.
 *
 * @returns what the library says about itself.
 */
export function openNativeLibrary(library: string, threads: number): string {
  const lib = koffi.load(library);
  keepLoaded.push(lib);
  lib.func('void OrbitNativeSetThreads(int)')(threads);
  return String(lib.func('const char* OrbitNativeVersion()')());
}

/** koffi unloads a library when its handle is garbage-collected, while we still hold pointers into it. */
const keepLoaded: LibraryHandle[] = [];
