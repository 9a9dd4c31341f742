/** ONNX Runtime's C API, called through koffi, which no other file of the compiler knows. */
import koffi, { type LibraryHandle } from 'koffi';
import { OrbitError } from '../../errors.js';
import { API_VERSION, STATISTICS_VERSION, statisticsTable, table, type Api, type NativeFunction, type Statistics } from './api-table.js';
import { findOnnxRuntime } from './library.js';
import { chosenThreads, fixThreads } from './threads.js';

/** An opaque native handle. */
export type Handle = unknown;

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
  const numThreads = chosenThreads();
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
  fixThreads(numThreads);
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
