// Robust summaries of repeated measurements.

/** Median; NaN of nothing. */
export function median(values) {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  if (sorted.length === 0) return NaN;
  return sorted.length % 2 === 1 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

/** Median and range of a contender's rounds. */
export function summarize(rounds) {
  return { median: median(rounds), min: Math.min(...rounds), max: Math.max(...rounds), rounds };
}

/**
 * Round by round quotients of two contenders, summarised: machine noise that lasts longer than a round cancels.
 * Rounds in which one of them has no number are left out.
 */
export function ratios(ours, theirs) {
  const quotients = [];
  for (let i = 0; i < Math.min(ours.length, theirs.length); i++) {
    const quotient = ours[i] / theirs[i];
    if (Number.isFinite(quotient)) quotients.push(quotient);
  }
  return summarize(quotients);
}

/** The smallest number of each round over several contenders. */
export function bestOfRounds(contenders) {
  const count = Math.min(...contenders.map((rounds) => rounds.length));
  return Array.from({ length: count }, (_, i) => Math.min(...contenders.map((rounds) => rounds[i])));
}
