import { stepRandom } from '#tf';
import { rewriteCalls, type Call, type Graph, type Value } from '../ir.js';

/** Computes equal calls (same kernel, inputs and attributes) once. */
export function commonSubexpressions(graph: Graph): Graph {
  const seen = new Map<string, Call>();
  return rewriteCalls(graph, (call, replace) => {
    if (stepRandom.kernels.has(call.kernel)) return undefined; // every call draws anew
    const key = keyOf(call);
    const first = seen.get(key);
    if (first === undefined) {
      seen.set(key, call);
      return undefined;
    }
    call.outputs.forEach((v, i) => replace(v, first.outputs[i]!));
    return [];
  });
}

function keyOf(call: Call): string {
  const inputs = call.inputs.map((v, i) => `${call.inputNames[i]}=${identity(v)}`).join();
  return `${call.kernel}(${inputs})${JSON.stringify(call.attrs, exact)}`;
}

/** Small constants are the same when their contents are. */
function identity({ id, dtype, shape, source }: Value): string {
  if (source.kind !== 'constant' || source.data.length > 16) return String(id);
  return `${dtype}[${shape.join()}]{${Array.from(source.data, (x) => (Object.is(x, -0) ? '-0' : String(x))).join()}}`;
}

/** JSON has no NaN, infinity or -0; they must not become equal to something else. */
function exact(_key: string, value: unknown): unknown {
  if (typeof value !== 'number') return ArrayBuffer.isView(value) ? Array.from(value as unknown as ArrayLike<number>) : value;
  return Number.isFinite(value) && !Object.is(value, -0) ? value : `number:${Object.is(value, -0) ? '-0' : value}`;
}
