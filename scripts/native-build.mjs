// Builds the library of native kernels and its package in npm/. `--help` tells the options.
//
// oneDNN is compiled from its release source as a static library with the primitives used here, for every x86-64 processor
// from SSE 4.1 to AVX-512; the wrapper in native/src is compiled against it and linked without its symbols. The same compiler
// gives the same bytes: no dates, no paths, no build identifier.
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, readFileSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { pruneOneDnn } from './native-prune.mjs';
import { builtFile, libraryNames, nativeFolder, nativeName, nativeRoot, sha256, sourcesHash } from './native-sources.mjs';
import { isMain, packageJson, root } from './rooms.mjs';

const HELP = `Builds the native kernels: npm run native:build -- --onednn SOURCE [options]

  --onednn SOURCE    folder of oneDNN's source, or a git tag of github.com/uxlfoundation/oneDNN (v3.13.1)
  --without-onednn   build without convolutions, which then stay with ONNX Runtime
  --built FOLDER     a finished build of oneDNN to use again (or ORBIT_ONEDNN_BUILD); SOURCE is then its source
  --target PLATFORM  linux-x64 (default: this machine), linux-arm64, darwin-arm64, win32-x64
  --cxx COMPILER     C++ compiler (or CXX; default c++); for another target one that compiles for it, such as
                     "zig c++ -target aarch64-linux-gnu"
  --out FOLDER       where the package is made (default npm/native-<platform>)
  --work FOLDER      where oneDNN is compiled (default native/build)
  --jobs N           compilations at a time (default: 2)

Needs cmake and ninja. Compiling oneDNN takes about 20 minutes on two cores.
`;

/** Primitives of oneDNN that the wrapper calls. */
const PRIMITIVES = ['CONVOLUTION', 'REORDER'];

const run = (command, args, options = {}) => execFileSync(command, args, { stdio: ['ignore', 'inherit', 'inherit'], ...options });
const read = (command, args) => execFileSync(command, args, { encoding: 'utf8' }).trim();

/** Options of cmake for oneDNN. */
function oneDnnOptions([compiler, ...flags], target) {
  const x64 = target.endsWith('x64');
  return [
    '-GNinja',
    '-DCMAKE_BUILD_TYPE=Release',
    '-DCMAKE_POSITION_INDEPENDENT_CODE=ON',
    `-DCMAKE_CXX_COMPILER=${compiler}`,
    `-DCMAKE_CXX_FLAGS=${[...flags, '-ffunction-sections -fdata-sections -fvisibility=hidden -fvisibility-inlines-hidden'].join(' ')}`,
    '-DONEDNN_LIBRARY_TYPE=STATIC',
    '-DONEDNN_CPU_RUNTIME=THREADPOOL',
    '-DONEDNN_GPU_RUNTIME=NONE',
    '-DONEDNN_ARCH_OPT_FLAGS=',
    '-DONEDNN_ENABLE_WORKLOAD=TRAINING',
    `-DONEDNN_ENABLE_PRIMITIVE=${PRIMITIVES.join(';')}`,
    ...(x64 ? ['-DONEDNN_ENABLE_PRIMITIVE_CPU_ISA=AVX512', '-DONEDNN_ENABLE_GEMM_KERNELS_ISA=AVX512'] : []),
    ...['BUILD_EXAMPLES', 'BUILD_TESTS', 'BUILD_DOC', 'BUILD_GRAPH', 'ENABLE_JIT_PROFILING', 'ENABLE_ITT_TASKS', 'ENABLE_GRAPH_DUMP'].map(
      (option) => `-DONEDNN_${option}=OFF`,
    ),
  ];
}

/** Gets, prunes and compiles oneDNN; returns the folders of its source and build. */
function compileOneDnn(source, work, cxx, target, jobs) {
  const pruned = path.join(work, 'onednn-source');
  rmSync(pruned, { recursive: true, force: true });
  mkdirSync(work, { recursive: true });
  if (existsSync(path.join(source, 'CMakeLists.txt'))) cpSync(source, pruned, { recursive: true });
  else run('git', ['clone', '--depth', '1', '--branch', source, 'https://github.com/uxlfoundation/oneDNN.git', pruned]);
  if (!pruneOneDnn(pruned)) console.log('oneDNN was pruned before');
  const build = path.join(work, `onednn-${target}`);
  run('cmake', ['-S', pruned, '-B', build, ...oneDnnOptions(cxx, target)]);
  run('ninja', ['-C', build, '-j', String(jobs)]);
  return { source: pruned, build };
}

