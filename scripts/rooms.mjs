// The package's doors: which source file stands behind each entry of `exports`, and the command's file.
import { existsSync, readFileSync, readdirSync, realpathSync } from 'node:fs';
import path from 'node:path';

/** The repository's root folder. */
export const root = path.resolve(import.meta.dirname, '..');

/** The parsed package.json. */
export const packageJson = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'));

/** Folder of dist/ that is built on its own, from scripts/build-tf.mjs. */
export const tfDoor = './tf';

/**
 * Packages that the build takes into dist/ (devDependencies), each with the file it starts from where that is not the
 * package's own: imported as they come they cost 100 ms and more at the start of every process.
 */
export const bundledPackages = { yaml: 'node_modules/yaml/browser/dist/index.js', '@bufbuild/protobuf': null };

/** The doors of `exports` that lead to code: `{ door: './orbit', source: 'src/orbit/index.ts', exists }`. */
export function doors() {
  return Object.entries(packageJson.exports)
    .filter(([door]) => door !== tfDoor && door !== './package.json')
    .map(([door, target]) => {
      const source = target.default.replace(/^\.\/dist\//, 'src/').replace(/\.js$/, '.ts');
      return { door, target, source, exists: existsSync(path.join(root, source)) };
    });
}

/** Source files that start a process or a thread of their own: the command and the workers. */
export function programs() {
  const command = packageJson.bin.orbit.replace(/^dist\//, 'src/').replace(/\.js$/, '.ts');
  const workers = readdirSync(path.join(root, 'src'), { recursive: true })
    .filter((f) => /[.-]worker\.ts$/.test(f))
    .map((f) => `src/${f.replaceAll(path.sep, '/')}`);
  return [command, ...workers].filter((f) => existsSync(path.join(root, f)));
}

/** Whether a script was started itself rather than imported. */
export const isMain = (meta) =>
  process.argv[1] !== undefined && existsSync(process.argv[1]) && realpathSync(process.argv[1]) === meta.filename;
