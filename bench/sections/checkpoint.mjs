// Saves and restores of 100 M float32 parameters with Adam's slots (1.2 GB), beside a plain write, read and copy of those bytes.
import { mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { OURS, startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';
import { median, ratios, summarize } from '../lib/stats.mjs';

const CHECKPOINT = { name: OURS, environment: 'node', script: 'workers/checkpoint.mjs', args: [] };
/** Steps whose loss counts. */
const STEPS_AFTER = 10;
const WARM_UP_STEPS = 4;
const ROUNDS_AT_MOST = 7;

const sum = (times) => times.reduce((a, b) => a + b, 0);

async function withPeer(context, title, train, measure) {
  let peer = null;
  const directory = mkdtempSync(path.join(context.scratch, 'large-'));
  try {
    context.progress('building 100 M parameters');
    peer = await startPeer(CHECKPOINT, context);
    await peer.ask({ do: 'load', train, directory });
    return { title, ...(await measure(peer, Math.min(context.options.rounds, ROUNDS_AT_MOST))) };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { title, missing: [{ name: OURS, reason: error.message }] };
  } finally {
    peer?.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Saving: what the loop waits for, what the next steps lose, and how long a save takes that is waited for. */
export function measureSave(context) {
  return withPeer(context, 'Saving 100 M parameters with Adam, 1.2 GB', true, async (peer, rounds) => {
    const results = { blocked: [], copied: [], lost: [], complete: [], saved: [], written: [] };
    for (let round = 0; round < rounds; round++) {
      context.progress(`round ${round + 1} of ${rounds}: in the background`);
      const before = sum((await peer.ask({ do: 'steps', steps: WARM_UP_STEPS + STEPS_AFTER })).times.slice(WARM_UP_STEPS));
      const { blocked, times, complete } = await peer.ask({ do: 'saveInBackground', steps: STEPS_AFTER });
      const after = sum((await peer.ask({ do: 'steps', steps: WARM_UP_STEPS + STEPS_AFTER })).times.slice(WARM_UP_STEPS));
      results.blocked.push(blocked);
      results.complete.push(complete);
      // As many steps before and after: what else delays a step now and then counts on both sides.
      results.lost.push(sum(times) - (before + after) / 2);
      results.copied.push((await peer.ask({ do: 'copy' })).seconds);
      context.progress(`round ${round + 1} of ${rounds}: waited for`);
      results.saved.push((await peer.ask({ do: 'saveAndWait' })).seconds);
      results.written.push((await peer.ask({ do: 'plainWrite' })).seconds);
    }
    const names = {
      blocked: 'the loop waits for a save in the background',
      copied: 'one copy of the bytes in memory',
      lost: `the next ${STEPS_AFTER} steps lose`,
      complete: 'the save in the background is complete after',
      saved: 'a save that is waited for',
      written: 'a plain write of the bytes with fsync',
    };
    return {
      unit: 's',
      results,
      rows: Object.entries(names).map(([key, name]) => ({ name, ...summarize(results[key]) })),
      goals: [
        { name: 'wait ÷ memory copy', value: ratios(results.blocked, results.copied).median, limit: 1.3, unit: ' ×' },
        { name: 'wait ÷ memory copy, the first save', value: results.blocked[0] / results.copied[0], limit: 1.3, unit: ' ×' },
        { name: `lost by the next ${STEPS_AFTER} steps`, value: median(results.lost), limit: 0.5, unit: ' s' },
        { name: 'save ÷ plain write with fsync', value: ratios(results.saved, results.written).median, limit: 1.2, unit: ' ×' },
      ],
    };
  });
}

/** Restoring, beside reading the bytes, copying them and taking their checksum. */
export function measureRestore(context) {
  return withPeer(context, 'Restoring 100 M parameters with Adam, 1.2 GB', false, async (peer, rounds) => {
    const results = { restored: [], parts: [] };
    await peer.ask({ do: 'saveAndWait' });
    await peer.ask({ do: 'plainWrite' });
    for (let round = 0; round < rounds; round++) {
      context.progress(`round ${round + 1} of ${rounds}`);
      results.restored.push((await peer.ask({ do: 'restore' })).seconds);
      const { read, crc32, copy } = await peer.ask({ do: 'readCopyChecksum' });
      results.parts.push(read + crc32 + copy);
    }
    return {
      unit: 's',
      results,
      rows: [
        { name: 'restore', ...summarize(results.restored) },
        { name: 'read + crc32 + copy', ...summarize(results.parts) },
      ],
      goals: [{ name: 'restore ÷ (read + crc32 + copy)', value: ratios(results.restored, results.parts).median, limit: 1.3, unit: ' ×' }],
    };
  });
}
