// Builds dist/: one JavaScript entry per door of `exports`, the command and the workers, over shared chunks; and the
// declarations. `--js` leaves the declarations out. Files appear whole and old ones go last, so that a running process of
// an earlier build is not cut off.
import { build } from 'esbuild';
import { spawn } from 'node:child_process';
import { readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { buildTf } from './build-tf.mjs';
import { bundledPackages, doors, packageJson, programs, root } from './rooms.mjs';

const started = Date.now();
const dist = path.join(root, 'dist');

/**
 * A file's own address changes when it is bundled, so `new URL('./x.js', import.meta.url)` is rewritten to the same file's
 * address seen from the package's root. A package that is taken in is not installed with ours, so what requires it by its
 * name at run time becomes a `require` that esbuild sees: still run at the first use.
 */
const ownAddressPlugin = {
  name: 'orbit-own-address',
  setup(b) {
    b.onLoad({ filter: /[\\/]src[\\/].*\.ts$/ }, (args) => {
      const text = readFileSync(args.path, 'utf8');
      if (!text.includes('import.meta.url')) return undefined;
      const taken = text.replace(/createRequire\(import\.meta\.url\)\('([^']+)'\)/g, (found, name) =>
        name in bundledPackages ? `require('${name}')` : found,
      );
      const contents = taken.replace(/new URL\((['"`])(\.{1,2}\/[^'"`]+)\1,\s*import\.meta\.url\)/g, (_, quote, relative) => {
        const target = path.relative(root, path.resolve(path.dirname(args.path), relative)).replaceAll(path.sep, '/');
        return `new URL('./${target.replace(/^src\//, 'dist/')}', import.meta.resolve('#package.json'))`;
      });
      return { contents, loader: 'ts' };
    });
  },
};

async function buildJavaScript() {
  const entries = [
    ...doors()
      .filter((d) => d.exists)
      .map((d) => d.source),
    ...programs(),
  ];
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: entries,
    outbase: 'src',
    outdir: 'dist',
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    target: 'node20.19',
    external: [
      '#tf',
      '#package.json',
      ...Object.keys(packageJson.dependencies),
      ...Object.keys(packageJson.peerDependencies),
      'onnxruntime-node',
      '@orbit-ts/*',
    ],
    alias: Object.fromEntries(Object.entries(bundledPackages).flatMap(([name, file]) => (file ? [[name, path.join(root, file)]] : []))),
    chunkNames: 'chunks/[name]-[hash]',
    sourcemap: true,
    legalComments: 'none', // the licences stand in dist/LICENSES.txt
    metafile: true,
    plugins: [ownAddressPlugin],
    logLevel: 'warning',
  });
  writeLicences(Object.keys(metafile.inputs));
  return Object.keys(metafile.outputs).map((f) => path.join(root, f));
}

/** Writes the licences of the packages that were taken in, and fails on one that was not meant to be. */
function writeLicences(inputs) {
  const names = [...new Set(inputs.flatMap((f) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(f)?.[1] ?? []))].sort();
  const texts = names.map((name) => {
    if (!(name in bundledPackages)) throw new Error(`${name} was bundled: list it under dependencies, or in scripts/rooms.mjs`);
    const folder = path.join(root, 'node_modules', name);
    const { version, license } = JSON.parse(readFileSync(path.join(folder, 'package.json'), 'utf8'));
    const file = readdirSync(folder).find((f) => /^licen[cs]e/i.test(f));
    const text = readFileSync(file ? path.join(folder, file) : path.join(root, `scripts/licenses/${path.basename(name)}.txt`), 'utf8');
    return `${name} ${version} (${license})\n\n${text.trim()}\n`;
  });
  const head = 'The JavaScript files beside and below this one contain parts of these packages. For dist/tf see dist/tf/LICENSES.txt.\n';
  writeFileSync(path.join(dist, 'LICENSES.txt'), [head, ...texts].join(`\n${'-'.repeat(80)}\n\n`));
}

function buildDeclarations() {
  const tsc = path.join(root, 'node_modules/typescript/bin/tsc');
  const child = spawn(process.execPath, [tsc, '-p', 'tsconfig.build.json', '--listEmittedFiles', '--pretty', 'false'], { cwd: root });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (text) => (output += text));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (status) => {
      const emitted = [];
      const messages = output.split('\n').filter((line) => {
        const file = /^TSFILE: (.*)$/.exec(line)?.[1];
        if (file) emitted.push(path.resolve(file));
        return !file && line !== '';
      });
      if (messages.length > 0) console.error(messages.join('\n'));
      resolve({ emitted, ok: status === 0 });
    });
  });
}

function isOldFile(file) {
  const stats = statSync(file, { throwIfNoEntry: false });
  return stats?.isFile() && stats.mtimeMs < started;
}

/** Removes what earlier builds left in dist/ beside dist/tf's bundle; files of a build that runs at the same time are newer. */
function removeOld(kept, pattern) {
  for (const file of readdirSync(dist, { recursive: true })) {
    const absolute = path.join(dist, file);
    if (/^tf[\\/]index\./.test(file) || !pattern.test(file) || kept.has(absolute) || !isOldFile(absolute)) continue;
    rmSync(absolute, { force: true });
  }
}

await buildTf();
const declarations = process.argv.includes('--js') ? null : buildDeclarations();
removeOld(new Set(await buildJavaScript()), /\.js(\.map)?$/);
const { emitted, ok } = (await declarations) ?? { ok: true };
if (ok && emitted) removeOld(new Set(emitted), /\.d\.ts$/);
console.log(`built dist/ in ${((Date.now() - started) / 1000).toFixed(1)} s`);
if (!ok) process.exitCode = 1;
