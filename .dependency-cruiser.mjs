import { bundledPackages, packageJson } from './scripts/rooms.mjs';

// The arrows of the house: which room may import which. Rooms not named by a rule may import what lies below them.
const room = (names) => `^src/(${names})/`;

/** A room may import nothing of these rooms. */
const forbid = (from, to, comment) => ({
  name: `${from}-imports-no-${to.replaceAll('|', '-or-')}`,
  comment,
  severity: 'error',
  from: { path: room(from), pathNot: '\\.test(ing)?\\.ts$' },
  to: { path: room(to) },
});

/** The rooms in the middle: the experiment layer joins them, they know little of each other. */
const middle = ['orbit', 'function', 'data', 'checkpoint', 'optimization', 'metrics', 'distribute', 'summary'];
const above = 'experiment|models|tasks|cli|board|export';

/** The only file per native library that may call it. */
const nativeFiles = {
  'ONNX Runtime': '^src/function/runtime/ort\\.ts$',
  MPI: '^src/distribute/mpi\\.ts$',
  'the C library': '^src/checkpoint/(lock|flock)\\.ts$',
};

export default {
  forbidden: [
    {
      name: 'no-cycles',
      comment: 'Files that import each other in a circle are one file, or one of them knows too much. Types alone may.',
      severity: 'error',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-unresolved',
      comment: 'The file or package does not exist.',
      severity: 'error',
      from: {},
      to: { couldNotResolve: true },
    },
    {
      name: 'no-undeclared-package',
      comment: 'The product imports only packages that package.json lists under dependencies, or that the build takes in.',
      severity: 'error',
      from: { path: '^src/', pathNot: '(\\.test(ing)?\\.ts$|^src/tf/bundle/)' },
      to: {
        dependencyTypes: ['npm-dev', 'npm-no-pkg', 'npm-unknown'],
        pathNot: [...Object.keys(bundledPackages), ...Object.keys(packageJson.peerDependencies)].map((name) => `^node_modules/${name}/`),
      },
    },
    forbid('config', `${middle.join('|')}|${above}`, 'config/ is the ground floor.'),
    ...middle.map((name) => forbid(name, above, 'Arrows go down.')),
    forbid(
      'orbit',
      'function|data|checkpoint|optimization|metrics|summary|config',
      'orbit/ drives any framework and knows none of our rooms.',
    ),
    forbid(
      'function',
      'orbit|data|checkpoint|optimization|metrics|summary|experiment',
      'The compiler and the loop know nothing of each other; the trainer joins them.',
    ),
    forbid('experiment', 'tasks|cli|board', 'Arrows go down.'),
    forbid('models', 'tasks|cli|board|experiment', 'Models are built from tfjs and config alone.'),
    forbid('tasks', 'cli|board', 'Arrows go down.'),
    {
      name: 'no-tfjs-here',
      comment: 'These rooms recognise tensors by their structure and load without tfjs, also through what they import.',
      severity: 'error',
      from: { path: room('orbit|config|checkpoint|summary|data'), pathNot: '\\.test(ing)?\\.ts$' },
      to: { path: '(^#tf$|^dist/tf/|@tensorflow/)', reachable: true },
    },
    {
      name: 'tfjs-only-through-the-bundle',
      comment: "Import '#tf': a second copy of tfjs has classes of its own.",
      severity: 'error',
      from: { path: '^src/', pathNot: '^src/tf/bundle/' },
      to: { path: '@tensorflow/' },
    },
    {
      name: 'one-file-per-native-library',
      comment: `koffi is imported in one file for each of ${Object.keys(nativeFiles).join(', ')}.`,
      severity: 'error',
      from: { path: '^src/', pathNot: Object.values(nativeFiles) },
      to: { path: '(^|/)koffi($|/)', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'rooms-are-entered-by-their-door',
      comment:
        "Another room's files are imported through its index.ts. Types may be named where they stand; a room's config.ts holds " +
        'schemas, which load without the room; the command imports the few files that --help and config need, so as to start fast.',
      severity: 'error',
      from: { path: '^src/([^/]+)/', pathNot: ['\\.test(ing)?\\.ts$', '^src/cli/'] },
      to: {
        path: '^src/[^/]+/.',
        pathNot: ['^src/$1/', '^src/[^/]+/(index|config)\\.ts$', '^src/(models|tasks|tf)/'],
        dependencyTypesNot: ['type-only'],
      },
    },
    {
      name: 'product-imports-no-tests',
      severity: 'error',
      from: { path: '^src/', pathNot: '\\.test(ing)?\\.ts$' },
      to: { path: '(\\.test(ing)?\\.ts$|^tests/|^bench/|^examples/)' },
    },
  ],
  options: {
    tsPreCompilationDeps: true,
    tsConfig: { fileName: 'tsconfig.json' },
    doNotFollow: { path: ['node_modules', '^dist/'] },
    exclude: { path: '^src/tf/bundle/' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'default'],
      extensions: ['.ts', '.js', '.mjs'],
    },
  },
};
