import { makeCall, makeValue, input, type Call, type Graph, type Value } from '../ir.js';
import { uniformValue } from '../uniform.js';
import { ChannelForms, isLinear, isPlain, isTrivial, ONE, scalar, type Linear, type Product } from './channel-forms.js';
import { isImage, isOverPixels, isVector, meanOf } from './channel-shapes.js';
import { PixelSums } from './pixel-sums.js';

/**
 * Batch normalisation in training mode reaches the graph as some thirty passes over the image, forward and backward. This
 * pass treats images as sums of per-channel vectors times a few images (the centred input, the incoming gradient) and does
 * the algebra on the vectors: what remains is one centred image, two sums, and one multiply-add per result. Numbers change
 * by rounding alone; a graph without such a normalisation stays as it is.
 */
export function channelAlgebra(graph: Graph): Graph {
  return graph.calls.some((c) => c.kernel === 'FusedBatchNorm' && meanOf(input(c, 'mean')!) === input(c, 'x'))
    ? new Rewrite(graph).run()
    : graph;
}

/** Rewrites one graph. */
class Rewrite {
  private readonly calls: Call[] = [];
  private readonly replaced = new Map<Value, Value>();
  private readonly forms = new Map<Value, Linear | Product>();
  private readonly centred = new Map<Value, Value>();
  private readonly algebra = new ChannelForms((...call) => this.emit(...call));
  private readonly sums = new PixelSums(
    this.algebra,
    (...call) => this.emit(...call),
    (image) => [...this.centred.values()].includes(image),
  );

  private origin: Call['origin'] = {};

  constructor(private readonly graph: Graph) {}

  run(): Graph {
    for (const call of this.graph.calls) this.visit(call);
    return {
      ...this.graph,
      outputs: this.graph.outputs.map((v) => this.value(v)),
      assignments: this.graph.assignments.map((a) => ({ variable: a.variable, value: this.value(a.value) })),
      calls: this.calls,
    };
  }

  private visit(call: Call): void {
    this.origin = call.origin;
    const out = call.outputs[0]!;
    if (isImage(out)) {
      const subtracted = call.kernel === 'Sub' && isVector(call.inputs[1]!, out.shape) ? meanOf(call.inputs[1]!) : undefined;
      if (subtracted !== undefined && subtracted === call.inputs[0]) {
        const x = this.value(subtracted);
        const known = this.centred.get(x);
        if (known === undefined) this.centred.set(x, this.keep(call));
        else this.replaced.set(out, known);
        return;
      }
      const form = this.formOf(call, out.shape);
      if (form !== undefined) {
        this.forms.set(out, form);
        return;
      }
    } else if (call.kernel === 'Sum' && isImage(call.inputs[0]!) && isOverPixels(call)) {
      const total = this.sums.of(this.imageForm(call.inputs[0]!), call.inputs[0]!.shape);
      this.replaced.set(
        out,
        total.shape.join() === out.shape.join() ? total : this.emit('Reshape', { x: total }, out.shape, { shape: [...out.shape] }),
      );
      return;
    }
    this.keep(call);
  }

  /** Emits a call as it is, over emitted inputs; returns its first output. */
  private keep(old: Call): Value {
    const inputs = old.inputs.map((v) => this.value(v));
    if (inputs.every((v, i) => v === old.inputs[i])) {
      this.calls.push(old);
      return old.outputs[0]!;
    }
    const call: Call = { ...old, inputs };
    call.outputs = old.outputs.map((v, output) => makeValue(v, { kind: 'call', call, output }));
    old.outputs.forEach((v, i) => this.replaced.set(v, call.outputs[i]!));
    this.calls.push(call);
    return call.outputs[0]!;
  }

  private emit(kernel: string, inputs: Record<string, Value>, shape: readonly number[], attrs = {}): Value {
    const call = makeCall(kernel, inputs, attrs, [{ dtype: 'float32', shape }], this.origin);
    this.calls.push(call);
    return call.outputs[0]!;
  }

