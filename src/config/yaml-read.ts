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
 * The value of one YAML document: plain objects, arrays and scalars; `null` for empty text. JSON is YAML too. Of repeated
 * keys the last wins; `!!python/tuple` gives a list; other tags, several documents and wrong syntax are a `ConfigError`.
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
    uniqueKeys: false,
  });
  const problem = document.errors[0] ?? document.warnings[0];
  if (problem !== undefined) {
    const at = problem.linePos?.[0];
    const what = problem.message.split('\n')[0]!.replace(/( at line \d+, column \d+)?:?$/, '');
    throw new ConfigError(`${source}: wrong YAML${at === undefined ? '' : ` at line ${at.line}, column ${at.col}`}: ${what}.`, {
      cause: problem,
    });
  }
  try {
    return document.toJS() as unknown;
  } catch (error) {
    throw new ConfigError(`${source}: the YAML cannot be read: ${(error as Error).message}.`, { cause: error });
  }
}
