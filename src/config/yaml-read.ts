/** Reading YAML and JSON text. The YAML library is loaded at the first text that needs it, because that takes tens of milliseconds. */
import { createRequire } from 'node:module';
import type { CollectionTag, ScalarTag } from 'yaml';
import { ConfigError } from '../errors.js';
import { resolveScalar, SCALAR_PATTERNS } from './scalar.js';

type Yaml = typeof import('yaml');
let loaded: Yaml | null = null;

function yamlLibrary(): Yaml {
  return (loaded ??= createRequire(import.meta.url)('yaml') as Yaml);
}

const scalarTag = (name: keyof typeof SCALAR_PATTERNS): ScalarTag => ({
  tag: `tag:yaml.org,2002:${name}`,
  default: true,
  test: SCALAR_PATTERNS[name],
  resolve: resolveScalar,
});

/** `!!float 3` and the like: the word is read as the tag says, or refused. */
const explicitTag = (name: keyof typeof SCALAR_PATTERNS, type: string): ScalarTag => ({
  tag: `tag:yaml.org,2002:${name}`,
  resolve(text, onError) {
    const value = resolveScalar(text);
    if (name === 'null' ? value !== null : typeof value !== type) onError(`"${text}" is no ${name}`);
    return value;
  },
});

/** Files written by Model Garden mark tuples; they are lists here. */
const tupleTag: CollectionTag = { tag: 'tag:yaml.org,2002:python/tuple', collection: 'seq', resolve: (items) => items };

const customTags = [
  scalarTag('null'),
  scalarTag('bool'),
  scalarTag('int'),
  scalarTag('float'),
  explicitTag('null', 'object'),
  explicitTag('bool', 'boolean'),
  explicitTag('int', 'number'),
  explicitTag('float', 'number'),
  tupleTag,
];

/**
 * The value of one YAML document: plain objects, arrays and scalars; `null` for empty text. JSON is YAML too.
 * `!!python/tuple` gives a list; repeated keys, other tags, several documents and wrong syntax are a `ConfigError`.
 *
 * @param source where the text comes from, for the message
 */
export function parseYaml(text: string, source: string): unknown {
  if (/^\s*[{[]/.test(text)) {
    try {
      return JSON.parse(text) as unknown;
    } catch {
      // Flow YAML looks like JSON at its start.
    }
  }
  const document = yamlLibrary().parseDocument(text, {
    version: '1.1',
    schema: 'failsafe',
    customTags: (tags) => [...tags, ...customTags],
    merge: true,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const at = problem.linePos?.[0];
    const format = source.endsWith('.json') ? 'JSON' : 'YAML';
    const place = at === undefined ? '' : ` at line ${at.line}, column ${at.col}`;
    throw new ConfigError(`${source}: wrong ${format}${place}: ${explain(problem.code, problem.message)}${lineText(text, at?.line)}`, {
      cause: problem,
    });
  }
  try {
    return document.toJS() as unknown;
  } catch (error) {
    throw new ConfigError(`${source}: the YAML cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}

/** What the library found, with the likely fix where its words do not say it. */
function explain(code: string, message: string): string {
  const what = message.split('\n')[0]!.replace(/( at line \d+, column \d+)?:?$/, '');
  switch (code) {
    case 'TAB_AS_INDENT':
      return 'a tab is used as indentation; use blanks.';
    case 'BLOCK_AS_IMPLICIT_KEY':
      return 'a value is followed by lines that are indented deeper; indent the fields of one section equally.';
    case 'BAD_INDENT':
    case 'MISSING_CHAR':
      return `${what}. A bracket, brace or quote is not closed, or the next line is indented wrongly.`;
    case 'DUPLICATE_KEY':
      return 'the key stands twice in its section, and one of the two would be ignored; join them.';
    case 'TAG_RESOLVE_FAILED':
      return `${what.replace('tag:yaml.org,2002:', '!!')}. A file can hold texts, numbers, lists and mappings; objects of a program cannot be read.`;
    case 'BAD_ALIAS':
      return `${what}. A text that begins with * must be put in quotes.`;
    default:
      return `${what}.`;
  }
}

/** The line at fault, cut to a readable length. */
function lineText(text: string, line: number | undefined): string {
  const content = line === undefined ? '' : (text.split('\n')[line - 1] ?? '').trim();
  return content === '' ? '' : ` The line: ${JSON.stringify(content.slice(0, 60))}.`;
}
