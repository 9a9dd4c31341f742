/** Relations between fields, such as `'task.train_data.is_training != None'` or `'a.b <= 3'`. */
import { ConfigError } from '../errors.js';
import { isDeepStrictEqual } from 'node:util';
import { describeValue, didYouMean, nearestName } from './suggest.js';
import type { ConfigData, ConfigRecord } from './types.js';

const OPERATORS = ['==', '!=', '<=', '<', '>=', '>'] as const;
type Operator = (typeof OPERATORS)[number];

/**
 * Checks one relation against a config's plain data. Each side is a number, `None`, `null`, `true`, `false`, a text in quotes, or
 * the dotted path of a field; fields of a branch that is not selected cannot be reached. Throws a `ConfigError` when the
 * relation does not hold, cannot be read, or compares things that have no order.
 *
 * @param prefix path of the config to which the restriction belongs, for the message
 */
export function checkRestriction(restriction: string, data: ConfigRecord, prefix: string): void {
  const operator = OPERATORS.find((candidate) => restriction.includes(candidate));
  const sides = operator === undefined ? [] : restriction.split(operator).map((side) => side.trim());
  if (operator === undefined || sides.length !== 2 || sides.includes('')) {
    throw new ConfigError(`Restriction "${restriction}": expected two sides and one of ${OPERATORS.join(' ')} between them.`, {
      path: prefix,
    });
  }
  const [left, right] = sides as [string, string];
  const a = readSide(left, data, restriction);
  const b = readSide(right, data, restriction);
  if (holds(operator, a, b, restriction)) return;
  const shown = [a, b]
    .map((side) => (side.path === null ? null : `${side.path} is ${describeValue(side.value)}`))
    .filter((text) => text !== null);
  const path = [prefix, a.path ?? b.path ?? ''].filter((part) => part !== '').join('.');
  throw new ConfigError(`${path}: the restriction "${restriction}" does not hold: ${shown.join(', ')}.`, { path });
}

interface Side {
  readonly value: ConfigData;
  /** Path of the field, null for a constant. */
  readonly path: string | null;
}

const WORDS: Readonly<Record<string, ConfigData>> = { None: null, null: null, true: true, false: false };

function readSide(text: string, data: ConfigRecord, restriction: string): Side {
  if (Object.hasOwn(WORDS, text)) return { value: WORDS[text]!, path: null };
  const quoted = /^'([^']*)'$|^"([^"]*)"$/.exec(text);
  if (quoted !== null) return { value: quoted[1] ?? quoted[2]!, path: null };
  if (/^-?\.?\d/.test(text)) {
    const number = Number(text);
    if (Number.isNaN(number)) throw new ConfigError(`Restriction "${restriction}": "${text}" is no number.`);
    return { value: number, path: null };
  }
  let at: ConfigData = data;
  for (const part of text.split('.')) {
    if (typeof at !== 'object' || at === null || Array.isArray(at) || !Object.hasOwn(at, part)) {
      const near = typeof at === 'object' && at !== null ? nearestName(part, Object.keys(at)) : null;
      throw new ConfigError(`Restriction "${restriction}": there is no field ${text}.${didYouMean(near)}`, { path: text });
    }
    at = (at as ConfigRecord)[part]!;
  }
  return { value: at, path: text };
}

function holds(operator: Operator, a: Side, b: Side, restriction: string): boolean {
  if (operator === '==') return isDeepStrictEqual(a.value, b.value);
  if (operator === '!=') return !isDeepStrictEqual(a.value, b.value);
  const [x, y] = [a.value, b.value];
  const ordered = (typeof x === 'number' && typeof y === 'number') || (typeof x === 'string' && typeof y === 'string');
  if (!ordered) {
    throw new ConfigError(`Restriction "${restriction}": ${describeValue(x)} and ${describeValue(y)} have no order.`, {
      path: a.path ?? b.path ?? '',
    });
  }
  if (operator === '<') return x < y;
  if (operator === '<=') return x <= y;
  return operator === '>' ? x > y : x >= y;
}
