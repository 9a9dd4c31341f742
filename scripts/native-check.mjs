// Checks that every committed library of native kernels is what its sources give: the hash of the sources stands in
// native/BUILT.json, in the package and in the binary itself; the binary has the SHA-256 given there. Where
// ORBIT_ONEDNN_SOURCE and ORBIT_ONEDNN_BUILD name oneDNN's source and finished build, the wrapper is compiled anew, too.
import { mkdtempSync, readFileSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { compileWrapper } from './native-build.mjs';
import { builtFile, libraryNames, nativeFolder, nativePlatforms, sha256, sourcesHash } from './native-sources.mjs';

/** Largest library that a package may hold. */
const MAX_BYTES = 25_000_000;

const problems = [];
const expect = (condition, problem) => condition || problems.push(problem);

const sources = sourcesHash();
const built = JSON.parse(readFileSync(builtFile, 'utf8'));
for (const platform of nativePlatforms) {
  const folder = nativeFolder(platform);
  const library = path.join(folder, libraryNames[platform.split('-')[0]]);
  const entry = built[platform];
  expect(entry !== undefined, `native/BUILT.json has no entry for ${platform}`);
  if (entry === undefined) continue;
  expect(
    entry.sources === sources,
    `${platform}: native/ has the hash ${sources}, the committed library was built from ${entry.sources}: run "npm run native:build"`,
  );
  expect(
    sha256(library) === entry.sha256,
    `${platform}: the library's SHA-256 is ${sha256(library)}, not ${entry.sha256} of native/BUILT.json`,
  );
  expect(
    readFileSync(library).includes(`sources=${entry.sources} onednn=${entry.onednn}`),
    `${platform}: the library does not name these sources`,
  );
  expect(statSync(library).size <= MAX_BYTES, `${platform}: the library has ${statSync(library).size} bytes, more than ${MAX_BYTES}`);
  const inPackage = JSON.parse(readFileSync(path.join(folder, 'native.json'), 'utf8'));
  expect(JSON.stringify(inPackage) === JSON.stringify(entry), `${platform}: native.json of the package differs from native/BUILT.json`);
}

const { ORBIT_ONEDNN_SOURCE: source, ORBIT_ONEDNN_BUILD: build } = process.env;
if (source && build) {
  const work = mkdtempSync(path.join(tmpdir(), 'orbit-native-'));
  const target = `${process.platform}-${process.arch}`;
  try {
    const library = compileWrapper({ source, build, cxx: (process.env.CXX ?? 'c++').split(' '), target, work });
    const same = sha256(library) === built[target]?.sha256;
    console.log(
      `the wrapper compiles; its library ${same ? 'has the bytes of the committed one' : 'differs in bytes (another compiler?)'}`,
    );
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
}

for (const problem of problems) console.error(problem);
if (problems.length > 0) process.exitCode = 1;
else console.log(`native kernels: ${nativePlatforms.join(', ')} built from sources ${sources}`);