  /** The emitted value that stands for a value of the old graph. */
  private value(old: Value): Value {
    const known = this.replaced.get(old);
    if (known !== undefined) return known;
    const form = this.forms.get(old);
    if (form === undefined) return old;
    const made = this.algebra.materialize(form, old.shape);
    this.replaced.set(old, made);
    return made;
  }

  /** The form of a call's result, or undefined where the call stays as it is. */
  private formOf(call: Call, shape: readonly number[]): Linear | Product | undefined {
    const [a, b] = call.inputs as [Value, Value | undefined];
    switch (call.kernel) {
      case 'Tile':
      case 'BroadcastTo':
        return isVector(a, shape) ? new Map([[ONE, this.vector(a)]]) : undefined;
      case 'Neg': {
        const form = this.linear(a, shape);
        return form && !isTrivial(form) ? this.algebra.scale(form, scalar(-1)) : undefined;
      }
      case 'Add':
      case 'Sub': {
        const [left, right] = [this.linear(a, shape), this.linear(b!, shape)];
        if (left === undefined || right === undefined || (isTrivial(left) && isTrivial(right))) return undefined;
        return this.algebra.add(left, call.kernel === 'Add' ? right : this.algebra.scale(right, scalar(-1)));
      }
      case 'Multiply': {
        const [left, right] = [this.linear(a, shape), this.linear(b!, shape)];
        if (left === undefined || right === undefined) return undefined;
        if (isPlain(right)) return this.algebra.scale(left, right.get(ONE));
        if (isPlain(left)) return this.algebra.scale(right, left.get(ONE));
        return { left, right };
      }
      case 'RealDiv': {
        const form = this.linear(a, shape);
        if (form === undefined || !isVector(b!, shape)) return undefined;
        return this.algebra.divide(form, this.vector(b!));
      }
      case 'FusedBatchNorm':
        return this.batchNorm(call);
      default:
        return undefined;
    }
  }

  /** (x − mean) · rsqrt(variance + ε) · scale + offset over the centred image that the variance has needed anyway. */
  private batchNorm(call: Call): Linear | undefined {
    const x = input(call, 'x')!;
    const image = meanOf(input(call, 'mean')!) === x ? this.centred.get(this.value(x)) : undefined;
    const [variance, scale, offset] = [input(call, 'variance')!, input(call, 'scale'), input(call, 'offset')];
    if (image === undefined || [variance, scale, offset].some((v) => v !== undefined && !isVector(v, x.shape))) return undefined;
    const epsilon = scalar((call.attrs['varianceEpsilon'] as number | null | undefined) ?? 0.001);
    const safe = this.algebra.binary('Add', this.vector(variance), epsilon);
    let factor = this.emit('Rsqrt', { x: safe }, safe.shape);
    if (scale !== undefined) factor = this.algebra.binary('Multiply', factor, this.vector(scale));
    const form = new Map<Value | typeof ONE, Value | undefined>([[image, factor]]);
    if (offset !== undefined) form.set(ONE, this.vector(offset));
    return form;
  }

  /** An operand as a sum of vectors times images; undefined for other broadcasts. */
  private linear(v: Value, shape: readonly number[]): Linear | undefined {
    if (isVector(v, shape)) return new Map([[ONE, this.vector(v)]]);
    if (v.dtype !== 'float32' || v.shape.join() !== shape.join()) return undefined;
    if (v.source.kind === 'constant' && uniformValue(v.source.data) !== undefined) return new Map([[ONE, scalar(v.source.data[0]!)]]);
    const form = this.imageForm(v);
    return isLinear(form) ? form : new Map([[this.value(v), undefined]]);
  }

  /** The form of an image; an image that exists is a form of its own. */
  private imageForm(v: Value): Linear | Product {
    const form = this.replaced.has(v) ? undefined : this.forms.get(v);
    return form ?? new Map([[this.value(v), undefined]]);
  }

  /** A per-channel vector as [C], or a scalar as []. */
  private vector(old: Value): Value {
    const v = this.value(old);
    const size = v.shape.at(-1) ?? 1;
    const shape = size === 1 ? [] : [size];
    return v.shape.length === shape.length ? v : this.emit('Reshape', { x: v }, shape, { shape });
  }
}