/** oneDNN's version, from its build. */
function oneDnnVersion(build) {
  if (build === undefined) return 'none';
  const text = readFileSync(path.join(build, 'include/oneapi/dnnl/dnnl_version.h'), 'utf8');
  return ['MAJOR', 'MINOR', 'PATCH'].map((part) => new RegExp(`DNNL_VERSION_${part}\\s+(\\d+)`).exec(text)[1]).join('.');
}

/** True for the files that call oneDNN. */
const needsOneDnn = (file) => file.includes('onednn');

/** Flags by the ending of a file's name, for files that need another instruction set than the baseline; on x86-64 alone. */
const ISA_FLAGS = {
  avx2: ['-mavx2', '-mfma'],
  avx512: ['-mfma', '-mavx512f', '-mavx512vl', '-mavx512bw', '-mavx512dq', '-mprefer-vector-width=512'],
};
const isaFlags = (file) => ISA_FLAGS[/_([^_]+)\.cc$/.exec(file)?.[1]];

/** Compiles and links the wrapper; returns the library's path. */
export function compileWrapper({ source, build, cxx: [compiler, ...cxxFlags], target, work }) {
  const [os, arch] = target.split('-');
  const objects = path.join(work, `wrapper-${target}`);
  mkdirSync(objects, { recursive: true });
  const src = path.join(nativeRoot, 'src');
  const flags = [
    ...cxxFlags,
    ...'-std=c++17 -O3 -fPIC -fvisibility=hidden -fvisibility-inlines-hidden -ffunction-sections -fdata-sections'.split(' '),
    ...'-ffp-contract=off -fno-math-errno -fno-trapping-math -Wall -Wextra -Werror'.split(' '),
    `-ffile-prefix-map=${root}=.`,
    `-I${path.join(nativeRoot, 'third_party/onnxruntime')}`,
    ...(build === undefined
      ? ['-DORBIT_WITHOUT_ONEDNN']
      : ['include', 'third_party/xbyak']
          .map((folder) => `-isystem${path.join(source, folder)}`)
          .concat(`-isystem${path.join(build, 'include')}`)),
    `-DORBIT_SOURCES_HASH="${sourcesHash()}"`,
    `-DORBIT_ONEDNN_VERSION="${oneDnnVersion(build)}"`,
  ];
  const compiled = readdirSync(src)
    .filter(
      (file) => file.endsWith('.cc') && (arch === 'x64' || isaFlags(file) === undefined) && (build !== undefined || !needsOneDnn(file)),
    )
    .sort()
    .map((file) => {
      const object = path.join(objects, file.replace(/\.cc$/, '.o'));
      run(compiler, [...flags, ...(isaFlags(file) ?? []), '-c', path.join(src, file), '-o', object]);
      return object;
    });
  const library = path.join(objects, libraryNames[os]);
  const archive = build && [path.join(build, 'src/libdnnl.a'), path.join(build, 'src/dnnl.lib')].find((file) => existsSync(file));
  if (build !== undefined && archive === undefined) throw new Error(`${build} holds no static library of oneDNN; compile it first`);
  const link = {
    linux: [
      '-Wl,--exclude-libs,ALL',
      '-Wl,--gc-sections',
      '-Wl,-z,defs',
      '-Wl,--build-id=none',
      '-static-libstdc++',
      '-static-libgcc',
      '-s',
      '-ldl',
      '-lpthread',
    ],
    darwin: ['-Wl,-dead_strip', '-Wl,-x'],
    win32: ['-Wl,--gc-sections', '-s', '-static'],
  }[os];
  run(compiler, [...cxxFlags, '-shared', '-fPIC', ...compiled, ...(archive ? [archive] : []), '-o', library, ...link]);
  return library;
}

