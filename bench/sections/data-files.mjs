// Reading files of some hundred megabytes with flat memory.
import { startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';

const MEGABYTES = 300;
const GROWTH_MEGABYTES = 20;
const KINDS = ['csv', 'tfrecord', 'arrow', 'parquet', 'npy', 'jpeg'];

/** Resident memory after the first pass and after the third, one process per format. */
export async function measureDataFiles(context) {
  const facts = [];
  const goals = [];
  const missing = [];
  for (const kind of KINDS) {
    let peer = null;
    try {
      // Written by another process, so that what writing leaves behind is not counted.
      const writer = await startPeer({ name: kind, environment: 'node', script: 'workers/data-files.mjs', args: [] }, context);
      context.progress(`${kind}: writing`);
      const { bytes } = await writer.ask({ do: 'write', kind, bytes: MEGABYTES * 1e6 }).finally(() => writer.close());
      peer = await startPeer({ name: kind, environment: 'node', script: 'workers/data-files.mjs', args: [] }, context);
      context.progress(`${kind}: reading`);
      const { batches, before, after, most, ms } = await peer.ask({ do: 'read', kind });
      const megabytes = (count) => (count / 1e6).toFixed(0);
      facts.push({
        name: `${kind}, ${megabytes(bytes)} MB, ${batches} batches`,
        value: `${megabytes(before)} → ${megabytes(after)} MB, at most ${megabytes(most)} MB, in ${(ms / 1000).toFixed(1)} s`,
      });
      goals.push({ name: `growth, ${kind}`, value: (after - before) / 1e6, limit: GROWTH_MEGABYTES, unit: ' MB' });
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      missing.push({ name: kind, reason: error.message });
    } finally {
      peer?.close();
    }
  }
  return {
    title: `Memory while files of ${MEGABYTES} MB are read three times, in batches of 1,000; 600 images of 3 megapixels, in batches of 20`,
    facts,
    goals,
    missing,
  };
}
