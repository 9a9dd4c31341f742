// Makes what is published, into npm/: the tarballs of orbit-ts, of every engine package and of the native kernels
// (`--this-platform`: of one platform).
// Only the published manifest lists the engine packages, as optional dependencies: in a checkout `onnxruntime-node` takes
// their place, and an entry that the registry does not have yet would make `npm ci` fail.
import { execFileSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, rmSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { engineName, enginePlatforms, engineVersion, makeEnginePackage } from './make-engine-packages.mjs';
import { nativeFolder, nativeName, nativePlatforms } from './native-sources.mjs';
import { isMain, packageJson, root } from './rooms.mjs';

/** The manifest as published: no scripts, no development packages, the engine packages added, the native ones by version. */
export function publishedManifest() {
  const { scripts, devDependencies, ...manifest } = packageJson;
  const optional = [
    ...enginePlatforms().map((p) => [engineName(p), engineVersion]),
    ...nativePlatforms.map((p) => [nativeName(p), packageJson.version]),
  ];
  return { ...manifest, optionalDependencies: Object.fromEntries(optional) };
}

/** Packs a folder into `outDir`; returns the tarball's path. */
export function packFolder(folder, outDir) {
  mkdirSync(outDir, { recursive: true });
  const output = execFileSync('npm', ['pack', '--json', '--ignore-scripts', '--pack-destination', outDir], {
    cwd: folder,
    encoding: 'utf8',
    shell: process.platform === 'win32',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const report = JSON.parse(output);
  return path.join(outDir, (Array.isArray(report) ? report[0] : Object.values(report)[0]).filename);
}

/** Packs orbit-ts, by default with its published manifest; dist/ must be built. */
export function packProduct(outDir, manifest = publishedManifest()) {
  const stage = path.join(root, 'npm/orbit-ts');
  rmSync(stage, { recursive: true, force: true });
  mkdirSync(stage, { recursive: true });
  for (const file of packageJson.files.filter((f) => existsSync(path.join(root, f))))
    cpSync(path.join(root, file), path.join(stage, file), { recursive: true });
  writeFileSync(path.join(stage, 'package.json'), `${JSON.stringify(manifest, null, 2)}\n`);
  return packFolder(stage, outDir);
}

if (isMain(import.meta)) {
  const outDir = path.join(root, 'npm');
  const platforms = process.argv.includes('--this-platform') ? [`${process.platform}-${process.arch}`] : enginePlatforms();
  for (const platform of platforms) console.log(path.relative(root, packFolder(makeEnginePackage(platform), outDir)));
  for (const platform of platforms.filter((p) => nativePlatforms.includes(p)))
    console.log(path.relative(root, packFolder(nativeFolder(platform), outDir)));
  console.log(path.relative(root, packProduct(outDir)));
}
