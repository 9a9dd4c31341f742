/** Recognises attention, softmax(α · q · kᵀ + mask) · v, and its gradient among the calls of a graph. */
import { producer as producerOf, roots, type Call, type Graph, type Value } from '../ir.js';
import { sizeOf } from './forms.js';
import { broadcastView, headShape, type View } from './views.js';

/** The heads are what the native kernel's threads share: with fewer of them ONNX Runtime's products serve. */
const FEWEST_HEADS = 4;

/** The calls of a gradient. */
export interface Gradient {
  /** The first of its calls: everything that it reads exists there. */
  readonly first: Call;
  readonly dy: Value;
  /** The products that give dq, dk and dv. */
  readonly products: readonly [Call, Call, Call];
  readonly finder: Finder;
}

/** An attention and, where there is one, its gradient. */
export interface Match {
  readonly q: Value;
  readonly k: Value;
  readonly v: Value;
  readonly mask: View | undefined;
  readonly alpha: number;
  /** The product of weights and values. */
  readonly output: Call;
  readonly gradient: Gradient | undefined;
  readonly finder: Finder;
}

/** Finds the calls around a softmax. */
export class Finder {
  private readonly users = new Map<Value, Call[]>();
  private readonly own: ReadonlySet<Call>;
  private readonly roots: ReadonlySet<Value>;

  constructor(private readonly graph: Graph) {
    this.own = new Set(graph.calls);
    this.roots = new Set(roots(graph));
    for (const call of graph.calls) for (const v of new Set(call.inputs)) this.users.set(v, [...(this.users.get(v) ?? []), call]);
  }

  /** The call of this graph that computes a value. */
  readonly producer = (v: Value): Call | undefined => {
    const call = producerOf(v);
    return call !== undefined && this.own.has(call) ? call : undefined;
  };

  /** The only call that reads a value. */
  only(v: Value): Call | undefined {
    const users = this.users.get(v) ?? [];
    return users.length === 1 && !this.roots.has(v) ? users[0] : undefined;
  }

  /** The attention around a softmax, where nothing else reads what lies inside it. */
  match(softmax: Call): Match | undefined {
    const [logits] = softmax.inputs as [Value];
    const axis = (softmax.attrs['dim'] as number | undefined) ?? -1;
    const shape = headShape(logits.shape);
    if (logits.dtype !== 'float32' || shape === undefined || (axis !== -1 && axis !== logits.shape.length - 1)) return undefined;
    if (shape[0] * shape[1] < FEWEST_HEADS || sizeOf(logits.shape) === 0) return undefined;
    const scores = this.scoresOf(logits);
    if (scores === undefined) return undefined;
    const { call, mask, scale } = scores;
    const [q, k] = call.inputs as [Value, Value];
    if (call.attrs['transposeA'] || !call.attrs['transposeB'] || !sameHeads(q, logits) || !sameHeads(k, logits)) return undefined;
    const weights = softmax.outputs[0]!;
    if (this.roots.has(weights)) return undefined;
    const users = this.users.get(weights) ?? [];
    const output = users.find((c) => isProduct(c, weights, 0, false, false));
    if (output === undefined || !sameHeads(output.inputs[1]!, logits)) return undefined;
    const alpha = factorOf(call) * scale;
    const parts = { q, k, v: output.inputs[1]!, mask, alpha, output, finder: this };
    if (users.length === 1) return { ...parts, gradient: undefined };
    const gradient = this.gradientOf(weights, users, parts);
    return gradient && { ...parts, gradient };
  }

  /** The product below a scaling and a mask, where nothing else reads what lies between. */
  private scoresOf(logits: Value): { call: Call; mask: View | undefined; scale: number } | undefined {
    let at = logits;
    let mask: View | undefined;
    let scale = 1;
    for (;;) {
      const call = this.producer(at);
      if (call === undefined || this.only(at) === undefined) return undefined;
      if (call.kernel === 'BatchMatMul') return { call, mask, scale };
      const [a, b] = call.inputs as [Value, Value];
      if (call.kernel === 'Add' && mask === undefined && scale === 1) {
        const [x, y] = this.producer(a)?.outputs[0]!.shape.join() === at.shape.join() && this.leadsToProduct(a) ? [a, b] : [b, a];
        mask = x.shape.join() === at.shape.join() ? broadcastView(y, at.shape) : undefined;
        if (mask === undefined) return undefined;
        at = x;
      } else {
        const scaling = scalingOf(call);
        if (scaling === undefined) return undefined;
        scale *= scaling.by;
        at = scaling.x;
      }
    }
  }

  private leadsToProduct(v: Value): boolean {
    const call = this.producer(v);
    if (call === undefined) return false;
    if (call.kernel === 'BatchMatMul') return true;
    return (call.kernel === 'Multiply' || call.kernel === 'RealDiv') && call.inputs.some((x) => this.leadsToProduct(x));
  }

