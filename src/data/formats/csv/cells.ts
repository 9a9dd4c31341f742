import type { ColumnType } from '../table/index.js';

const NUMBER = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?$/;
const WORDS: Readonly<Record<string, number>> = {
  nan: NaN,
  inf: Infinity,
  '+inf': Infinity,
  '-inf': -Infinity,
  infinity: Infinity,
  '-infinity': -Infinity,
};

/** The number that a text without spaces around it stands for (`nan` and `inf` in any case count); undefined for another text. */
export function numberOf(text: string): number | undefined {
  return NUMBER.test(text) ? Number(text) : WORDS[text.toLowerCase()];
}

/** Whether a text is a whole number without point and exponent. */
export function isWhole(text: string): boolean {
  return /^[+-]?\d+$/.test(text);
}

/** The truth value that a text stands for. */
export function booleanOf(text: string): boolean | undefined {
  const word = text.toLowerCase();
  return word === 'true' || word === '1' ? true : word === 'false' || word === '0' ? false : undefined;
}

/** What is wrong with a text in a column of numbers. */
export function badNumber(text: string): string {
  return `is ${JSON.stringify(text.length > 40 ? `${text.slice(0, 40)}…` : text)}; a number was expected`;
}

/**
 * The narrowest type that all given texts have: whole numbers, numbers, truth values, else texts. Whole numbers beyond int32 are float64, those
 * that float64 does not hold exactly texts. Empty texts, and those that are `missing`, count for nothing.
 */
export function inferType(texts: readonly string[], missing: ReadonlySet<string>): ColumnType {
  const filled = texts.map((text) => text.trim()).filter((text) => text !== '' && !missing.has(text));
  if (filled.length === 0) return 'string';
  if (filled.every(isWhole)) {
    if (filled.every((text) => Number(text) === (Number(text) | 0))) return 'int32';
    return filled.every((text) => Number.isSafeInteger(Number(text))) ? 'float64' : 'string';
  }
  if (filled.every((text) => numberOf(text) !== undefined)) return 'float32';
  return filled.every((text) => /^(true|false)$/i.test(text)) ? 'bool' : 'string';
}
