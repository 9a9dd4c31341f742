/** Lines of JSON, without numbers that `JSON.parse` would change unnoticed. */
import { wholeNumber } from '../whole-numbers.js';

/** May be a whole number beyond 2^53, or a number beyond all floats; few other lines have either. */
const SUSPICIOUS = /[:[,\s-]\d{16}|[eE]\+?\d{3}/;
const LONE = /^\d{16}/;
const TOKENS = /"(?:[^"\\]|\\.)*"(?<colon>\s*:)?|-?\d+(?<rest>(?:\.\d+)?(?:[eE][+-]?\d+)?)/g;

/** What to do with whole numbers that a number does not hold: an error, or a BigInt. */
export type LargeIntegers = 'error' | 'bigint';

/**
 * The value of a JSON text. Whole numbers beyond 2^53 that a number does not hold exactly are BigInts, or an error that names the field;
 * numbers too large for any float are always one.
 */
export function parseJson(text: string, large: LargeIntegers): unknown {
  const value: unknown = JSON.parse(text);
  if (!SUSPICIOUS.test(text) && !LONE.test(text)) return value;
  let marker = '$integer';
  while (text.includes(marker)) marker += '$';
  let field = '';
  let found = false;
  const marked = text.replace(TOKENS, (token, colon: string | undefined, rest: string | undefined) => {
    if (token.startsWith('"')) {
      if (colon !== undefined) field = token.slice(0, -colon.length);
      return token;
    }
    const place = field === '' ? '' : `, the value of ${field},`;
    if (!Number.isFinite(Number(token))) throw new RangeError(`${token}${place} is larger than any number`);
    if (rest !== '' || typeof wholeNumber(token) === 'number') return token;
    if (large === 'error')
      throw new RangeError(
        `${token}${place} is a whole number that would be rounded to ${BigInt(Number(token))}; read it as a column ('string' keeps all digits), or set bigInts: true`,
      );
    found = true;
    return `{"${marker}":"${token}"}`;
  });
  if (!found) return value;
  return JSON.parse(marked, (_, item: unknown) => {
    const digits = typeof item === 'object' && item !== null ? (item as Record<string, unknown>)[marker] : undefined;
    return typeof digits === 'string' ? BigInt(digits) : item;
  });
}