/** Makes the package around a library. */
function makePackage(library, target, out, source, built) {
  const [os, cpu] = target.split('-');
  rmSync(out, { recursive: true, force: true });
  mkdirSync(out, { recursive: true });
  copyFileSync(library, path.join(out, libraryNames[os]));
  copyFileSync(path.join(root, 'LICENSE'), path.join(out, 'LICENSE'));
  if (source !== undefined) {
    copyFileSync(path.join(source, 'LICENSE'), path.join(out, 'LICENSE-oneDNN'));
    copyFileSync(path.join(source, 'THIRD-PARTY-PROGRAMS'), path.join(out, 'THIRD-PARTY-PROGRAMS'));
  }
  copyFileSync(path.join(nativeRoot, 'third_party/onnxruntime/LICENSE'), path.join(out, 'LICENSE-onnxruntime'));
  const licences = ['LICENSE', 'LICENSE-onnxruntime', ...(source === undefined ? [] : ['LICENSE-oneDNN', 'THIRD-PARTY-PROGRAMS'])];
  const json = (value) => `${JSON.stringify(value, null, 2)}\n`;
  const manifest = {
    name: nativeName(target),
    version: packageJson.version,
    description: `Native kernels of orbit-ts for ${target}: one shared library.`,
    license: 'Apache-2.0',
    os: [os],
    cpu: [cpu],
    ...(os === 'linux' ? { libc: ['glibc'] } : {}),
    files: [libraryNames[os], ...licences, 'native.json'],
    exports: { './package.json': './package.json', './native.json': './native.json' },
  };
  writeFileSync(path.join(out, 'package.json'), json(manifest));
  writeFileSync(path.join(out, 'native.json'), json(built));
  writeFileSync(
    path.join(out, 'README.md'),
    `# ${manifest.name}\n\n${manifest.description} Installed by orbit-ts; nothing to import, no scripts.\n
\`${libraryNames[os]}\` is compiled from the folder \`native/\` of orbit-ts${
      source === undefined
        ? ''
        : ` and oneDNN ${built.onednn} (Apache-2.0; licences of its parts in
THIRD-PARTY-PROGRAMS)`
    }, against the header of ONNX Runtime's C interface (MIT). SHA-256: \`${built.sha256}\`.\n`,
  );
}

function main() {
  const { values } = parseArgs({
    options: Object.fromEntries(
      ['onednn', 'built', 'target', 'cxx', 'out', 'work', 'jobs', 'commit']
        .map((name) => [name, { type: 'string' }])
        .concat(['help', 'without-onednn'].map((name) => [name, { type: 'boolean' }])),
    ),
  });
  const without = values['without-onednn'] === true;
  if (values.help || (values.onednn === undefined && !without)) return console.log(HELP);
  const target = values.target ?? `${process.platform}-${process.arch}`;
  const cxx = (values.cxx ?? process.env.CXX ?? 'c++').split(' ');
  const work = path.resolve(values.work ?? path.join(nativeRoot, 'build'));
  const given = values.built ?? process.env.ORBIT_ONEDNN_BUILD;
  const { source, build } = without
    ? {}
    : given
      ? { source: path.resolve(values.onednn), build: path.resolve(given) }
      : compileOneDnn(values.onednn, work, cxx, target, Number(values.jobs ?? 2));
  const library = compileWrapper({ source, build, cxx, target, work });
  const out = path.resolve(values.out ?? nativeFolder(target));
  const built = {
    sources: sourcesHash(),
    sha256: sha256(library),
    bytes: statSync(library).size,
    onednn: oneDnnVersion(build),
    ...(values.commit ? { commit: values.commit } : {}),
    toolchain: read(cxx[0], ['--version']).split('\n')[0],
    date: new Date().toISOString().slice(0, 10),
  };
  makePackage(library, target, out, source, built);
  const all = existsSync(builtFile) ? JSON.parse(readFileSync(builtFile, 'utf8')) : {};
  if (values.out === undefined) {
    writeFileSync(builtFile, `${JSON.stringify({ ...all, [target]: built }, null, 2)}\n`);
  } else {
    console.log(`${built.sha256 === all[target]?.sha256 ? 'the same bytes as' : 'other bytes than'} the committed library of ${target}`);
  }
  console.log(`${path.relative(root, out)}: ${(built.bytes / 1e6).toFixed(1)} MB, sources ${built.sources}, sha256 ${built.sha256}`);
}

if (isMain(import.meta)) main();
