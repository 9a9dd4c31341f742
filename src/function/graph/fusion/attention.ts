/** Finds attention, softmax(α · q · kᵀ + mask) · v, and its gradient, and writes each as one call of a native kernel. */
import { makeCall, rewriteCalls, roots, producer as producerOf, type Call, type Graph, type Value } from '../ir.js';
import { deadCode } from '../passes/dead-code.js';
import { sizeOf } from './forms.js';
import { broadcastView, headShape, viewOf, type View } from './views.js';

/** The kernel of attention. */
export const ATTENTION = 'orbit.Attention';
/** The kernel of its gradient. */
export const ATTENTION_GRADIENT = 'orbit.AttentionGrad';

/** The heads are what the native kernel's threads share: with fewer of them ONNX Runtime's products serve. */
const FEWEST_HEADS = 4;

/** Attributes of both calls, as the native kernels take them. */
export interface AttentionAttrs {
  /** Batches, heads, queries, keys, width of queries and keys, width of values. */
  readonly dims: readonly number[];
  /** Tensor, offset and strides of each operand and result; tensor -1 where there is no mask. */
  readonly views: readonly number[];
  readonly alpha: number;
}

/** The graph with its attentions as calls of native kernels. Numbers change by rounding alone. */
export function attention(graph: Graph): Graph {
  if (!graph.calls.some((c) => c.kernel === 'Softmax')) return graph;
  const finder = new Finder(graph);
  const found = graph.calls.filter((c) => c.kernel === 'Softmax').flatMap((c) => finder.match(c) ?? []);
  if (found.length === 0) return graph;
  /** By call of the old graph: what is computed in its place, and the values that then exist. */
  const made = new Map<Call, Call>();
  const results = new Map<Call, Value>();
  for (const match of found) {
    const forward = forwardCall(match);
    made.set(match.output, forward.call);
    results.set(forward.result, forward.call.outputs[0]!);
    if (match.gradient === undefined) continue;
    const backward = gradientCall(match, match.gradient, forward.call.outputs[1]!);
    made.set(match.gradient.first, backward.call);
    backward.results.forEach((call, i) => results.set(call, backward.call.outputs[i]!));
  }
  const rewritten = rewriteCalls(graph, (call, replace, old) => {
    const call2 = made.get(old);
    const result = results.get(old);
    if (result !== undefined) replace(old.outputs[0]!, result);
    if (call2 !== undefined) return result === undefined ? [call2, call] : [call2];
    return result === undefined ? undefined : [];
  });
  return deadCode(rewritten);
}

interface Gradient {
  /** The first of its calls: everything that it reads exists there. */
  readonly first: Call;
  readonly dy: Value;
  /** The products that give dq, dk and dv. */
  readonly products: readonly [Call, Call, Call];
  readonly finder: Finder;
}

interface Match {
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
class Finder {
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

/** Tensors in the order of their first use, and views as the native kernels take them. */
class Operands {
  readonly values: Value[] = [];
  readonly views: number[] = [];

  add(view: View | undefined): void {
    if (view === undefined) this.views.push(-1, 0, 0, 0, 0);
    else {
      if (!this.values.includes(view.base)) this.values.push(view.base);
      this.views.push(this.values.indexOf(view.base), view.offset, view.batch, view.head, view.row);
    }
  }

  result(tensor: number, { offset, batch, head, row }: Omit<View, 'base'>): void {
    this.views.push(tensor, offset, batch, head, row);
  }

  named(): Record<string, Value> {
    return Object.fromEntries(this.values.map((v, i) => [String(i), v]));
  }
}

function operandsOf({ q, k, v, mask, finder }: Match): { operands: Operands; dims: number[] } {
  const operands = new Operands();
  for (const value of [q, k, v]) operands.add(viewOf(value, finder.producer));
  operands.add(mask);
  const [b, h, t, d] = headShape(q.shape)!;
  return { operands, dims: [b, h, t, k.shape.at(-2)!, d, v.shape.at(-1)!] };
}

const floats = (shape: readonly number[]): { dtype: 'float32'; shape: readonly number[] } => ({ dtype: 'float32', shape });

function forwardCall(match: Match): { call: Call; result: Call } {
  const { operands, dims } = operandsOf(match);
  const { result, shape, view } = match.finder.placeOf(match.output);
  operands.result(0, view);
  const attrs: AttentionAttrs = { dims, views: operands.views, alpha: match.alpha };
  const statistics = floats([...dims.slice(0, 3), 2]);
  return {
    call: makeCall(ATTENTION, operands.named(), { ...attrs }, [floats(shape), statistics], match.output.origin),
    result,
  };
}

function gradientCall(match: Match, gradient: Gradient, statistics: Value): { call: Call; results: Call[] } {
  const { operands, dims } = operandsOf(match);
  const dy = viewOf(gradient.dy, gradient.finder.producer);
  // The native kernel finds the statistics behind the gradient.
  const values = [...operands.values, dy.base, statistics];
  operands.result(operands.values.length, dy);
  const places = gradient.products.map((p) => gradient.finder.placeOf(p));
  const whole = wholeOf(places, gradient.finder);
  let outputs: Value[];
  let results: Call[];
  if (whole === undefined) {
    places.forEach(({ view }, i) => operands.result(i, view));
    outputs = gradient.products.map((p) => p.outputs[0]!);
    results = places.map((p) => p.result);
  } else {
    whole.views.forEach((view) => operands.result(0, view));
    outputs = [whole.concat.outputs[0]!];
    results = [whole.concat];
  }
  const attrs: AttentionAttrs = { dims, views: operands.views, alpha: match.alpha };
  const specs = whole === undefined ? places.map((p) => floats(p.shape)) : outputs.map((v) => floats(v.shape));
  const named = Object.fromEntries(values.map((v, i) => [String(i), v]));
  return { call: makeCall(ATTENTION_GRADIENT, named, { ...attrs }, specs, gradient.products[0].origin), results };
}

/** The one matrix into which the three gradients are concatenated side by side, and where they lie in it. */
function wholeOf(
  places: readonly { result: Call; view: Omit<View, 'base'> }[],
  finder: Finder,
): { concat: Call; views: Omit<View, 'base'>[] } | undefined {
  const parts = places.map(({ result }) => finder.concatOf(result));
  const concat = parts[0]?.concat;
  if (concat === undefined || parts.some((p) => p?.concat !== concat) || concat.inputs.length !== parts.length) return undefined;
  const [out] = concat.outputs as [Value];
  const axis = concat.attrs['axis'] as number;
  if ((axis < 0 ? axis + out.shape.length : axis) !== out.shape.length - 1) return undefined;
  const width = out.shape.at(-1)!;
  const views = parts.map((p, i) => {
    const { view } = places[i]!;
    const inner = p!.part.shape.at(-1)!;
    const at = concat.inputs.indexOf(p!.part);
    const before = concat.inputs.slice(0, at).reduce((n, v) => n + v.shape.at(-1)!, 0);
    const wide = (stride: number): number => (stride % inner === 0 ? (stride / inner) * width : stride);
    // Heads lie within a row, rows and batches are whole rows.
    const whole = view.row % inner === 0 && view.batch % inner === 0 && view.head < inner;
    return whole ? { offset: before, batch: wide(view.batch), head: wide(view.head), row: wide(view.row) } : undefined;
  });
  return views.every((v) => v !== undefined) ? { concat, views } : undefined;
}
