// Builds `orbit-ts/tf` into dist/tf: tfjs core, layers and cpu backend as one file, tfjs's host random functions replaced
// by ours, and its declarations as one file. Does nothing when dist/tf is up to date, unless --force is given.
import { build } from 'esbuild';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import path from 'node:path';
import { isMain, root } from './rooms.mjs';
import { writeTfTypes } from './tf-types.mjs';

const outDir = path.join(root, 'dist/tf');
const sourceDir = path.join(root, 'src/tf/bundle');

/** tfjs source files whose host-made random numbers we replace, with the replacement's body. */
const replaced = {
  'random_uniform.js': randomOp('randomUniform', 'uniform'),
  'random_normal.js': randomOp('randomNormal', 'normal'),
  'truncated_normal.js': randomOp('truncatedNormal', 'truncatedNormal'),
  'multinomial.js': `
    import { convertToTensor } from '../tensor_util_env';
    import { ENGINE } from '../engine';
    import { op } from './operation';
    import { reshape } from './reshape';
    export const multinomial = op({ multinomial_: (logits, numSamples, seed, normalized = false) => {
      const x = convertToTensor(logits, 'logits', 'multinomial');
      if (x.size < 2) throw new Error('multinomial needs at least 2 outcomes, but got ' + x.size + '.');
      if (x.rank < 1 || x.rank > 2) throw new Error('multinomial takes logits of rank 1 or 2, but got rank ' + x.rank + '.');
      const rows = x.rank === 1 ? reshape(x, [1, -1]) : x;
      const drawn = ENGINE.runKernel('Multinomial', { logits: rows }, { numSamples, seed, normalized });
      return x.rank === 1 ? reshape(drawn, [drawn.size]) : drawn;
    } });`,
};

function randomOp(name, kind) {
  const refuseBool = kind === 'uniform' ? '' : `if (dtype === 'bool') throw new Error('Unsupported data type bool');`;
  return `
    import { assertNonNegativeIntegerDimensions } from '../util_base';
    import { ENGINE } from '../engine';
    import { op } from './operation';
    export const ${name} = op({ ${name}_: (shape, a = 0, b = 1, dtype = "float32", seed) => {
      assertNonNegativeIntegerDimensions(shape);
      dtype = dtype ?? 'float32'; ${refuseBool}
      return ENGINE.runKernel('CounterRandom', {}, { kind: '${kind}', shape, dtype, a, b, seed });
    } });`;
}

const replacePlugin = {
  name: 'orbit-replacements',
  setup(b) {
    // tfjs asks for it only where the process has no fetch of its own; Node always has.
    b.onLoad({ filter: /node_modules[\\/]node-fetch[\\/]/ }, () => ({ contents: 'module.exports = globalThis.fetch' }));
    b.onLoad({ filter: /tfjs-core[\\/]dist[\\/]ops[\\/](random_uniform|random_normal|truncated_normal|multinomial)\.js$/ }, (args) => ({
      contents: replaced[path.basename(args.path)],
      resolveDir: path.dirname(args.path),
      loader: 'js',
    }));
    for (const [file, change] of Object.entries(changed)) {
      b.onLoad({ filter: new RegExp(`tfjs-layers[\\\\/]dist[\\\\/]layers[\\\\/]${file.replace('.', '\\.')}$`) }, (args) => ({
        contents: change(readFileSync(args.path, 'utf8')),
        resolveDir: path.dirname(args.path),
        loader: 'js',
      }));
    }
  },
};

/** Files of tfjs's layers, and what becomes of each. */
const changed = {
  // Lets the compiler take over the loop over time steps.
  'recurrent.js': (source) =>
    `import { recurrence } from ${JSON.stringify(path.join(sourceDir, 'recurrence.ts'))};
    export function rnn(...args) { return recurrence.roll ? recurrence.roll(unrolledRnn, args) : unrolledRnn(...args); }
    ${replaceText(source, 'export function rnn(', 'function unrolledRnn(')}`,
  // A layer without scale or centre has no gamma or beta to read in training, and the gradient wants both.
  'normalization.js': (source) =>
    replaceText(
      replaceText(source, '(input, this.gamma.read(), this.beta.read(),', '(input, this.gamma?.read(), this.beta?.read(),'),
      'export function batchNormalization(x, mean, variance, beta, gamma, epsilon = 1e-3) {',
      'export function batchNormalization(x, mean, variance, beta, gamma, epsilon = 1e-3) { gamma ??= tfc.onesLike(variance); beta ??= tfc.zerosLike(variance);',
    ),
};

function replaceText(source, text, replacement) {
  const parts = source.split(text);
  if (parts.length !== 2) throw new Error(`tfjs-layers no longer has "${text}" once in the file where it is replaced`);
  return parts.join(replacement);
}

function upToDate() {
  const sources = readdirSync(sourceDir).map((f) => path.join(sourceDir, f));
  const scripts = ['build-tf.mjs', 'tf-types.mjs'].map((f) => path.join(root, 'scripts', f));
  const newest = Math.max(...[...sources, ...scripts].map((f) => statSync(f).mtimeMs));
  return ['index.js', 'index.d.ts'].every((f) => {
    const file = path.join(outDir, f);
    return existsSync(file) && statSync(file).mtimeMs > newest;
  });
}

/** Builds dist/tf when a source is newer, or always with `force`. */
export async function buildTf({ force = false } = {}) {
  if (!force && upToDate()) return;
  mkdirSync(outDir, { recursive: true });
  const temporary = mkdtempSync(path.join(outDir, '.new-')); // files appear whole: other processes may be reading the old ones
  const declarations = writeTfTypes(path.join(sourceDir, 'index.ts'), path.join(temporary, 'index.d.ts'));
  await build({
    entryPoints: [path.join(sourceDir, 'index.ts')],
    outfile: path.join(temporary, 'index.js'),
    bundle: true,
    minify: true,
    lineLimit: 200, // Node prints the whole line of an error that nobody catches
    keepNames: true,
    format: 'esm',
    platform: 'node',
    target: 'node20',
    mainFields: ['module', 'main'],
    ignoreAnnotations: true, // the chained ops and gradients register themselves as side effects
    legalComments: 'none', // the licences stand in NOTICE and dist/tf/LICENSES.txt
    plugins: [replacePlugin],
    logLevel: 'warning',
    banner: {
      js: "import { createRequire as __orbitCreateRequire } from 'node:module'; const require = __orbitCreateRequire(import.meta.url);",
    },
  });
  await declarations;
  cpSync(path.join(root, 'scripts/licenses/tfjs.txt'), path.join(temporary, 'LICENSES.txt'));
  for (const file of readdirSync(temporary)) renameSync(path.join(temporary, file), path.join(outDir, file));
  rmSync(temporary, { recursive: true });
}

if (isMain(import.meta)) await buildTf({ force: process.argv.includes('--force') });
