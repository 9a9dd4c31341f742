// Installs what users install: `npm pack`'s tarball, this platform's engine package and native kernels, into an empty project, with install
// scripts on; then runs the command there, imports every door, runs a compiled step and type-checks programs against it.
// Run after `npm run build`. `--keep` leaves the project in place and prints its path.
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { engineName, engineVersion, makeEnginePackage } from './make-engine-packages.mjs';
import { nativeFolder, nativeName, nativePlatforms } from './native-sources.mjs';
import { packFolder, packProduct, publishedManifest } from './pack.mjs';
import { doors, packageJson, root, tfDoor } from './rooms.mjs';

const project = realpathSync(mkdtempSync(path.join(tmpdir(), 'orbit-package-')));
const platform = `${process.platform}-${process.arch}`;
const tests = path.join(root, 'tests/packaging');
// As a user's shell has it: what npm sets for its own scripts would hide mistakes.
const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !/^(npm_|NODE_|ORBIT_)/.test(name)));

function run(command, args) {
  try {
    return execFileSync(command, args, {
      cwd: project,
      env,
      encoding: 'utf8',
      stdio: 'pipe',
      timeout: 300_000,
      shell: process.platform === 'win32',
    });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}\n${error.stdout ?? ''}${error.stderr ?? ''}`, { cause: error });
  }
}

function expect(condition, message) {
  if (!condition) throw new Error(message);
}

function step(what, action, { vital = false } = {}) {
  const started = performance.now();
  try {
    action();
    console.log(`ok: ${what} (${((performance.now() - started) / 1000).toFixed(1)} s)`);
  } catch (error) {
    console.error(`failed: ${what}\n${error.message}`);
    process.exitCode = 1;
    if (vital) throw error;
  }
}

function typecheck(program, compilerOptions) {
  copyFileSync(path.join(tests, program), path.join(project, program));
  const common = { strict: true, skipLibCheck: false, lib: ['es2022'], types: [], target: 'es2022', module: 'nodenext', noEmit: true };
  writeFileSync(
    path.join(project, 'tsconfig.json'),
    JSON.stringify({ compilerOptions: { ...common, ...compilerOptions }, files: [program] }),
  );
  run(process.execPath, [path.join(root, 'node_modules/typescript/bin/tsc'), '-p', 'tsconfig.json']);
}

/** The files that the tarball may hold. */
const shipped = /^(package\.json|LICENSE|NOTICE|README\.md|dist\/.*(\.js|\.js\.map|\.d\.ts|LICENSES\.txt))$/;

const codeDoors = [
  ...doors()
    .filter((d) => d.exists)
    .map((d) => d.door),
  tfDoor,
];

try {
  let tarballs;
  step(
    'npm pack',
    () => {
      // The platform's packages come as tarballs beside it: the registry does not have them yet.
      tarballs = [
        packProduct(project, { ...packageJson, optionalDependencies: undefined }),
        packFolder(makeEnginePackage(platform), project),
      ];
      if (nativePlatforms.includes(platform)) tarballs.push(packFolder(nativeFolder(platform), project));
      const published = publishedManifest();
      expect(
        published.optionalDependencies[engineName(platform)] === engineVersion,
        'the published manifest lists no engine package for this platform',
      );
      expect(
        Object.values(published.optionalDependencies).every((version) => !version.startsWith('file:')),
        'the published manifest names folders of the repository',
      );
      expect(!published.devDependencies && !published.scripts, 'the published manifest has development entries');
    },
    { vital: true },
  );
  step(
    'npm install with install scripts',
    () => {
      writeFileSync(
        path.join(project, 'package.json'),
        JSON.stringify({ name: 'user', private: true, type: 'module', allowScripts: { koffi: true } }),
      );
      run('npm', ['install', '--ignore-scripts=false', '--prefer-offline', '--no-audit', '--no-fund', ...tarballs]);
      const installed = readdirSync(path.join(project, 'node_modules'));
      for (const name of ['onnxruntime-node', '@tensorflow', '@webgpu', 'esbuild']) expect(!installed.includes(name), `${name} came along`);
      const files = readdirSync(path.join(project, 'node_modules', packageJson.name), { recursive: true, withFileTypes: true }).filter(
        (f) => f.isFile(),
      );
      const names = files.map((f) => path.relative(path.join(project, 'node_modules', packageJson.name), path.join(f.parentPath, f.name)));
      const stray = names.filter((f) => !shipped.test(f.replaceAll(path.sep, '/')) || /\.test(ing)?\./.test(f));
      expect(stray.length === 0, `the tarball holds ${stray.join(', ')}`);
    },
    { vital: true },
  );
  step('every door loads', () => {
    for (const door of codeDoors)
      run(process.execPath, ['--input-type=module', '-e', `await import('${packageJson.name}${door.slice(1)}')`]);
  });
  step('the command runs', () => {
    expect(/train/.test(run('npx', ['--no-install', 'orbit', '--help'])), 'orbit --help does not mention train');
    expect(/^mnist_mlp$/m.test(run('npx', ['--no-install', 'orbit', 'experiments'])), 'orbit experiments does not list mnist_mlp');
  });
  step('YAML is read, though its library is no package of the user', () => {
    writeFileSync(path.join(project, 'steps.yaml'), 'trainer:\n  train_steps: 3\n');
    const config = run('npx', ['--no-install', 'orbit', 'config', '--experiment=mnist_mlp', '--config_file=steps.yaml']);
    expect(/^ {2}train_steps: 3$/m.test(config), `the config file was not read: ${config}`);
  });
  step('a compiled step runs on the engine package', () => {
    copyFileSync(path.join(tests, 'run-step.mjs'), path.join(project, 'run-step.mjs'));
    const { y, libraries, kernels } = JSON.parse(run(process.execPath, ['run-step.mjs']));
    expect(y === 15, `the step gave ${y}, not 15`);
    expect(
      libraries.length > 0 && libraries.every((f) => f.startsWith(path.join(project, 'node_modules', engineName(platform)))),
      `ONNX Runtime was loaded from ${libraries.join(', ')}`,
    );
    const wanted = nativePlatforms.includes(platform) ? 1 : 0;
    expect(
      kernels.length === wanted && kernels.every((f) => f.startsWith(path.join(project, 'node_modules', nativeName(platform)))),
      `native kernels were loaded from ${kernels.join(', ') || 'nowhere'}`,
    );
  });
  step('orbit-ts/tf type-checks without the DOM library, other types or skipLibCheck', () => typecheck('tf-program.mts', {}));
  step('the whole package type-checks with the types of Node alone', () => {
    const program = `${codeDoors.map((door, i) => `import * as door${i} from '${packageJson.name}${door.slice(1)}';`).join('\n')}\nexport const all = [${codeDoors.map((_, i) => `door${i}`)}];\n`;
    writeFileSync(path.join(project, 'doors.mts'), program);
    typecheck('whole-program.mts', { types: ['node'], typeRoots: [path.join(root, 'node_modules/@types')] });
  });
} catch {
  console.error('the other checks were left out'); // the failure itself has been told
} finally {
  if (process.argv.includes('--keep')) console.log(project);
  else rmSync(project, { recursive: true, force: true });
}
