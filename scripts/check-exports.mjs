// Checks the package's doors against what was built (run after `npm run build`):
// - every entry of `exports` has its JavaScript and its declarations, and every room with an index.ts has an entry;
// - each door loads, and what it offers at run time is what its declarations promise;
// - `.` offers everything that the other doors offer;
// - every public symbol has a doc comment, and every member of a public class or interface has one or is named in its owner's;
// - the rooms that must load without tfjs and native code do. `--list` prints the modules that they load.
import { execFileSync } from 'node:child_process';
import { existsSync, readdirSync } from 'node:fs';
import path from 'node:path';
import ts from 'typescript';
import { doors, packageJson, root, tfDoor } from './rooms.mjs';

const lightDoors = ['./orbit', './config', './checkpoint', './summary', './data'];
const heavy = /[\\/]dist[\\/]tf[\\/]|@tensorflow|koffi|onnxruntime|\.node$/;
// What only other rooms use: npz is shared by data and checkpoint.
const privateRooms = ['cli', 'tf', 'npz'];

const problems = [];
const file = (target) => path.join(root, target);
const nameOf = (door) => packageJson.name + door.slice(1);

const built = [];
for (const { door, target, source, exists } of [...doors(), { door: tfDoor, target: packageJson.exports[tfDoor], exists: true }]) {
  if (!exists) problems.push(`exports["${door}"] has no source file ${source}`);
  const missing = Object.values(target).filter((f) => !existsSync(file(f)));
  if (exists && missing.length > 0) problems.push(`exports["${door}"]: ${missing.join(' and ')} not built (npm run build)`);
  if (exists && missing.length === 0) built.push({ door, target });
}
for (const room of readdirSync(file('src'))) {
  if (existsSync(file(`src/${room}/index.ts`)) && !privateRooms.includes(room) && !packageJson.exports[`./${room}`]) {
    problems.push(`src/${room}/index.ts has no entry "./${room}" in exports`);
  }
}

// Declarations.
const program = ts.createProgram(
  built.map(({ target }) => file(target.types)),
  {
    module: ts.ModuleKind.NodeNext,
    moduleResolution: ts.ModuleResolutionKind.NodeNext,
    target: ts.ScriptTarget.ES2022,
    skipLibCheck: true,
    types: ['node'],
  },
);
const checker = program.getTypeChecker();
const resolved = (symbol) => (symbol.flags & ts.SymbolFlags.Alias ? checker.getAliasedSymbol(symbol) : symbol);
const comment = (symbol) => ts.displayPartsToString(symbol.getDocumentationComment(checker));
/** What `export * as name` offers is documented by the comment above the statement or at the top of the module. */
const namespaceComment = (symbol) =>
  (symbol.declarations ?? []).some((d) =>
    ts.isSourceFile(d) ? d.text.startsWith('/**') : ts.isNamespaceExport(d) && ts.getJSDocCommentsAndTags(d.parent).length > 0,
  );
const documented = (symbol) => comment(symbol) !== '' || namespaceComment(symbol);

function declaredExports(target) {
  const module = checker.getSymbolAtLocation(program.getSourceFile(file(target.types)));
  return module ? checker.getExportsOfModule(module) : [];
}

/** Members that the class or interface itself declares and others may use; overriding ones inherit their comment. */
function undocumentedMembers(symbol) {
  const bases = (symbol.declarations ?? []).some((d) => d.heritageClauses?.length > 0);
  const inherited = (name) =>
    bases &&
    checker
      .getDeclaredTypeOfSymbol(symbol)
      .getBaseTypes?.()
      ?.some((base) => base.getProperty(name));
  const ownComment = comment(symbol);
  const members = [...(symbol.members?.values() ?? []), ...(symbol.flags & ts.SymbolFlags.Class ? (symbol.exports?.values() ?? []) : [])];
  return members.filter((member) => {
    const declaration = member.declarations?.[0];
    if (!declaration || !/^[a-z]/i.test(member.name) || member.name === 'prototype' || ts.isConstructorDeclaration(declaration))
      return false;
    if (ts.isTypeParameterDeclaration(declaration) || ts.isParameter(declaration)) return false;
    if (ts.getCombinedModifierFlags(declaration) & ts.ModifierFlags.Private || ts.isPrivateIdentifier(declaration.name)) return false;
    return !documented(member) && !inherited(member.name) && !new RegExp(`\\b${member.name}\\b`).test(ownComment);
  });
}

