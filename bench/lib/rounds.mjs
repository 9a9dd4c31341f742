// Interleaving: in each round every contender has one turn, so that all meet the same machine.
import { PeerError } from './process.mjs';

/** Before a turn: lets the thread pools of the contender before it stop spinning. */
const PAUSE_MILLISECONDS = 300;

/**
 * Gives each contender one turn per round, in an order that starts one further each round.
 * A contender that fails is left out from then on.
 * @template T
 * @param {{name: string, turn: (round: number) => Promise<T>}[]} contenders
 * @param {number} count rounds
 * @param {(text: string) => void} progress
 * @returns {Promise<{turns: Map<string, T[]>, failed: {name: string, reason: string}[]}>}
 */
export async function interleave(contenders, count, progress) {
  const turns = new Map(contenders.map(({ name }) => [name, []]));
  const failed = [];
  for (let round = 0; round < count; round++) {
    for (let i = 0; i < contenders.length; i++) {
      const { name, turn } = contenders[(i + round) % contenders.length];
      if (!turns.has(name)) continue;
      progress(`round ${round + 1} of ${count}: ${name}`);
      await new Promise((resolve) => setTimeout(resolve, PAUSE_MILLISECONDS));
      try {
        turns.get(name).push(await turn(round));
      } catch (error) {
        if (!(error instanceof PeerError)) throw error;
        turns.delete(name);
        failed.push({ name, reason: error.message });
      }
    }
  }
  return { turns, failed };
}

/** Starts contenders one after the other; those that cannot start are told with the reason. */
export async function startAll(specs, start, progress) {
  const started = [];
  const failed = [];
  for (const spec of specs) {
    progress(`starting ${spec.name}`);
    try {
      started.push(await start(spec));
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      failed.push({ name: spec.name, reason: error.message });
    }
  }
  return { started, failed };
}