  /** The gradient's calls: p·dp, its sum, the difference, and four products. */
  private gradientOf(weights: Value, users: readonly Call[], parts: Omit<Match, 'gradient'>): Gradient | undefined {
    const others = users.filter((c) => c !== parts.output);
    const dv = others.find((c) => isProduct(c, weights, 0, true, false));
    const products = others.filter((c) => c.kernel === 'Multiply');
    if (dv === undefined || products.length !== 2 || others.length !== 3 || factorOf(dv) !== 1 || factorOf(parts.output) !== 1)
      return undefined;
    const dy = dv.inputs[1]!;
    for (const [inner, outer] of [products, [...products].reverse()] as [Call, Call][]) {
      const dWeights = other(inner, weights);
      const dp = this.producer(dWeights);
      if (dp === undefined || !isProduct(dp, dy, 0, false, true) || dp.inputs[1] !== parts.v || factorOf(dp) !== 1) continue;
      if (this.only(dWeights) !== inner) continue;
      const innerUsers = this.users.get(inner.outputs[0]!) ?? [];
      const difference = innerUsers.find((c) => c.kernel === 'Sub' && c.inputs[0] === inner.outputs[0] && c.inputs[1] === outer.outputs[0]);
      const sum = innerUsers.find((c) => c.kernel === 'Sum');
      if (difference === undefined || sum === undefined || innerUsers.length !== 2 || this.roots.has(inner.outputs[0]!)) continue;
      if (!isRowSum(sum) || this.only(outer.outputs[0]!) !== difference || this.below(other(outer, weights)) !== sum.outputs[0]) continue;
      if (this.only(sum.outputs[0]!) === undefined) continue;
      const { value: ds, scale } = this.scaled(difference.outputs[0]!);
      const dsUsers = this.users.get(ds) ?? [];
      const dq = dsUsers.find((c) => isProduct(c, ds, 0, false, false) && c.inputs[1] === parts.k);
      const dk = dsUsers.find((c) => isProduct(c, ds, 0, true, false) && c.inputs[1] === parts.q);
      if (dq === undefined || dk === undefined || dsUsers.length !== 2 || this.roots.has(ds)) continue;
      if (!near(factorOf(dq) * scale, parts.alpha) || !near(factorOf(dk) * scale, parts.alpha)) continue;
      const first = this.graph.calls.find((c) => c === dp || c === dv)!;
      return { first, dy, products: [dq, dk, dv], finder: this };
    }
    return undefined;
  }

  /** What becomes of a value that only scalings read. */
  private scaled(value: Value): { value: Value; scale: number } {
    const reader = this.only(value);
    const scaling = reader === undefined ? undefined : scalingOf(reader);
    if (scaling?.x !== value) return { value, scale: 1 };
    const after = this.scaled(reader!.outputs[0]!);
    return { value: after.value, scale: after.scale * scaling.by };
  }

  /** The value below reshapes that nothing else reads. */
  private below(v: Value): Value {
    const call = this.producer(v);
    return call?.kernel === 'Reshape' && this.only(v) !== undefined ? this.below(call.inputs[0]!) : v;
  }

  /** Where a result should lie: as the transpose that alone reads it would write it. */
  placeOf(product: Call): { result: Call; shape: readonly number[]; view: Omit<View, 'base'> } {
    const [value] = product.outputs as [Value];
    const [b, h, t, e] = headShape(value.shape)!;
    const reader = this.only(value);
    if (reader?.kernel === 'Transpose' && value.shape.length === 4 && (reader.attrs['perm'] as number[]).join() === '0,2,1,3') {
      return { result: reader, shape: [b, t, h, e], view: { offset: 0, batch: t * h * e, head: e, row: h * e } };
    }
    return { result: product, shape: value.shape, view: { offset: 0, batch: h * t * e, head: h === 1 ? 0 : t * e, row: e } };
  }

  /** The call that alone reads what is left of a result after reshapes. */
  concatOf(result: Call): { concat: Call; part: Value } | undefined {
    const [value] = result.outputs as [Value];
    const reader = this.only(value);
    if (reader?.kernel === 'Reshape') return this.concatOf(reader);
    return reader?.kernel === 'Concat' ? { concat: reader, part: value } : undefined;
  }
}

function isProduct(call: Call, operand: Value, at: number, transposeA: boolean, transposeB: boolean): boolean {
  return (
    call.kernel === 'BatchMatMul' &&
    call.inputs[at] === operand &&
    call.inputs[1 - at] !== operand &&
    Boolean(call.attrs['transposeA']) === transposeA &&
    Boolean(call.attrs['transposeB']) === transposeB
  );
}

function isRowSum(call: Call): boolean {
  const axes = [call.attrs['reductionIndices'] ?? call.attrs['axis']].flat() as number[];
  const rank = call.inputs[0]!.shape.length;
  return axes.length === 1 && (axes[0] === rank - 1 || axes[0] === -1);
}

const factorOf = (product: Call): number => (product.attrs['alpha'] as number | undefined) ?? 1;
const near = (a: number, b: number): boolean => Math.abs(a - b) <= 1e-6 * Math.abs(b);
const other = (call: Call, v: Value): Value => (call.inputs[0] === v ? call.inputs[1]! : call.inputs[0]!);
const sameHeads = (v: Value, scores: Value): boolean =>
  v.dtype === 'float32' && v.shape.length === scores.shape.length && v.shape.slice(0, -2).join() === scores.shape.slice(0, -2).join();

/** x and the factor, where a call multiplies x by a constant or divides it by one. */
function scalingOf(call: Call): { x: Value; by: number } | undefined {
  if (call.kernel !== 'Multiply' && call.kernel !== 'RealDiv') return undefined;
  const [a, b] = call.inputs as [Value, Value];
  const [right, left] = [scalarOf(b), scalarOf(a)];
  if (right !== undefined) return { x: a, by: call.kernel === 'Multiply' ? right : 1 / right };
  return call.kernel === 'Multiply' && left !== undefined ? { x: b, by: left } : undefined;
}

function scalarOf(v: Value): number | undefined {
  return v.source.kind === 'constant' && v.source.data.length === 1 ? v.source.data[0] : undefined;
}
