import { existsSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { UsageError } from '../../errors.js';

const names: Partial<Record<NodeJS.Platform, string>> = {
  linux: 'libonnxruntime.so.1',
  darwin: 'libonnxruntime.1.dylib',
  win32: 'onnxruntime.dll',
};

/**
 * Finds ONNX Runtime's shared library: the environment variable `ORBIT_ORT_LIBRARY` (a file), else the engine package
 * `@orbit-ts/engine-<platform>-<arch>`, else the package `onnxruntime-node`.
 *
 * @param from modules whose packages are searched: this one, and the program's folder.
 * @returns the absolute path of the library.
 * @throws UsageError when there is none for this platform; the message says what to install.
 */
export function findOnnxRuntime(from: readonly string[] = [import.meta.url, path.join(process.cwd(), 'package.json')]): string {
  const given = process.env['ORBIT_ORT_LIBRARY'];
  if (given) {
    if (existsSync(given)) return path.resolve(given);
    throw new UsageError(`ORBIT_ORT_LIBRARY names ${given}, which does not exist. Set it to ONNX Runtime's shared library or unset it.`);
  }
  const name = names[process.platform];
  const engine = `@orbit-ts/engine-${process.platform}-${process.arch}`;
  if (name !== undefined) {
    for (const module of from) {
      const require = createRequire(module);
      for (const [pkg, folder] of [
        [engine, ''],
        ['onnxruntime-node', `bin/napi-v6/${process.platform}/${process.arch}`],
      ] as const) {
        const root = packageRoot(require, pkg);
        const file = root === undefined ? undefined : path.join(root, folder, name);
        if (file !== undefined && existsSync(file)) return file;
      }
    }
  }
  throw new UsageError(
    `No ONNX Runtime library for ${process.platform}-${process.arch} was found. Install it with "npm install ${engine}" ` +
      'or "npm install --ignore-scripts onnxruntime-node", or set ORBIT_ORT_LIBRARY to the path of the shared library.' +
      (process.platform === 'darwin' && process.arch === 'x64' ? ' (There is no prebuilt library for Intel Macs.)' : ''),
  );
}

/** The folder of an installed package, as a module would find it. */
export function packageRoot(require: NodeJS.Require, pkg: string): string | undefined {
  for (const folder of require.resolve.paths(pkg) ?? []) {
    const root = path.join(folder, pkg);
    if (existsSync(path.join(root, 'package.json'))) return root;
  }
  return undefined;
}
