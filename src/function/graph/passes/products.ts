import { sizeOf } from '../../dtype.js';
import { makeCall, makeValue, producer, rewriteCalls, roots, type Call, type Graph, type Value } from '../ir.js';
import { deadCode } from './dead-code.js';

/**
 * Regroups products of several factors: constants first, then small tensors, then whole ones, so that (x · 2) · (1 / n) is one
 * pass over x. A constant of a product that only matrix products read comes last: they take it over. Of sums of two products
 * a common factor is taken out. Numbers change by rounding alone.
 */
export function products(graph: Graph): Graph {
  return new Products(graph).run();
}

class Products {
  private readonly users = new Map<Value, Call[]>();
  private readonly results: ReadonlySet<Value>;
  /** Products that one other product or sum reads: they are regrouped with it. */
  private readonly absorbed = new Set<Call>();
  private readonly factors = new Map<Value, readonly Value[]>();

  constructor(private readonly graph: Graph) {
    for (const call of graph.calls) for (const v of call.inputs) this.users.set(v, [...(this.users.get(v) ?? []), call]);
    this.results = new Set(roots(graph));
    for (const call of graph.calls) {
      if (!isProduct(call) && !isSum(call)) continue;
      for (const v of call.inputs) {
        const inner = producer(v);
        if (inner !== undefined && isProduct(inner) && this.usedOnce(v)) this.absorbed.add(inner);
      }
    }
  }

  run(): Graph {
    const regrouped = rewriteCalls(this.graph, (call, replace, old) => {
      const made = isProduct(old) ? this.product(call, old) : isSum(old) ? this.sum(call) : undefined;
      if (made !== undefined) replace(call.outputs[0]!, made.at(-1)!.outputs[0]!);
      return made;
    });
    return deadCode(regrouped); // the products that were taken apart
  }

  private usedOnce(v: Value): boolean {
    return this.users.get(v)?.length === 1 && !this.results.has(v);
  }

  private product(call: Call, old: Call): Call[] | undefined {
    const factors = call.inputs.flatMap((v) => this.factors.get(v) ?? scaling(v) ?? [v]);
    const [out] = call.outputs as [Value];
    if (this.absorbed.has(old)) {
      // It stays as well, for a reader that is not regrouped in the end; dead code otherwise.
      this.factors.set(out, factors);
      return undefined;
    }
    if (factors.length < 3) return undefined;
    const parts = partsOf(factors);
    const small = parts.others.filter((v) => sizeOf(v.shape) < sizeOf(out.shape)).length;
    const constants = factors.length - parts.others.length;
    if (!isUsable(parts) || constants + small < 2) {
      // A single constant pays when matrix products take it over.
      const read = this.users.get(old.outputs[0]!) ?? [];
      const free = constants === 1 && small === 0 && isUsable(parts) && !this.results.has(old.outputs[0]!);
      if (!free || read.length === 0 || !read.every((c) => c.kernel === 'BatchMatMul')) return undefined;
      const calls: Call[] = [];
      const whole = multiply(parts.others, calls, call);
      multiply([whole, scalar(parts.scale)], calls, call);
      return calls;
    }
    return emit(parts, out, call);
  }

  /** d · a + d · b as d · (a + b). */
  private sum(call: Call): Call[] | undefined {
    const [out] = call.outputs as [Value];
    const [left, right] = call.inputs.map((v) => this.factors.get(v));
    if (left === undefined || right === undefined) return undefined;
    // The constant that is left goes to the second, best into the exponent of an exponential.
    const [a, b] = [partsOf(left), partsOf(right)].sort(
      (p, q) => Number(exponentOf(p.others) >= 0) - Number(exponentOf(q.others) >= 0),
    ) as [Parts, Parts];
    const common = a.others.find((v) => v.shape.join() === out.shape.join() && b.others.includes(v));
    if (common === undefined || !isUsable(a) || !isUsable(b) || !Number.isFinite(b.scale / a.scale)) return undefined;
    const [restA, restB] = [without(a.others, common), without(b.others, common)];
    if (restA.length === 0 || restB.length === 0) return undefined;
    const calls: Call[] = [];
    const first = multiply(restA, calls, call);
    const second = multiply(withScale(restB, Math.fround(b.scale / a.scale), calls, call), calls, call);
    const add = makeCall(
      'Add',
      { a: first, b: second },
      {},
      [{ dtype: 'float32', shape: broadcast(first.shape, second.shape) }],
      call.origin,
    );
    calls.push(add);
    const factor = a.scale === 1 ? common : multiply([scalar(a.scale), common], calls, call);
    multiply([add.outputs[0]!, factor], calls, call);
    return calls.at(-1)!.outputs[0]!.shape.join() === out.shape.join() ? calls : undefined;
  }
}

