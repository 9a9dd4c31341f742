/** The memory that ONNX Runtime keeps for the intermediate values of a session. */
import { ort, type Handle } from './ort.js';

/**
 * Bytes of the arena of a session: what it took from the system and keeps for its next run. Undefined where ONNX Runtime
 * is older than 1.23 and cannot tell.
 */
export function arenaBytes(session: Handle): number | undefined {
  const { api, statistics, make, memoryInfo } = ort();
  if (statistics === undefined) return undefined;
  const allocator = make((out) => api.createAllocator(session, memoryInfo, out));
  try {
    const pairs = make((out) => statistics.allocatorGetStats(allocator, out));
    const total = statistics.getKeyValue(pairs, 'TotalAllocated') as string | null;
    statistics.releaseKeyValuePairs(pairs);
    return total === null ? undefined : Number(total);
  } finally {
    api.releaseAllocator(allocator);
  }
}
