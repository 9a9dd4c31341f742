/** Buckets of a distribution. */

/**
 * Counts `values` in buckets of equal width between the smallest and the largest of them.
 *
 * NaN and infinities are left out. If all values are equal every bucket is that value and the last one holds them all;
 * without values all buckets are zero.
 * @returns rows of `[left, right, count]`, flat
 */
export function bucketsOf(values: ArrayLike<number>, bucketCount = 30): Float64Array {
  const rows = new Float64Array(bucketCount * 3);
  let [min, max, count] = [Infinity, -Infinity, 0];
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (!Number.isFinite(x)) continue;
    if (x < min) min = x;
    if (x > max) max = x;
    count++;
  }
  if (count === 0) return rows;
  const width = max / bucketCount - min / bucketCount; // divided first: max - min may overflow
  for (let b = 0; b < bucketCount; b++) {
    rows[3 * b] = min + b * width;
    rows[3 * b + 1] = b === bucketCount - 1 ? max : min + (b + 1) * width;
  }
  for (let i = 0; i < values.length; i++) {
    const x = values[i]!;
    if (!Number.isFinite(x)) continue;
    const bucket = width > 0 ? Math.min(bucketCount - 1, Math.floor((x - min) / width)) : bucketCount - 1;
    rows[3 * (Number.isFinite(x - min) ? bucket : bucketOfFar(x, min, width, bucketCount)) + 2]! += 1;
  }
  return rows;
}

/** The bucket of a value so far from the smallest one that their difference is no number. */
function bucketOfFar(x: number, min: number, width: number, bucketCount: number): number {
  return Math.min(bucketCount - 1, Math.floor(x / width - min / width));
}
