/** Overrides written as `a=1, b.c='x, y', d=[1,2], e[0]=0.5` on the command line. */
import { ConfigError } from '../errors.js';
import { quote } from './suggest.js';
import { resolveScalar } from './scalar.js';
import { parseYaml } from './yaml-read.js';
import type { ConfigData, ConfigRecord } from './types.js';

interface Entry {
  /** Components of the dotted name. */
  readonly path: readonly string[];
  readonly index: number | null;
  readonly text: string;
}

/** One entry and the comma after it. The value alternatives are tried in this order until the rest fits too. */
const ENTRY = /([A-Za-z][\w.]*)(?:\[(\d+)\])?\s*=\s*('[^']*'|"[^"]*"|[^,[]*|\[[^\]]*\])(?:$|,\s*)/y;

/** Words that can be read without the YAML library: nothing in them has a meaning in YAML's syntax. */
const PLAIN = /^(?![-?] )[\w.+~/\\-](?:[\w.+~/\\ *?=-]*[\w.+~/\\*?=-])?$/;

/**
 * Reads key=value text into nested data: `a.b=1,c=[x, y]` gives `{ a: { b: 1 }, c: ['x', 'y'] }`. Values are YAML words,
 * quoted texts or flat lists; values that start with `g`, `s`, `:` or `/` are texts, so that paths need no quotes;
 * `x[0]=1,x[1]=2` gives a list of numbers. Where a name is repeated the last entry wins; a group `a.b=` wins over `a=`.
 * Text of another form is a `ConfigError`.
 */
export function parseOverrideText(text: string): ConfigRecord {
  const entries: Entry[] = [];
  ENTRY.lastIndex = 0;
  for (let at = 0; at < text.length; at = ENTRY.lastIndex) {
    const match = ENTRY.exec(text);
    if (match === null) throw malformed(text, at);
    const path = match[1]!.split('.');
    if (path.includes('')) throw new ConfigError(`${quote(match[1]!)}: a name between two dots is missing.`, { path: match[1]! });
    entries.push({ path, index: match[2] === undefined ? null : Number(match[2]), text: match[3]!.trim() });
  }
  return nest(entries, '');
}

function malformed(text: string, at: number): ConfigError {
  const rest = quote(text.slice(at));
  const nested = /\[[^\]]*\[/.test(text) ? ' Lists inside lists are not supported.' : '';
  return new ConfigError(`Malformed key=value text at ${rest}: expected entries such as a.b=1, c='x, y', d=[1,2].${nested}`);
}

function nest(entries: readonly Entry[], prefix: string): ConfigRecord {
  const result: ConfigRecord = {};
  const groups = new Map<string, Entry[]>();
  const arrays = new Map<string, Entry[]>();
  for (const entry of entries) {
    const [head, ...tail] = entry.path as [string, ...string[]];
    if (tail.length > 0) listAt(groups, head).push({ ...entry, path: tail });
    else if (entry.index !== null) listAt(arrays, head).push(entry);
    else result[head] = readValue(entry.text, prefix + head);
  }
  for (const [name, members] of groups) result[name] = nest(members, `${prefix}${name}.`);
  for (const [name, members] of arrays) result[name] = readArray(members, prefix + name);
  return result;
}

function listAt(map: Map<string, Entry[]>, key: string): Entry[] {
  let list = map.get(key);
  if (list === undefined) map.set(key, (list = []));
  return list;
}

function readArray(members: readonly Entry[], path: string): number[] {
  const values: number[] = [];
  for (const { index, text } of members) {
    const isNumber = text.includes('.') ? /^[-+]?(?:\d+\.\d*|\.\d+)(?:[eE][-+]?\d+)?$/ : /^[-+]?\d+$/;
    if (!isNumber.test(text)) throw new ConfigError(`${path}[${index}]: expected a number, got ${quote(text)}.`, { path });
    values[index!] = Number(text);
  }
  for (let i = 0; i < values.length; i++) {
    if (values[i] === undefined)
      throw new ConfigError(`${path}[${i}] is missing: every index from 0 to ${values.length - 1} must be given.`, { path });
  }
  return values;
}

function readValue(text: string, path: string): ConfigData {
  if (/^[gs:/]/.test(text)) return text;
  if (/^'[^'\n]*'$|^"[^"\\\n]*"$/.test(text)) return text.slice(1, -1);
  if (text === '' || PLAIN.test(text)) return resolveScalar(text);
  const list = /^\[(.*)\]$/s.exec(text);
  const items = list?.[1]!
    .replace(/,\s*$/, '')
    .split(',')
    .map((item) => item.trim());
  if (items?.every((item) => PLAIN.test(item))) return items.map(resolveScalar);
  return (parseYaml(`{v : ${text}}`, `${path}=${text}`) as { v: ConfigData }).v;
}
