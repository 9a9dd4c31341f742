import { stepRandom } from '#tf';
import { sizeOf } from '../../dtype.js';
import { evaluate } from '../../trace/evaluate.js';
import { makeValue, rewriteCalls, type Graph } from '../ir.js';
import { loopBody } from '../loop.js';

/** Results with more elements than this stay computed: a model file should not grow. */
const MAX_ELEMENTS = 4096;
/** Calls that read more than this are left to the first run. */
const MAX_READ = 1 << 20;

/** Computes what depends on constants alone, with tfjs itself. */
export function foldConstants(graph: Graph): Graph {
  return rewriteCalls(graph, (call, replace) => {
    const known = call.inputs.length > 0 && call.inputs.every((v) => v.source.kind === 'constant');
    if (!known || loopBody(call) !== undefined || call.kernel.startsWith('orbit.') || stepRandom.kernels.has(call.kernel)) return undefined;
    if (call.outputs.some((v) => sizeOf(v.shape) > MAX_ELEMENTS) || call.inputs.reduce((n, v) => n + sizeOf(v.shape), 0) > MAX_READ) {
      return undefined;
    }
    for (const v of call.outputs) {
      const data = evaluate(v, 'constants');
      if (data === undefined) return undefined;
      replace(v, makeValue(v, { kind: 'constant', data }));
    }
    return [];
  });
}
