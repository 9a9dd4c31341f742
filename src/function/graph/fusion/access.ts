/** How the elements of a broadcast operand follow from the position of the element computed. */

/** Numbers of the attribute `inputs` of the native kernel `Fused`. */
export const accessCode = { full: 0, suffix: 1, prefix: 2, scalar: 3 } as const;

/** An operand: element i of the result reads element i, i mod period, ⌊i / period⌋, or the only one. */
export interface Access {
  readonly kind: keyof typeof accessCode;
  readonly period: number;
}

/**
 * The access of an operand of some shape by a result of another.
 *
 * @returns undefined for broadcasts along other axes than the first or the last ones.
 */
export function accessOf(shape: readonly number[], result: readonly number[]): Access | undefined {
  const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1);
  if (shape.length > result.length) return size(shape) === size(result) ? { kind: 'full', period: 1 } : undefined;
  const padded = [...Array<number>(result.length - shape.length).fill(1), ...shape];
  if (padded.every((d, i) => d === result[i])) return { kind: 'full', period: 1 };
  if (size(shape) === 1) return { kind: 'scalar', period: 1 };
  for (let k = 0; k <= result.length; k++) {
    const same = (from: number, to: number): boolean => padded.slice(from, to).every((d, i) => d === result[from + i]);
    const ones = (from: number, to: number): boolean => padded.slice(from, to).every((d) => d === 1);
    if (ones(0, k) && same(k, result.length)) return { kind: 'suffix', period: size(result.slice(k)) };
    if (same(0, k) && ones(k, result.length)) return { kind: 'prefix', period: size(result.slice(k)) };
  }
  return undefined;
}
