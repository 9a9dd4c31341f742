// Growth of resident memory while compiled functions come and go, and while one runs many times.
import { OURS, startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';

/** Before the first reading: the heap of the young generation and the allocator's pools have their size then. */
const WARM_UP = { functions: 150, steps: 1000 };
const MEASURED = { functions: 200, steps: 10_000 };
const GOAL_MEGABYTES = 10;

/** Resident megabytes before and after 200 compiled-and-disposed functions, and before and after 10,000 steps of one function. */
export async function measureCompileMemory(context) {
  const title = `Memory: ${MEASURED.functions} functions compiled, run and disposed of; ${MEASURED.steps} steps of one`;
  let peer = null;
  try {
    peer = await startPeer({ name: OURS, environment: 'node', script: 'workers/memory.mjs', args: [] }, context);
    const readings = {};
    for (const [what, count] of [
      ['compile', 'functions'],
      ['steps', 'steps'],
    ]) {
      context.progress(`memory of ${count}`);
      const before = await peer.ask({ do: what, [count]: WARM_UP[count] });
      const after = await peer.ask({ do: what, [count]: MEASURED[count] });
      readings[count] = { before, after };
    }
    const growth = ({ before, after }) => (after.residentBytes - before.residentBytes) / 1e6;
    const facts = Object.entries(readings).map(([count, { before, after }]) => ({
      name: `${MEASURED[count]} ${count}`,
      value: `${(before.residentBytes / 1e6).toFixed(1)} → ${(after.residentBytes / 1e6).toFixed(1)} MB, ${after.tensors - before.tensors} tensors more`,
    }));
    const goals = Object.entries(readings).map(([count, pair]) => ({
      name: `growth of resident memory over ${MEASURED[count]} ${count}`,
      value: growth(pair),
      limit: GOAL_MEGABYTES,
      unit: ' MB',
    }));
    return { title, ...readings, facts, goals };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { title, missing: [{ name: OURS, reason: error.message }] };
  } finally {
    peer?.close();
  }
}
