// From rounds to the rows of a table, with our quotient to each peer.
import { OURS } from './contenders.mjs';
import { bestOfRounds, ratios, summarize } from './stats.mjs';

/**
 * Rows of a table.
 * @param {Map<string, number[]>} rounds numbers per round by contender, smaller is better
 * @param {Map<string, string>} [notes] a remark per contender
 */
export function rowsOf(rounds, notes = new Map()) {
  const own = rounds.get(OURS);
  return [...rounds].map(([name, values]) => ({
    name,
    ...summarize(values),
    ...(own !== undefined && name !== OURS ? { ratio: ratios(own, values) } : {}),
    note: notes.get(name),
  }));
}

/** Median of the rounds' quotients of ours and one peer; NaN if one of them is missing. */
export function ratioTo(rounds, name) {
  const [own, theirs] = [rounds.get(OURS), rounds.get(name)];
  return own === undefined || theirs === undefined ? NaN : ratios(own, theirs).median;
}

/** The same against the fastest peer of each round. */
export function ratioToBest(rounds) {
  const own = rounds.get(OURS);
  const peers = [...rounds].filter(([name]) => name !== OURS).map(([, values]) => values);
  return own === undefined || peers.length === 0 ? NaN : ratios(own, bestOfRounds(peers)).median;
}

/** Maps the turns of contenders to numbers. */
export function mapRounds(turns, number) {
  return new Map([...turns].map(([name, values]) => [name, values.map(number)]));
}