const seen = new Set();
const offered = new Map();
for (const { door, target } of built) {
  const symbols = declaredExports(target);
  offered.set(door, new Map(symbols.map((s) => [s.name, resolved(s)])));
  if (door === tfDoor) continue; // tfjs's own documentation
  for (const symbol of symbols) {
    const actual = resolved(symbol);
    if (seen.has(actual)) continue;
    seen.add(actual);
    if (!documented(actual) && !documented(symbol)) problems.push(`${nameOf(door)}: "${symbol.name}" has no doc comment`);
    if (!(actual.flags & (ts.SymbolFlags.Class | ts.SymbolFlags.Interface))) continue;
    for (const member of undocumentedMembers(actual)) problems.push(`${nameOf(door)}: "${symbol.name}.${member.name}" has no doc comment`);
  }
}
const everything = offered.get('.');
if (everything) {
  for (const [door, symbols] of offered) {
    const absent = [...symbols.keys()].filter((name) => name !== 'default' && !everything.has(name));
    if (door !== tfDoor && absent.length > 0) problems.push(`"." does not offer ${absent.join(', ')} of "${door}"`);
  }
}

// Run time: one process per door, which tells the modules it loads.
const probe = `
import { register } from 'node:module';
import { MessageChannel } from 'node:worker_threads';
const hook = 'export function initialize({ port }) { globalThis.port = port; } export async function load(url, context, next) { globalThis.port.postMessage(url); return next(url, context); }';
const { port1, port2 } = new MessageChannel();
const modules = [];
port1.on('message', (url) => modules.push(url));
port1.unref();
register('data:text/javascript,' + encodeURIComponent(hook), { data: { port: port2 }, transferList: [port2] });
const names = Object.keys(await import(process.argv[1]));
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ names, modules }));`;

for (const { door } of built) {
  let result;
  try {
    const output = execFileSync(process.execPath, ['--input-type=module', '-e', probe, nameOf(door)], {
      cwd: root,
      encoding: 'utf8',
      stdio: 'pipe',
    });
    result = JSON.parse(output.trimEnd().split('\n').at(-1));
  } catch (error) {
    problems.push(`${nameOf(door)} does not load: ${error.stderr || error.message}`);
    continue;
  }
  const declared = [...offered.get(door)].filter(([, s]) => s.flags & ts.SymbolFlags.Value).map(([name]) => name);
  const unkept = declared.filter((name) => !result.names.includes(name));
  const untyped = result.names.filter((name) => !declared.includes(name));
  if (unkept.length > 0) problems.push(`${nameOf(door)} declares but does not export ${unkept.join(', ')}`);
  if (untyped.length > 0) problems.push(`${nameOf(door)} exports but does not declare ${untyped.join(', ')}`);
  if (!lightDoors.includes(door)) continue;
  if (process.argv.includes('--list')) console.log(`${nameOf(door)} loads:\n  ${result.modules.join('\n  ')}`);
  for (const module of result.modules.filter((m) => heavy.test(m)))
    problems.push(`${nameOf(door)} must load without tfjs and native code but loads ${module}`);
}

if (problems.length > 0) {
  console.error(`${problems.join('\n')}\n${problems.length} problems with the package's public surface`);
  process.exitCode = 1;
} else {
  const count = new Set([...offered].filter(([door]) => door !== tfDoor).flatMap(([, symbols]) => [...symbols.keys()])).size;
  console.log(`${built.length} doors, ${count} public symbols, all documented`);
}
