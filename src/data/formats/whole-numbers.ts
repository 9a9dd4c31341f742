/**
 * The whole number that digits stand for: as a number, or as a BigInt where the number nearest to it would be another one. Digits that are
 * how JavaScript writes a number are that number, though it writes zeros for the last digits of large ones.
 */
export function wholeNumber(digits: string): number | bigint {
  const number = Number(digits);
  if (Math.abs(number) < 2 ** 53 || String(number) === digits) return number;
  const exact = BigInt(digits);
  return Number.isFinite(number) && BigInt(number) === exact ? number : exact;
}
