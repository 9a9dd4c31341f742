// The machine's practical limit: the best float32 matrix product, through our own compiler.
import { OURS, startPeer, STEPS } from '../lib/contenders.mjs';
import { PeerError } from '../lib/process.mjs';

const SIZE = 2048;
const REPEATS = 50;

/** Best of 50 products 2048³. Leaves `context.peakFlopsPerSecond` for the sections after it. */
export async function measurePeak(context) {
  const section = {
    title: `Peak: best of ${REPEATS} products ${SIZE}³, float32, ${context.options.threads} threads`,
    facts: [],
    missing: [],
  };
  let peer = null;
  try {
    peer = await startPeer(STEPS[0], context);
    context.progress(`${REPEATS} products ${SIZE}³`);
    const { ms } = await peer.ask({ do: 'gemm', size: SIZE, repeats: REPEATS });
    context.peakFlopsPerSecond = (2 * SIZE ** 3) / (Math.min(...ms) / 1000);
    section.milliseconds = ms;
    section.flopsPerSecond = context.peakFlopsPerSecond;
    section.facts.push({ name: 'peak', value: `${(context.peakFlopsPerSecond / 1e9).toFixed(0)} GFLOP/s (${context.machine.vectorSet})` });
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    section.missing.push({ name: OURS, reason: error.message });
  } finally {
    peer?.close();
  }
  return section;
}
