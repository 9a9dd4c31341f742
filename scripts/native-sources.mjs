// What the native library is made of: its platforms, its sources and their hash.
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import path from 'node:path';
import { root } from './rooms.mjs';

/** The platforms that have a package in npm/, as `<platform>-<arch>`. */
export const nativePlatforms = ['linux-x64'];

/** The name of a platform's package. */
export const nativeName = (platform) => `@orbit-ts/native-${platform}`;

/** The folder of a platform's package. */
export const nativeFolder = (platform) => path.join(root, 'npm', `native-${platform}`);

/** The library's file name by Node's name of the operating system. */
export const libraryNames = { linux: 'liborbit_native.so', darwin: 'liborbit_native.dylib', win32: 'orbit_native.dll' };

/** The folder of the library's sources. */
export const nativeRoot = path.join(root, 'native');

function files(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => path.relative(nativeRoot, path.join(entry.parentPath, entry.name)).replaceAll(path.sep, '/'));
}

/** Hash of everything that decides what the library does: the sources, ONNX Runtime's header, and what is left of oneDNN. */
export function sourcesHash() {
  const hash = createHash('sha256');
  for (const file of [...files(path.join(nativeRoot, 'src')), ...files(path.join(nativeRoot, 'third_party'))].sort()) {
    hash.update(`${file}\0`).update(readFileSync(path.join(nativeRoot, file)));
  }
  return hash
    .update(readFileSync(path.join(root, 'scripts/native-prune.mjs')))
    .digest('hex')
    .slice(0, 32);
}

/** SHA-256 of a file. */
export const sha256 = (file) => createHash('sha256').update(readFileSync(file)).digest('hex');

/** native/BUILT.json: where each committed binary comes from. */
export const builtFile = path.join(nativeRoot, 'BUILT.json');