const isProduct = (call: Call): boolean => call.kernel === 'Multiply' && call.outputs[0]!.dtype === 'float32';
const isSum = (call: Call): boolean => call.kernel === 'Add' && call.outputs[0]!.dtype === 'float32';
const isConstant = (v: Value): boolean => v.source.kind === 'constant' && v.shape.length === 0;
const numberOf = (v: Value): number => (v.source as { data: Float32Array }).data[0]!;

/** The factors of a product with a constant: other products may take the constant over even where it is needed itself. */
function scaling(v: Value): Value[] | undefined {
  const call = producer(v);
  return call !== undefined && isProduct(call) && call.inputs.filter(isConstant).length === 1 ? [...call.inputs] : undefined;
}

interface Parts {
  /** The product of all constants. */
  readonly scale: number;
  /** The other factors, smallest first. */
  readonly others: readonly Value[];
}

function partsOf(factors: readonly Value[]): Parts {
  const scale = factors.filter(isConstant).reduce((n, v) => Math.fround(n * numberOf(v)), 1);
  return { scale, others: factors.filter((v) => !isConstant(v)).sort((a, b) => sizeOf(a.shape) - sizeOf(b.shape)) };
}

const isUsable = ({ scale, others }: Parts): boolean => Number.isFinite(scale) && scale !== 0 && others.length > 0;

function emit(parts: Parts, out: Value, call: Call): Call[] | undefined {
  const calls: Call[] = [];
  const result = multiply(withScale(parts.others, parts.scale, calls, call), calls, call);
  return calls.length > 0 && result.shape.join() === out.shape.join() && result !== parts.others[0] ? calls : undefined;
}

/** The factors with a constant among them; an exponential takes it into its exponent. */
function withScale(others: readonly Value[], scale: number, calls: Call[], call: Call): Value[] {
  if (scale === 1) return [...others];
  const at = exponentOf(others);
  if (at < 0 || scale < 0 || sizeOf(others[0]!.shape) < sizeOf(others[at]!.shape)) return [scalar(scale), ...others];
  // c · exp(−z) = exp(ln c − z)
  const exp = producer(others[at]!)!;
  const z = producer(exp.inputs[0]!)!.inputs[0]!;
  const spec = [{ dtype: 'float32' as const, shape: z.shape }];
  const exponent = makeCall('Sub', { a: scalar(Math.log(scale)), b: z }, {}, spec, call.origin);
  const scaled = makeCall('Exp', { x: exponent.outputs[0]! }, {}, spec, call.origin);
  calls.push(exponent, scaled);
  return others.map((v, i) => (i === at ? scaled.outputs[0]! : v));
}

/** The place of a factor exp(−z), or -1. */
function exponentOf(factors: readonly Value[]): number {
  return factors.findIndex((v) => producer(v)?.kernel === 'Exp' && producer(producer(v)!.inputs[0]!)?.kernel === 'Neg');
}

function multiply(factors: readonly Value[], calls: Call[], call: Call): Value {
  return factors.reduce((product, factor) => {
    const shape = broadcast(product.shape, factor.shape);
    calls.push(makeCall('Multiply', { a: factor, b: product }, {}, [{ dtype: 'float32', shape }], call.origin));
    return calls.at(-1)!.outputs[0]!;
  });
}

function without(values: readonly Value[], one: Value): Value[] {
  const at = values.indexOf(one);
  return values.filter((_, i) => i !== at);
}

function scalar(value: number): Value {
  return makeValue({ dtype: 'float32', shape: [] }, { kind: 'constant', data: Float32Array.of(value) });
}

function broadcast(a: readonly number[], b: readonly number[]): number[] {
  const rank = Math.max(a.length, b.length);
  return Array.from({ length: rank }, (_, i) => Math.max(a[a.length - rank + i] ?? 1, b[b.length - rank + i] ?? 1));
}
