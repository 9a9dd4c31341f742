/** Which known name a misspelt one was probably meant to be. */

/** Number of single-letter edits (insert, delete, replace, swap of neighbours) between two words. */
function editDistance(a: string, b: string): number {
  let beforeLast: number[] = [];
  let last = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const row = [i];
    for (let j = 1; j <= b.length; j++) {
      const change = a[i - 1] === b[j - 1] ? 0 : 1;
      let best = Math.min(row[j - 1]! + 1, last[j]! + 1, last[j - 1]! + change);
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) best = Math.min(best, beforeLast[j - 2]! + 1);
      row.push(best);
    }
    beforeLast = last;
    last = row;
  }
  return last[b.length]!;
}

/** The candidate nearest to `word`, or null when none is near enough to be a plausible slip. */
export function nearestName(word: string, candidates: Iterable<string>): string | null {
  const plain = (s: string): string => s.toLowerCase().replaceAll('-', '_');
  let best: string | null = null;
  let bestDistance = Math.min(Math.max(1, Math.floor(word.length / 3)) + 0.5, word.length);
  for (const candidate of candidates) {
    const distance = editDistance(plain(word), plain(candidate));
    if (distance < bestDistance) {
      best = candidate;
      bestDistance = distance;
    }
  }
  return best;
}

/** `Did you mean "x"?` with a leading blank, or nothing. */
export function didYouMean(name: string | null): string {
  return name === null ? '' : ` Did you mean "${name}"?`;
}
