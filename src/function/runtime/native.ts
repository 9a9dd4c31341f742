/** The library of native kernels: which one is used, if any, and why not. */
import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UsageError } from '../../errors.js';
import { notice } from '../../notice.js';
import { packageRoot } from './library.js';
import { openNativeLibrary, ort } from './ort.js';

/** Version of the contract between the lowerings and the library: ops, attributes, numbers of instructions. */
const INTERFACE = 1;

const names: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'liborbit_native.so',
  darwin: 'liborbit_native.dylib',
  win32: 'orbit_native.dll',
};

/** The loaded library. */
export interface NativeLibrary {
  /** Path of the shared library. */
  readonly library: string;
  /** What it says about itself: interface, hash of its sources, oneDNN's version, instruction set, ops. */
  readonly version: string;
  /** The ops of the domain `orbit` that it has. */
  readonly ops: ReadonlySet<string>;
}

/** The library, or why there is none. */
type State = { readonly native: NativeLibrary } | { readonly reason: string };

let state: State | undefined;
let told = false;

/**
 * The library of native kernels for compiled steps, loaded at the first call.
 *
 * @param wanted the option `nativeKernels`; true is the default.
 * @returns undefined where it is switched off (`ORBIT_NATIVE_KERNELS=0` too) or there is none for this platform, which is
 *   told once.
 * @throws UsageError when `ORBIT_NATIVE_LIBRARY` or `ORBIT_NATIVE_KERNELS` is set to something that cannot be used.
 */
export function nativeLibrary(wanted: boolean): NativeLibrary | undefined {
  if (!wanted || !allowed()) return undefined;
  state ??= load();
  if ('native' in state) return state.native;
  if (!told) {
    told = true;
    notice(`Note: compiled steps run on ONNX Runtime's own operators: ${state.reason}`);
  }
  return undefined;
}

function allowed(): boolean {
  const given = process.env['ORBIT_NATIVE_KERNELS'];
  if (given === undefined || given === '' || given === '1' || given === 'true') return true;
  if (given === '0' || given === 'false') return false;
  throw new UsageError(`ORBIT_NATIVE_KERNELS is "${given}". Set it to 0 to run without native kernels, or to 1, or unset it.`);
}

function load(): State {
  const library = find();
  if (library === undefined) return { reason: `there are no native kernels for ${process.platform}-${process.arch}.` };
  let version: string;
  try {
    version = openNativeLibrary(library, ort().numThreads);
  } catch (cause) {
    return { reason: `the native kernels in ${library} cannot be loaded (${(cause as Error).message}).` };
  }
  const found = /\binterface=(\d+)/.exec(version)?.[1];
  if (found !== String(INTERFACE)) {
    return { reason: `the native kernels in ${library} have the interface ${found ?? 'of another library'}, not ${INTERFACE}.` };
  }
  const ops = new Set(/\bops=(\S*)/.exec(version)?.[1]?.split(',') ?? []);
  return { native: { library, version, ops } };
}

function find(): string | undefined {
  const given = process.env['ORBIT_NATIVE_LIBRARY'];
  if (given) {
    if (existsSync(given)) return path.resolve(given);
    throw new UsageError(`ORBIT_NATIVE_LIBRARY names ${given}, which does not exist. Set it to the library of native kernels or unset it.`);
  }
  const name = names[process.platform];
  if (name === undefined) return undefined;
  for (const from of [import.meta.url, path.join(process.cwd(), 'package.json')]) {
    const root = packageRoot(createRequire(from), `@orbit-ts/native-${process.platform}-${process.arch}`);
    const file = root === undefined ? undefined : path.join(root, name);
    if (file !== undefined && existsSync(file)) return file;
  }
  return undefined;
}
