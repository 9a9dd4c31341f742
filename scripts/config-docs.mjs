/**
 * Collects the comments above the fields of all config schemas in src/ into src/config/docs.generated.ts, from which JSON
 * Schema and help take their descriptions. `--check` writes nothing and fails when the file is out of date.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';

const root = join(import.meta.dirname, '..');
const target = join(root, 'src/config/docs.generated.ts');

/** Functions that declare a schema, and which of their arguments hold the fields and the options. */
const DECLARERS = {
  defineConfig: { fields: 0, options: 1 },
  extendConfig: { fields: 1, options: 2 },
  extendDataConfig: { fields: 0, options: 1 },
  taskConfig: { fields: 0, options: 1 },
  modelConfig: { fields: 0, options: 1, name: 'ModelConfig' },
  oneOf: { fields: 0, options: 1, branches: true },
};

const files = readdirSync(join(root, 'src'), { recursive: true, withFileTypes: true })
  .filter((entry) => entry.isFile() && entry.name.endsWith('.ts') && !/\.(test|generated|d)\.ts$/.test(entry.name))
  .map((entry) => join(entry.parentPath, entry.name))
  .sort();

const literals = new Map();
const calls = [];
for (const file of files) {
  const text = readFileSync(file, 'utf8');
  if (!Object.keys(DECLARERS).some((name) => text.includes(`${name}(`)) && !text.includes('field.')) continue;
  visit(ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true), null);
}

function visit(node, statement) {
  const within = ts.isVariableStatement(node) ? node : statement;
  if (ts.isVariableDeclaration(node) && node.initializer && ts.isObjectLiteralExpression(node.initializer))
    literals.set(node.name.getText(), node.initializer);
  if (ts.isCallExpression(node) && ts.isIdentifier(node.expression) && Object.hasOwn(DECLARERS, node.expression.text))
    calls.push({ node, statement: within });
  node.forEachChild((child) => visit(child, within));
}

const property = (object, name) => object?.properties.find((p) => ts.isPropertyAssignment(p) && p.name.getText() === name)?.initializer;

/** The comment above a node, without its tags, in one line. */
function comment(node) {
  const doc = ts.getJSDocCommentsAndTags(node).filter(ts.isJSDoc).at(-1);
  const text = typeof doc?.comment === 'string' ? doc.comment : (ts.getTextOfJSDocComment(doc?.comment) ?? '');
  return text
    .replace(/\{@link (\w+)\}/g, '$1')
    .replace(/\s+/g, ' ')
    .trim();
}

function fieldDocs(object, into = {}) {
  for (const member of object.properties) {
    if (ts.isSpreadAssignment(member)) {
      const spread = literals.get(member.expression.getText());
      if (spread) fieldDocs(spread, into);
    } else if (comment(member) !== '') {
      into[member.name.getText()] = comment(member);
    }
  }
  return into;
}

const docs = {};
for (const { node, statement } of calls) {
  const declarer = DECLARERS[node.expression.text];
  let fields = node.arguments[declarer.fields];
  const options = node.arguments[declarer.options];
  if (declarer.branches && fields && ts.isObjectLiteralExpression(fields)) fields = property(fields, 'branches');
  if (!fields || !ts.isObjectLiteralExpression(fields)) continue;
  const nameNode = options && ts.isObjectLiteralExpression(options) ? property(options, 'name') : undefined;
  const name = nameNode && ts.isStringLiteralLike(nameNode) ? nameNode.text : declarer.name;
  if (name === undefined) continue;
  const entry = (docs[name] ??= { doc: '', fields: {} });
  // Only the outermost schema of a statement is the one that its comment is about.
  const isOutermost = statement?.declarationList.declarations[0]?.initializer === node;
  if (isOutermost && entry.doc === '') entry.doc = comment(statement);
  for (const [field, text] of Object.entries(fieldDocs(fields))) {
    if (entry.fields[field] !== undefined && entry.fields[field] !== text) {
      throw new Error(`Two schemas named "${name}" describe the field "${field}" differently: give one of them another name.`);
    }
    entry.fields[field] = text;
  }
}

// A schema without a commented field has nothing to say.
const told = Object.entries(docs).filter(([, entry]) => Object.keys(entry.fields).length > 0);
const sorted = Object.fromEntries(told.sort(([a], [b]) => (a < b ? -1 : 1)));
const text = `/* Written by \`node scripts/config-docs.mjs\` from the comments in the config schemas; do not edit. */
/* eslint-disable max-lines -- one line for each documented field */

/** What each schema and each of its fields mean, by schema name. */
// prettier-ignore
export const configDocs: Readonly<Record<string, { readonly doc: string; readonly fields: Readonly<Record<string, string>> }>> = ${JSON.stringify(sorted, null, 2)};
`;

if (!process.argv.includes('--check')) {
  writeFileSync(target, text);
} else if (readFileSync(target, 'utf8') !== text) {
  console.error('src/config/docs.generated.ts is out of date: run `node scripts/config-docs.mjs`.');
  process.exit(1);
}
