// What the measurements of our own training loop share: one process that holds one experiment.
import { LOOPS, OURS, startPeer } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';

/**
 * Runs a measurement with our training process, the experiment loaded. A process that cannot do it makes a section that says so.
 * @param {(peer: import('../lib/process.mjs').Peer) => Promise<object>} measure
 */
export async function withTraining(context, title, experiment, measure) {
  let peer = null;
  try {
    context.progress(`starting ${experiment}`);
    peer = await startPeer(LOOPS[0], context);
    await peer.ask({ do: 'load', experiment });
    return { title, ...(await measure(peer)) };
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    return { title, missing: [{ name: OURS, reason: error.message }] };
  } finally {
    peer?.close();
  }
}
