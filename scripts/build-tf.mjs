// Builds `orbit-ts/tf`: tfjs core, layers and cpu backend as one file, tfjs's host random functions replaced by ours.
import { build } from 'esbuild';
import { existsSync, mkdirSync, statSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';

const root = path.resolve(import.meta.dirname, '..');
const outDir = path.join(root, 'dist/tf');
const sourceDir = path.join(root, 'src/tf/bundle');

/** tfjs source files whose host-made random numbers we replace, with the replacement's body. */
const replaced = {
  'ops/random_uniform.js': randomOp('randomUniform', 'uniform', 'shape, a = 0, b = 1, dtype = "float32", seed'),
  'ops/random_normal.js': randomOp('randomNormal', 'normal', 'shape, a = 0, b = 1, dtype = "float32", seed'),
  'ops/truncated_normal.js': randomOp('truncatedNormal', 'truncatedNormal', 'shape, a = 0, b = 1, dtype = "float32", seed'),
};

function randomOp(name, kind, parameters) {
  const refuseBool = kind === 'uniform' ? '' : `if (dtype === 'bool') throw new Error('Unsupported data type bool');`;
  return `
    import { assertNonNegativeIntegerDimensions } from '../util_base';
    import { ENGINE } from '../engine';
    import { op } from './operation';
    export const ${name} = op({ ${name}_: (${parameters}) => {
      assertNonNegativeIntegerDimensions(shape);
      dtype = dtype ?? 'float32'; ${refuseBool}
      return ENGINE.runKernel('CounterRandom', {}, { kind: '${kind}', shape, dtype, a, b, seed });
    } });`;
}

const plugin = {
  name: 'orbit-random',
  setup(b) {
    b.onLoad({ filter: /tfjs-core[\\/]dist[\\/]ops[\\/](random_uniform|random_normal|truncated_normal)\.js$/ }, (args) => ({
      contents: replaced[`ops/${path.basename(args.path)}`],
      resolveDir: path.dirname(args.path),
      loader: 'js',
    }));
  },
};

const newest = Math.max(...readdirSync(sourceDir).map((f) => statSync(path.join(sourceDir, f)).mtimeMs), statSync(import.meta.filename).mtimeMs);
const out = path.join(outDir, 'index.js');
if (!process.argv.includes('--force') && existsSync(out) && statSync(out).mtimeMs > newest) process.exit(0);

mkdirSync(outDir, { recursive: true });
await build({
  entryPoints: [path.join(sourceDir, 'index.js')],
  outfile: out,
  bundle: true,
  minify: true,
  keepNames: true,
  format: 'esm',
  platform: 'node',
  target: 'node20',
  mainFields: ['module', 'main'],
  ignoreAnnotations: true, // the chained ops and gradients register themselves as side effects
  legalComments: 'none',
  plugins: [plugin],
  logLevel: 'warning',
  banner: { js: "import { createRequire as __orbitCreateRequire } from 'node:module'; const require = __orbitCreateRequire(import.meta.url);" },
});
writeFileSync(
  path.join(outDir, 'index.d.ts'),
  `import '@tensorflow/tfjs-core/dist/public/chained_ops/register_all_chained_ops.js';
export * from '@tensorflow/tfjs-core';
export * from '@tensorflow/tfjs-layers';
/** @internal */
export declare const stepRandom: {
  readonly kernelName: string; variable: import('@tensorflow/tfjs-core').Variable | null; call: number;
  mix(x: number): number; readonly GOLDEN: number; readonly ERFINV: readonly number[]; readonly TRUNCATION: number;
  state(): import('@tensorflow/tfjs-core').Variable; setSeed(seed: number, counter?: number): void; hashSeed(seed: unknown): number;
};
`,
);
