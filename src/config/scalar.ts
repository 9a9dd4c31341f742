/**
 * What an unquoted YAML word means: YAML 1.1 as PyYAML reads it, with floats that have an exponent but no dot (`1e-3`) or
 * an exponent without a sign (`1.5e3`).
 */

const NULL = /^(?:~|null|Null|NULL|)$/;
const TRUE = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const INT = /^[-+]?(?:0b[01_]+|0[0-7_]+|0x[0-9a-fA-F_]+|0|[1-9][0-9_]*(?::[0-5]?[0-9])*)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+]?[0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+]?[0-9]+)?|[-+]?[0-9]+[eE][-+]?[0-9]+|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN))$/;

/** The patterns by which unquoted words are told apart, in the order in which they are tried. */
export const SCALAR_PATTERNS = { null: NULL, bool: new RegExp(`${TRUE.source}|${FALSE.source}`), int: INT, float: FLOAT } as const;

/** The value of an unquoted word. */
export function resolveScalar(text: string): null | boolean | number | string {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  if (INT.test(text)) return readInt(text);
  if (FLOAT.test(text)) return readFloat(text);
  return text;
}

function readInt(text: string): number {
  const digits = text.replaceAll('_', '').replace(/^[-+]/, '');
  const sign = text.startsWith('-') ? -1 : 1;
  if (digits.includes(':')) return sign * base60(digits);
  if (/^0[bx]/.test(digits)) return sign * Number(digits.length === 2 ? 0 : digits);
  // Adding 0 turns -0 into 0: YAML has no negative zero among its integers.
  return sign * (/^0./.test(digits) ? Number.parseInt(digits, 8) : Number(digits)) + 0;
}

function readFloat(text: string): number {
  const digits = text.replaceAll('_', '').toLowerCase().replace(/^[-+]/, '');
  const sign = text.startsWith('-') ? -1 : 1;
  if (digits === '.inf') return sign * Infinity;
  if (digits === '.nan') return NaN;
  return sign * (digits.includes(':') ? base60(digits) : Number(digits));
}

function base60(digits: string): number {
  return digits.split(':').reduce((sum, part) => sum * 60 + Number(part), 0);
}
