/** Writes attention, and its gradient, as one call of a native kernel each. */
import { makeCall, rewriteCalls, type Call, type Graph, type Value } from '../ir.js';
import { deadCode } from '../passes/dead-code.js';
import { Finder, type Gradient, type Match } from './attention-match.js';
import { headShape, viewOf, type View } from './views.js';

/** The kernel of attention. */
export const ATTENTION = 'orbit.Attention';
/** The kernel of its gradient. */
export const ATTENTION_GRADIENT = 'orbit.AttentionGrad';

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
