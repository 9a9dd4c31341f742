/** Numbers of 16 to 19 digits, and those with an exponent, straight from bytes: the ways in which programs write a float with all its digits. */

/** Powers of ten that a float64 holds exactly. */
export const POWERS = Array.from({ length: 23 }, (_, i) => 10 ** i);
/** Digits whose number is exact. */
const EXACT_DIGITS = 15;
const MOST_DIGITS = 19;
/** Splits a number into two halves of its bits (Dekker 1971). */
const SPLIT = 2 ** 27 + 1;
/** More than the relative error of the correction below. */
const ERROR = 2 ** -45;

/**
 * The float64 nearest to the decimal number that the bytes `begin` up to `end` are; NaN where they are none, or that cannot be told for sure: the
 * text says then. The digits are held exactly by two numbers, divided by an exact power of ten, and the quotient is corrected by the remainder.
 */
export function decimalAt(buffer: Uint8Array, begin: number, end: number): number {
  let p = begin;
  const negative = buffer[p] === 45;
  if (negative) p++;
  let [head, tail, digits, tailDigits, places] = [0, 0, 0, 0, 0];
  let [any, point] = [false, false];
  for (; p < end; p++) {
    const digit = buffer[p]! - 48;
    if (digit >= 0 && digit <= 9) {
      any = true;
      if (point) places++;
      if (digit > 0 || digits > 0) digits++; // zeros in front are none
      if (digits <= EXACT_DIGITS) head = head * 10 + digit;
      else {
        tail = tail * 10 + digit;
        tailDigits++;
      }
    } else if (digit === -2 && !point) point = true;
    else break;
  }
  if (!any || digits > MOST_DIGITS) return NaN;
  if (p < end) {
    const exponent = exponentAt(buffer, p, end);
    if (!(exponent >= -400 && exponent <= 400)) return NaN;
    places -= exponent;
  }
  if (places < 0 && tailDigits === 0 && digits - places <= EXACT_DIGITS) {
    head *= POWERS[-places]!;
    places = 0;
  }
  if (places < 0 || places > 22) return head === 0 && tail === 0 ? (negative ? -0 : 0) : NaN;
  const value = tailDigits === 0 ? head / POWERS[places]! : quotient(head, POWERS[tailDigits]!, tail, POWERS[places]!);
  if (!point && places === 0 && value >= 2 ** 53) return NaN; // digits may be lost, which is not for this to decide
  return negative ? -value : value;
}

/** (head × shift + tail) / divisor, correctly rounded; NaN where that is too close to call. */
function quotient(head: number, shift: number, tail: number, divisor: number): number {
  const product = head * shift;
  const low = productError(head, shift, product) + tail; // exact: both are small whole numbers
  const high = product + low;
  const rest = low - (high - product);
  const first = high / divisor;
  const back = first * divisor;
  const correction = (high - back - productError(first, divisor, back) + rest) / divisor;
  const value = first + correction * (1 + ERROR);
  return value === first + correction * (1 - ERROR) ? value : NaN;
}

/** What a × b is more than `product`, which is a × b rounded (Dekker). */
function productError(a: number, b: number, product: number): number {
  const aScaled = a * SPLIT;
  const aHigh = aScaled - (aScaled - a);
  const aLow = a - aHigh;
  const bScaled = b * SPLIT;
  const bHigh = bScaled - (bScaled - b);
  const bLow = b - bHigh;
  return aLow * bLow - (product - aHigh * bHigh - aLow * bHigh - aHigh * bLow);
}

/** The exponent that stands from `begin` to `end`: `e-05`; NaN where it is none. */
function exponentAt(buffer: Uint8Array, begin: number, end: number): number {
  if ((buffer[begin]! | 32) !== 101) return NaN; // e, E
  let p = begin + 1;
  const sign = buffer[p];
  if (sign === 45 || sign === 43) p++;
  if (p >= end || end - p > 4) return NaN;
  let exponent = 0;
  for (; p < end; p++) {
    const digit = buffer[p]! - 48;
    if (!(digit >= 0 && digit <= 9)) return NaN;
    exponent = exponent * 10 + digit;
  }
  return sign === 45 ? -exponent : exponent;
}
