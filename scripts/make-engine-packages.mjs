// Makes the packages that carry ONNX Runtime's shared library, one per platform, into npm/engine-<platform>-<arch>/.
// Usage: make-engine-packages.mjs [--all | <platform>-<arch>…]   (default: this machine's)
//
// The libraries come from the devDependency `onnxruntime-node`, whose own install script downloads further files from
// outside the registry; these packages hold the one file that orbit-ts loads, its licences and nothing that runs.
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { isMain, root } from './rooms.mjs';

const onnxruntime = path.join(root, 'node_modules/onnxruntime-node');
const { version } = JSON.parse(readFileSync(path.join(onnxruntime, 'package.json'), 'utf8'));
const binaries = path.join(onnxruntime, 'bin/napi-v6');
const licences = path.join(root, `scripts/licenses/onnxruntime-${version}`);

/** The file that orbit-ts loads; DirectML and the WebGPU shader compiler of Windows are left out (licences of their own). */
const libraries = { linux: 'libonnxruntime.so.1', darwin: 'libonnxruntime.1.dylib', win32: 'onnxruntime.dll' };

/** Every platform that `onnxruntime-node` ships, as `<platform>-<arch>`. There is none for Intel Macs. */
export function enginePlatforms() {
  return readdirSync(binaries).flatMap((platform) => readdirSync(path.join(binaries, platform)).map((arch) => `${platform}-${arch}`));
}

/** The name of a platform's engine package. */
export const engineName = (platform) => `@orbit-ts/engine-${platform}`;

/** The version of all engine packages: that of the ONNX Runtime inside. */
export const engineVersion = version;

/** Makes one engine package; returns its folder. */
export function makeEnginePackage(platform) {
  if (!existsSync(licences)) {
    throw new Error(
      `${path.relative(root, licences)} is missing: add LICENSE and ThirdPartyNotices.txt of ONNX Runtime ${version} (its PyPI wheel holds both)`,
    );
  }
  const [os, cpu] = platform.split('-');
  const library = libraries[os];
  const source = path.join(binaries, os, cpu, library);
  if (!existsSync(source))
    throw new Error(`onnxruntime-node ${version} has no library for ${platform}; it has ${enginePlatforms().join(', ')}`);

  const folder = path.join(root, 'npm', `engine-${platform}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  copyFileSync(source, path.join(folder, library));
  for (const file of readdirSync(licences)) copyFileSync(path.join(licences, file), path.join(folder, file));

  const sha256 = createHash('sha256').update(readFileSync(source)).digest('hex');
  const manifest = {
    name: engineName(platform),
    version,
    description: `ONNX Runtime ${version} for orbit-ts on ${platform}: the shared library alone.`,
    license: 'MIT',
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' ? { libc: ['glibc'] } : {}),
    files: [library, 'LICENSE', 'ThirdPartyNotices.txt', 'engine.json'],
    exports: { './package.json': './package.json', './engine.json': './engine.json' },
  };
  const engine = { library, sha256, onnxruntime: version, source: `onnxruntime-node@${version}/bin/napi-v6/${os}/${cpu}/${library}` };
  const readme = `# ${manifest.name}\n\n${manifest.description}\nInstalled by [orbit-ts](https://www.npmjs.com/package/orbit-ts); nothing to import, no scripts.\n
\`${library}\` is the unchanged file of \`onnxruntime-node\` ${version} (Copyright Microsoft Corporation, MIT; see LICENSE and\nThirdPartyNotices.txt). SHA-256: \`${sha256}\`.\n`;
  const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
  writeFileSync(path.join(folder, 'package.json'), json(manifest));
  writeFileSync(path.join(folder, 'engine.json'), json(engine));
  writeFileSync(path.join(folder, 'README.md'), readme);
  return folder;
}

if (isMain(import.meta)) {
  const wanted = process.argv.slice(2);
  const platforms = wanted.includes('--all') ? enginePlatforms() : wanted.length > 0 ? wanted : [`${process.platform}-${process.arch}`];
  for (const platform of platforms) console.log(path.relative(root, makeEnginePackage(platform)));
}
