import { sizeOf } from '../../dtype.js';
import { makeCall, makeValue, producer, rewriteCalls, roots, type Call, type Graph, type Value } from '../ir.js';

/**
 * Regroups products of several factors: constants first, then small tensors, then whole ones, so that (x · 2) · (1 / n) is one
 * pass over x. Numbers change by rounding alone.
 */
export function products(graph: Graph): Graph {
  const uses = new Map<Value, number>();
  const use = (v: Value): void => void uses.set(v, (uses.get(v) ?? 0) + 1);
  graph.calls.forEach((c) => c.inputs.forEach(use));
  roots(graph).forEach(use);
  const absorbed = new Set<Call>();
  for (const call of graph.calls) {
    if (!isProduct(call)) continue;
    for (const v of call.inputs) {
      const inner = producer(v);
      if (inner !== undefined && isProduct(inner) && uses.get(v) === 1) absorbed.add(inner);
    }
  }
  const factorsOf = new Map<Value, Value[]>();
  return rewriteCalls(graph, (call, replace, old) => {
    if (!isProduct(old)) return undefined;
    const factors = call.inputs.flatMap((v) => factorsOf.get(v) ?? [v]);
    if (absorbed.has(old)) {
      // Emitted as well, for a product that is not regrouped in the end; dead code otherwise.
      factorsOf.set(call.outputs[0]!, factors);
      return undefined;
    }
    if (factors.length < 3) return undefined;
    const [out] = call.outputs as [Value];
    const made = multiply(factors, call);
    if (made === undefined) return undefined;
    replace(out, made.at(-1)!.outputs[0]!);
    return made;
  });
}

const isProduct = (call: Call): boolean => call.kernel === 'Multiply' && call.outputs[0]!.dtype === 'float32';

/** The calls of a regrouped product; undefined where that would save nothing. */
function multiply(factors: readonly Value[], call: Call): Call[] | undefined {
  const whole = sizeOf(call.outputs[0]!.shape);
  const constants = factors.filter(isScalarConstant);
  const others = factors.filter((v) => !isScalarConstant(v)).sort((a, b) => sizeOf(a.shape) - sizeOf(b.shape));
  const small = others.filter((v) => sizeOf(v.shape) < whole).length;
  if (others.length === 0 || constants.length + small < 2) return undefined;
  const scale = constants.reduce((n, v) => Math.fround(n * (v.source as { data: Float32Array }).data[0]!), 1);
  if (!Number.isFinite(scale) || (scale === 0 && constants.length > 1)) return undefined;
  const operands = scale === 1 && constants.length > 0 ? others : constants.length > 0 ? [scalar(scale), ...others] : others;
  if (operands.length < 2) return undefined;
  const calls: Call[] = [];
  let product = operands[0]!;
  for (const factor of operands.slice(1)) {
    const shape = broadcast(product.shape, factor.shape);
    calls.push(makeCall('Multiply', { a: factor, b: product }, {}, [{ dtype: 'float32', shape }], call.origin));
    product = calls.at(-1)!.outputs[0]!;
  }
  return product.shape.join() === call.outputs[0]!.shape.join() ? calls : undefined;
}

function isScalarConstant(v: Value): boolean {
  return v.source.kind === 'constant' && v.shape.length === 0;
}

function scalar(value: number): Value {
  return makeValue({ dtype: 'float32', shape: [] }, { kind: 'constant', data: Float32Array.of(value) });
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => Math.max(a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1));
}
