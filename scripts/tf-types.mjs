// Rolls the declarations of the tfjs bundle up into one file that needs neither the DOM library, nor other packages, nor
// `skipLibCheck`. tfjs's own files need all three, and declare the chained methods (`x.add(y)`) by augmentation of modules
// that no longer exist in a single file.
import { readFileSync, readdirSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { rollup } from 'rollup';
import { dts } from 'rollup-plugin-dts';

const root = path.resolve(import.meta.dirname, '..');
const chainedOps = path.join(root, 'node_modules/@tensorflow/tfjs-core/dist/public/chained_ops');

/**
 * Names of the browser and of other packages that tfjs's declarations use. Where the program has the real type (DOM library,
 * Node's types) that one is meant, else what is written here.
 */
const browserTypes = {
  File: '{ readonly name: string; readonly size: number; arrayBuffer(): Promise<ArrayBuffer> }',
  HTMLCanvasElement: '{ width: number; height: number }',
  HTMLImageElement: '{ width: number; height: number }',
  HTMLSourceElement: '{ src: string }',
  HTMLVideoElement: '{ width: number; height: number }',
  ImageBitmap: '{ readonly width: number; readonly height: number }',
  ImageData: '{ readonly width: number; readonly height: number; readonly data: Uint8ClampedArray }',
  Navigator: '{ readonly userAgent: string }',
  Response:
    '{ readonly ok: boolean; readonly status: number; json(): Promise<unknown>; text(): Promise<string>; arrayBuffer(): Promise<ArrayBuffer> }',
  WebGLTexture: 'object',
  GPUBuffer: 'object',
};

const preamble = `// The declarations of TensorFlow.js (Apache-2.0 and MIT, see LICENSES.txt) as orbit-ts bundles it.
type _Global<Name extends string, Otherwise> = typeof globalThis extends Record<Name, { prototype: infer T }> ? T : Otherwise;
${Object.entries(browserTypes)
  .map(([name, shape]) => `type ${name} = _Global<'${name}', ${shape}>;`)
  .join('\n')}
type ReadableStream<T> = _Global<'ReadableStream', AsyncIterable<T>>;
type _Fetch = typeof globalThis extends { fetch: infer F extends (...args: never[]) => unknown } ? F : (input: string, init?: object) => Promise<Response>;
type RequestInit = NonNullable<Parameters<_Fetch>[1]>;
type WebGLContextAttributes = object;
type Long = { toNumber(): number };
`;

/** Places where tfjs's declarations contradict themselves under \`strict\`, each with what it should say. */
const corrections = [
  // LayersModel's symbolic inputs have unknown dimensions (null), which the interface does not allow.
  [/(declare class LayersModel extends Container) implements InferenceModel\b/, '$1'],
  // Optional keys beside an index signature without undefined.
  [/\[key: string\]: PyJsonValue;/g, '[key: string]: unknown;'],
  [/\bfetchFunc\?: typeof fetch;/g, 'fetchFunc?: _Fetch;'],
  [/^\/\/\/ <(?:reference|amd-module)[^\n]*\n/gm, ''],
  [/\/\*\*?\n \* @license[\s\S]*?\*\/\n/g, ''],
];

/** The chained methods: the bodies of all \`interface Tensor\` augmentations. */
function chainedMethods() {
  const bodies = readdirSync(chainedOps)
    .filter((f) => f.endsWith('.d.ts') && !f.startsWith('register_all_chained_ops'))
    .map((f) => {
      const body = /interface Tensor<R extends Rank = Rank> \{\n([\s\S]*?)\n {4}\}/.exec(
        readFileSync(path.join(chainedOps, f), 'utf8'),
      )?.[1];
      if (body === undefined) throw new Error(`no chained method found in ${f}`);
      return body.replace(/^ {4}/gm, '');
    });
  return `interface Tensor<R extends Rank = Rank> {\n${bodies.join('\n')}\n}\n`;
}

/** Writes the declarations of \`entry\` to \`outFile\`, atomically. */
export async function writeTfTypes(entry, outFile) {
  const bundle = await rollup({
    input: entry,
    external: [/chained_ops/],
    plugins: [
      dts({
        tsconfig: path.join(path.dirname(entry), 'tsconfig.json'),
        includeExternal: ['@tensorflow/tfjs-core', '@tensorflow/tfjs-layers', '@tensorflow/tfjs-backend-cpu'],
      }),
    ],
    onwarn: (warning) => console.warn(warning.message),
  });
  const { output } = await bundle.generate({ format: 'es' });
  await bundle.close();
  let text = output[0].code.replace(/^import '[^']*chained_ops[^']*';\n/gm, '');
  for (const [pattern, replacement] of corrections) {
    if (text.search(pattern) < 0) throw new Error(`tfjs's declarations changed: nothing matches ${pattern}`);
    text = text.replace(pattern, replacement);
  }
  writeFileSync(outFile, preamble + text + chainedMethods());
}
